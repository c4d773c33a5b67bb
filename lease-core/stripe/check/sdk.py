"""Uses the fake Stripe by Stripe's own library for Python: what the fake responds is what the library understands."""

import os
import urllib.request
import json

import stripe

ADDRESS = os.environ["STRIPE_ADDRESS"]
WEBHOOK_SECRET = "whsec_of_the_fake"
client = stripe.StripeClient(
    "sk_test_of_the_fake", base_addresses={"api": ADDRESS}, max_network_retries=0
).v1


def refused(kind, call):
    """The error of a call, which is of this kind."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def make_card(number):
    card = {"number": number, "exp_month": 12, "exp_year": 2099, "cvc": "123"}
    return client.payment_methods.create({"type": "card", "card": card})


def charge(card, key=None, amount=4900, **more):
    parameters = {
        "amount": amount,
        "currency": "usd",
        "customer": customer.id,
        "payment_method": card.id,
        "payment_method_types": ["card"],
        "confirm": True,
        "use_stripe_sdk": True,
        "metadata": {"lease_key": "a key"},
        **more,
    }
    return client.payment_intents.create(parameters, {"idempotency_key": key} if key else {})


# Cards.
customer = client.customers.create({"metadata": {"lease_customer_id": "1"}})
assert client.customers.retrieve(customer.id).metadata["lease_customer_id"] == "1"
setup = client.setup_intents.create({"customer": customer.id, "usage": "on_session", "payment_method_types": ["card"]})
good = make_card("4242424242424242")
assert client.setup_intents.confirm(setup.id, {"payment_method": good.id}).status == "succeeded"
assert client.payment_methods.retrieve(good.id).customer == customer.id
assert good.card.brand == "visa" and good.card.last4 == "4242"
error = refused(stripe.CardError, lambda: client.payment_methods.attach(make_card("4000000000009995").id, {"customer": customer.id}))
assert (error.code, error.http_status, error.error.decline_code) == ("card_declined", 402, "insufficient_funds")
error = refused(stripe.InvalidRequestError, lambda: client.payment_methods.retrieve("pm_none"))
assert (error.code, error.http_status) == ("resource_missing", 404)

# Charges, and their idempotency keys.
paid = charge(good, key="key1")
assert (paid.status, paid.amount_received, paid.metadata["lease_key"]) == ("succeeded", 4900, "a key")
again = charge(good, key="key1")
assert again.id == paid.id and again.last_response.headers["idempotent-replayed"] == "true"
refused(stripe.IdempotencyError, lambda: charge(good, key="key1", amount=5000))
assert charge(good).id != paid.id
assert refused(stripe.InvalidRequestError, lambda: charge(good, amount=49)).code == "amount_too_small"
assert refused(stripe.InvalidRequestError, lambda: charge(good, unknown="x")).code == "parameter_unknown"
refused(stripe.AuthenticationError, lambda: stripe.StripeClient("sk_test_2", base_addresses={"api": ADDRESS}).v1.customers.retrieve("x"))

# A decline, which another card can follow until the charge is cancelled.
declined = make_card("4000000000000341")
client.payment_methods.attach(declined.id, {"customer": customer.id})
for other_card in (True, False):
    error = refused(stripe.CardError, lambda: charge(declined))
    assert (error.code, error.error.decline_code) == ("card_declined", "generic_decline")
    intent = error.error.payment_intent
    assert (intent.status, intent.last_payment_error.code) == ("requires_payment_method", "card_declined")
    if other_card:
        assert client.payment_intents.confirm(intent.id, {"payment_method": good.id}).status == "succeeded"
        error = refused(stripe.InvalidRequestError, lambda: client.payment_intents.cancel(intent.id))
        assert error.code == "payment_intent_unexpected_state"
    else:
        assert client.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"}).status == "canceled"
        refused(stripe.InvalidRequestError, lambda: client.payment_intents.confirm(intent.id, {"payment_method": good.id}))

# A payer who must act.
asks = make_card("4000002760003184")
client.payment_methods.attach(asks.id, {"customer": customer.id})
waiting = charge(asks)
assert (waiting.status, waiting.next_action.type) == ("requires_action", "use_stripe_sdk")
assert waiting.client_secret.startswith(f"{waiting.id}_secret_")

# Lists, newest first, page by page.
ids = [intent.id for intent in client.payment_intents.list({"customer": customer.id, "limit": 2}).auto_paging_iter()]
assert len(ids) == 5 and ids == sorted(ids, reverse=True)
assert client.payment_intents.list({"created": {"gte": paid.created + 3600}}).data == []

# Refunds.
refund = client.refunds.create({"payment_intent": paid.id, "amount": 900, "reason": "duplicate", "metadata": {"a": "b"}})
assert (refund.status, refund.amount) == ("succeeded", 900)
assert client.refunds.retrieve(refund.id).payment_intent == paid.id
too_much = refused(stripe.InvalidRequestError, lambda: client.refunds.create({"payment_intent": paid.id, "amount": 4001}))
assert too_much.param == "amount"
client.refunds.create({"payment_intent": paid.id})
error = refused(stripe.InvalidRequestError, lambda: client.refunds.create({"payment_intent": paid.id}))
assert error.code == "charge_already_refunded"
assert [found.amount for found in client.refunds.list({"payment_intent": paid.id}).data] == [4000, 900]

# Webhooks.
with urllib.request.urlopen(f"{ADDRESS}/_webhooks") as response:
    webhooks = json.load(response)
events = [stripe.Webhook.construct_event(each["body"], each["signature"], WEBHOOK_SECRET) for each in webhooks]
assert [event.type for event in events if event.data.object.id == paid.id] == ["payment_intent.created", "payment_intent.succeeded"]
assert events[-1].type == "refund.created"
refused(stripe.SignatureVerificationError, lambda: stripe.Webhook.construct_event(webhooks[0]["body"], webhooks[1]["signature"], WEBHOOK_SECRET))

print("Stripe's own library understands the fake")
