"""Verifies webhooks by the libraries that others use for it: a JSON list of their secrets, headers and bodies comes in."""

import json
import sys

import standardwebhooks
import svix.webhooks

VERIFIERS = [standardwebhooks.Webhook, svix.webhooks.Webhook]
NO_SECRET = "whsec_bm9uZSBvZiB0aGUgc2VjcmV0cyBvZiB0aGlzIHRlc3Q="


def is_taken(verifier, secret, body, headers):
    try:
        verifier(secret).verify(body, headers)
    except standardwebhooks.WebhookVerificationError:
        return False
    return True


def other(headers, name, value):
    return {**headers, name: value}


webhooks = json.load(sys.stdin)
for webhook in webhooks:
    body, headers = webhook["body"], webhook["headers"]
    earlier = str(int(headers["webhook-timestamp"]) - 1)
    for verifier in VERIFIERS:
        for secret in webhook["secrets"]:
            assert is_taken(verifier, secret, body, headers)
            assert not is_taken(verifier, secret, body + " ", headers)
            assert not is_taken(verifier, secret, body, other(headers, "webhook-id", "msg_other"))
            assert not is_taken(verifier, secret, body, other(headers, "webhook-timestamp", earlier))
        assert not is_taken(verifier, NO_SECRET, body, headers)
print(len(webhooks), "verified")
