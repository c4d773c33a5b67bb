"""A sale with the client that openapi-generator generates for Python."""

import json
import os
import urllib.request

import lease_api as api

URL = os.environ["LEASE_URL"]
PASSWORD = "violet-harbor-93"

with urllib.request.urlopen(f"{URL}/api/openapi.json") as document:
    schemas = json.load(document)["components"]["schemas"]
dropped = [name for name, schema in schemas.items() if {"properties", "enum", "oneOf"} & schema.keys() and not hasattr(api, name)]
assert not dropped, f"schemas without a generated model: {dropped}"


class Person:
    """A customer who has registered and logged in."""

    def __init__(self, username):
        anonymous = api.AccountsApi(api.ApiClient(api.Configuration(host=URL)))
        registration = anonymous.register(
            api.RegistrationInput(
                username=username,
                email=f"{username}@example.com",
                first_name="Ada",
                last_name="Byron",
                password=PASSWORD,
                password2=PASSWORD,
            )
        )
        login = anonymous.login(api.LoginInput(username=username, password=PASSWORD))
        assert login.customer_id == registration.customer_id
        self.customer_id = login.customer_id
        configuration = api.Configuration(host=URL, access_token=login.token)
        client = api.ApiClient(configuration)
        self.vehicles = api.VehiclesApi(client)
        self.services = api.ServicesApi(client)
        self.trades = api.TradesApi(client)
        self.proposals = api.ProposalsApi(client)
        self.invoices = api.InvoicesApi(client)
        self.cards = api.CreditCardsApi(client)
        self.payments = api.PaymentsApi(client)


owner, buyer = Person("olivia.python"), Person("ben.python")
vehicle = owner.vehicles.create_vehicle(api.VehicleInput(vin="1HGCM82633A004352", make="Honda", model="Accord", year=2003))
sell = owner.services.list_services(kind=api.ServiceKind.SELL).results[0]
trade = owner.trades.open_trade(api.TradeInput(vehicle_id=vehicle.id, service_id=sell.id))
owner.proposals.create_trade_proposal(trade.id, api.TermsInput(amount=api.PriceInput("18500.00")))
counter = buyer.proposals.create_trade_proposal(trade.id, api.TermsInput(amount=api.PriceInput(17900)))
accepted = owner.proposals.accept_proposal(counter.id)
assert (accepted.status, accepted.amount) == (api.ProposalStatus.ACCEPTED, "17900.00")

trade = owner.trades.get_trade(trade.id)
assert trade.status == api.TradeStatus.AGREED
invoice = owner.invoices.get_invoice(trade.invoice_id)
card = owner.cards.create_credit_card(
    api.NewCreditCardInput(number="4242424242424242", exp_month=12, exp_year=2099, holder_name="Olivia")
)
pay = api.PaymentInput(invoice_id=invoice.id, credit_card_id=card.id)
payment = owner.payments.create_payment(pay)
assert (payment.status, payment.amount) == (api.PaymentStatus.SUCCEEDED, invoice.amount)
assert owner.trades.get_trade(trade.id).status == api.TradeStatus.COMPLETED
assert buyer.vehicles.get_vehicle(vehicle.id).customer_id == buyer.customer_id

try:
    owner.payments.create_payment(pay)
    raise AssertionError("an invoice was paid twice")
except api.ApiException as error:
    assert isinstance(error.data, api.Problem)
    assert (error.status, error.data.code) == (409, "invoice_not_open")
print("openapi-generator, python: sold")
