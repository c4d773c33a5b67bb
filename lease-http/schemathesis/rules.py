"""What schemathesis needs besides the document: the caller, and the fields that have rules which no schema can express."""

import itertools
import json
import os
import urllib.request

import schemathesis

URL = os.environ["LEASE_URL"]
PASSWORD = os.environ["LEASE_SUPERUSER_PASSWORD"]
NUMBERS = itertools.count(os.getpid() * 1_000_000)


def post(path, body):
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def register():
    name = f"tester-{next(NUMBERS)}"
    names = {"username": name, "email": f"{name}@example.com", "first_name": "Ada", "last_name": "Byron"}
    return post("/api/register", names | {"password": PASSWORD, "password2": PASSWORD})


def log_in(username):
    return post("/api/login", {"username": username, "password": PASSWORD})


ME = register() if os.environ["LEASE_ROLE"] == "customer" else log_in(os.environ["LEASE_SUPERUSER_USERNAME"])


def revokes_tokens(case):
    return case.operation.path.startswith(("/api/logout", "/api/tokens/"))


@schemathesis.auth(cache_by_key=lambda case, context: revokes_tokens(case) and next(NUMBERS))
class Token:
    """The token of the run; for revoking tokens, the token of a new user each time."""

    def get(self, case, context):
        return (register() if revokes_tokens(case) else ME)["token"]

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Token {data}"


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Adds the rules and error codes that the document keeps in extensions (see openapi.rs) to the schemas."""
    # In the document itself, a choice between two kinds of text would become a separate type in generated clients.
    schemas = raw_schema["components"]["schemas"]
    schemas["EmailAddressOrNone"] = {"anyOf": [schemas["EmailAddress"], {"type": "string", "pattern": r"^\s*$"}]}
    shared = raw_schema["components"]["responses"]
    operations = [operation for item in raw_schema["paths"].values() for operation in item.values()]
    for operation in operations:
        # A parameter without a value counts as absent (rule 6.5).
        for parameter in operation["parameters"]:
            if parameter["in"] == "query":
                parameter["schema"] = {"anyOf": [parameter["schema"], {"type": "string", "pattern": "^ *$"}]}
        if "x-rules" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            content["schema"] = {"allOf": [content["schema"], *operation["x-rules"]]}
    for response in [*shared.values(), *(one for operation in operations for one in operation["responses"].values())]:
        if "x-codes" in response:
            content = response["content"]["application/problem+json"]
            content["schema"] = {"allOf": [content["schema"], {"properties": {"code": {"enum": response["x-codes"]}}}]}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Prevents the caller from changing their own user, and the reuse of a key with another body (rule 6.7)."""
    if case.meta and case.meta.generation.mode.is_positive and "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = f"key-{next(NUMBERS)}"
    if case.operation.path.startswith("/api/user") and (case.path_parameters or {}).get("id") == ME["user_id"]:
        case.path_parameters["id"] = 2**62
    # For JSON Schema, 412.0 is an integer. In a URL it would be written as 412.0, which is not a whole number.
    for name, value in (case.query or {}).items():
        if isinstance(value, float) and value.is_integer():
            case.query[name] = int(value)


# A new name may be taken, and a password may be common or similar to the names (rule 3.7).
NAMES = {"username", "email", "password"}
# The owner is the caller or a row that exists; the role decides which of the two fields may be given (rule 6.3).
CONTACT_OWNER = {"customer_id", "lead_id", "non_field_errors"}
# The service decides which terms are required (rule 4.2) and their currency, which decides how many digits an amount has (chapter 1).
TERMS = {"amount", "currency", "start_date", "end_date", "expires_at"}
# The invoice and the card belong to the caller, and no more is paid than is due (rule 5.4).
PAYMENT = {"invoice_id", "credit_card_id", "amount", "currency"}
VEHICLE = {"vin", "chassis_number", "year"}

RULES = {
    "POST /api/register": NAMES | {"password2", "dob"},
    # Name and password belong together (rule 3.2).
    "POST /api/login": set(),
    # A link is good for a while, and a new password may be common (rules 9.3 and 9.4).
    "POST /api/password-reset": {"email"},
    "POST /api/password-reset/confirm": {"token", "password", "password2"},
    "POST /api/password": {"current_password", "password", "password2"},
    "POST /api/email-verification/confirm": {"token"},
    # An address leads to a public one (rule 9.1).
    "POST /api/webhook-endpoints": {"url"},
    "PATCH /api/webhook-endpoints/{id}": {"url"},
    "POST /api/users": NAMES | {"dob"},
    "PUT /api/users/{id}": NAMES,
    "PATCH /api/users/{id}": NAMES,
    "PUT /api/user/{id}": NAMES,
    "PATCH /api/user/{id}": NAMES,
    # A date of birth is in the past (rule 6.1).
    "PUT /api/customers/{id}": {"dob"},
    "PATCH /api/customers/{id}": {"dob"},
    # A number passes the Luhn check, its brand decides on its length and its code, and a card has not expired (rule 5.6).
    # The gateway decides whether a card is its number or its name (rule 5.6).
    "POST /api/credit-cards": {"number", "cvc", "exp_year"} | {"number", "exp_month", "exp_year", "holder_name"},
    "PATCH /api/credit-cards/{id}": {"exp_year"},
    "POST /api/contacts": CONTACT_OWNER,
    "PUT /api/contacts/{id}": CONTACT_OWNER,
    "PATCH /api/contacts/{id}": CONTACT_OWNER,
    # The field that is emptied may be the last one with a value; only converting sets the status converted (rule 6.4).
    "PUT /api/leads/{id}": {"status", "non_field_errors"},
    "PATCH /api/leads/{id}": {"status", "non_field_errors"},
    "POST /api/leads/{id}/convert": {"customer_id"},
    # A VIN or a chassis number is unique and one of them is given, and a model year is at most that of next year (rule 6.2).
    "POST /api/vehicles": VEHICLE,
    "PUT /api/vehicles/{id}": VEHICLE,
    "PATCH /api/vehicles/{id}": VEHICLE,
    # The currency decides how many digits an amount has (chapter 1); fields that are not given stay and must fit the rest (rule
    # 5.1).
    "POST /api/services": {"amount"},
    "PUT /api/services/{id}": {"amount", "invoice_on", "bill_to"},
    "PATCH /api/services/{id}": {"amount", "invoice_on", "bill_to"},
    # The order decides which cursors there are (rule 6.5).
    "GET /api/trades": {"cursor"},
    "POST /api/trades": {"vehicle_id", "service_id"},
    "POST /api/trades/{id}/proposals": TERMS,
    "POST /api/proposals": TERMS | {"trade_id"},
    "POST /api/payments": PAYMENT,
    "POST /api/invoices/{id}/payments": PAYMENT,
    # An amount is at most what is left of the payment, in its currency (rule 5.7).
    "POST /api/payments/{id}/refunds": {"amount", "currency"},
    # Kind and id of an object belong together (rule 8.6), and a year is at least 1 in UTC.
    "GET /api/events": {"subject_kind", "subject_id", "since", "until"},
}


@schemathesis.check
def refused_by_rule(ctx, response, case):
    """If a request matches its schema, a 400 names only fields that have a rule which no schema can express."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 400:
        return
    problem = response.json()
    rules = RULES.get(case.operation.label)
    assert rules is not None, f"only the schema may refuse this: {problem}"
    wrong = set(problem.get("errors", {})) - rules
    assert not wrong, f"these fields have no known rule: {wrong} in {problem}"
