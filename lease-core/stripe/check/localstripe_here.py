"""Runs localstripe on a free port of this machine only, without its file. Its first line is its address.

It refuses some parameters that Stripe takes, and cannot list the charges of a customer: both are mended here.
"""

import asyncio

from aiohttp import web
from localstripe import resources
from localstripe.resources import PaymentIntent, Refund, StripeObject, extra_apis

resources.Store.dump_to_disk = lambda self: None


def without(names, function):
    """The function, called without the parameters of these names."""

    def call(*args, **data):
        return function(*args, **{name: value for name, value in data.items() if name not in names})

    return call


def list_of_customer(url, customer=None, created=None, **data):
    """The charges of a customer, newest first."""
    listed = StripeObject._api_list_all.__func__(PaymentIntent, url, **data)
    listed._list = [intent for intent in reversed(listed._list) if customer in (None, intent.customer)]
    return listed


PaymentIntent._api_create = without({"description", "use_stripe_sdk"}, PaymentIntent._api_create)
PaymentIntent._api_list_all = list_of_customer
Refund._api_create = without({"reason"}, Refund._api_create)
cancel = "/v1/payment_intents/{id}/cancel"
extra_apis[:] = [
    (method, path, without({"cancellation_reason"}, function) if path == cancel else function)
    for method, path, function in extra_apis
]

# It takes the functions as they are when it is imported.
from localstripe.server import app  # noqa: E402


async def main():
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = site._server.sockets[0].getsockname()
    print(f"http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
