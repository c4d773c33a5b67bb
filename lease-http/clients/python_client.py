"""A sale with the client that openapi-python-client generates."""

import os

from lease_client import AuthenticatedClient, Client
from lease_client.api.accounts import login, register
from lease_client.api.credit_cards import create_credit_card
from lease_client.api.invoices import get_invoice
from lease_client.api.payments import create_payment
from lease_client.api.proposals import accept_proposal, create_trade_proposal
from lease_client.api.services import list_services
from lease_client.api.trades import get_trade, open_trade
from lease_client.api.vehicles import create_vehicle, get_vehicle
from lease_client.models import (
    LoginInput,
    NewCreditCardInput,
    PaymentInput,
    PaymentStatus,
    Problem,
    ProblemCode,
    ProposalStatus,
    RegistrationInput,
    ServiceKind,
    TermsInput,
    TradeInput,
    TradeStatus,
    VehicleInput,
)

URL = os.environ["LEASE_URL"]
PASSWORD = "violet-harbor-93"


def person(username):
    """Registers a customer and logs in; returns the customer's id and a client."""
    anonymous = Client(base_url=URL)
    registration = register.sync(
        client=anonymous,
        body=RegistrationInput(
            username=username,
            email=f"{username}@example.com",
            first_name="Ada",
            last_name="Byron",
            password=PASSWORD,
            password2=PASSWORD,
        ),
    )
    session = login.sync(client=anonymous, body=LoginInput(username=username, password=PASSWORD))
    assert session.customer_id == registration.customer_id
    return session.customer_id, AuthenticatedClient(base_url=URL, token=session.token, prefix="Token")


_, owner = person("olivia.client")
buyer_id, buyer = person("ben.client")
vehicle = create_vehicle.sync(
    client=owner, body=VehicleInput(vin="1HGCM82633A004353", make="Honda", model="Accord", year=2003)
)
sell = list_services.sync(client=owner, kind=ServiceKind.SELL).results[0]
trade = open_trade.sync(client=owner, body=TradeInput(vehicle_id=vehicle.id, service_id=sell.id))
create_trade_proposal.sync(trade.id, client=owner, body=TermsInput(amount="18500.00"))
counter = create_trade_proposal.sync(trade.id, client=buyer, body=TermsInput(amount=17900))
accepted = accept_proposal.sync(counter.id, client=owner)
assert (accepted.status, accepted.amount) == (ProposalStatus.ACCEPTED, "17900.00")

trade = get_trade.sync(trade.id, client=owner)
assert trade.status == TradeStatus.AGREED
invoice = get_invoice.sync(trade.invoice_id, client=owner)
card = create_credit_card.sync(
    client=owner, body=NewCreditCardInput(number="4242424242424242", exp_month=12, exp_year=2099, holder_name="Olivia")
)
pay = PaymentInput(invoice_id=invoice.id, credit_card_id=card.id)
payment = create_payment.sync(client=owner, body=pay)
assert (payment.status, payment.amount) == (PaymentStatus.SUCCEEDED, invoice.amount)
assert get_trade.sync(trade.id, client=owner).status == TradeStatus.COMPLETED
assert get_vehicle.sync(vehicle.id, client=buyer).customer_id == buyer_id

problem = create_payment.sync(client=owner, body=pay)
assert isinstance(problem, Problem)
assert (problem.status, problem.code) == (409, ProblemCode.INVOICE_NOT_OPEN)
print("openapi-python-client: sold")
