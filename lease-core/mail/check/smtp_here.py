"""Runs a mail server on a free port of this machine only, which takes mails and delivers none.

Its first line says where it is, and each further line is a mail that it took. What it does with a mail is up to the name before the @
of its recipient, see `Handler`. Options: tls, starttls, auth (user `lease`, password `s3cret:/@`), ascii (no SMTPUTF8).
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys
import tempfile

import trustme
from aiosmtpd.smtp import SMTP, AuthResult


# What it answers to recipients of these names.
REFUSALS = {
    "nobody": "550 5.1.1 <{}> is not here",
    "misspelt": "501 5.1.3 <{}> is no address",
    "confusing": "503 5.5.1 not now",
    "unauthenticated": "530 5.7.0 log in first",
    "busy": "450 4.2.1 try again",
    "leaving": "421 4.3.2 closing",
}


class Handler:
    def __init__(self):
        self.seen = set()

    async def handle_MAIL(self, server, session, envelope, address, options):
        if address.startswith("unwanted@"):
            return "550 5.7.1 no mails by you"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = name_of(address)
        is_new = name not in self.seen
        self.seen.add(name)
        if name in REFUSALS:
            return REFUSALS[name].format(address)
        if name == "grey" and is_new:
            return "451 4.7.1 not on the first try"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        name = name_of(envelope.rcpt_tos[0])
        if name == "stuck":
            await asyncio.Event().wait()
        if name == "full":
            return "552 5.2.2 the mailbox is full"
        if name == "last":
            session.is_over = True
        say(mail(server, session, envelope))
        return "250 OK"

    async def handle_NOOP(self, server, session, envelope, argument):
        return "421 4.3.2 closing" if getattr(session, "is_over", False) else "250 OK"


def name_of(address):
    return address.split("@")[0]


def mail(server, session, envelope):
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    return {
        "peer": session.peer[1],
        "hello": session.host_name,
        "is_encrypted": server.transport.get_extra_info("ssl_object") is not None,
        "login": session.auth_data.login.decode() if session.auth_data else None,
        "sender": envelope.mail_from,
        "recipients": envelope.rcpt_tos,
        "headers": {name: str(value) for name, value in message.items()},
        "names": [address.display_name for address in message["To"].addresses],
        "types": [part.get_content_type() for part in message.iter_parts()],
        "text": message.get_body(("plain",)).get_content(),
        "html": message.get_body(("html",)).get_content(),
    }


def authenticate(server, session, envelope, mechanism, login):
    is_right = (login.login, login.password) == (b"lease", b"s3cret:/@")
    return AuthResult(success=is_right, handled=False, auth_data=login)


def say(value):
    print(json.dumps(value), flush=True)


async def main(options):
    loop = asyncio.get_running_loop()
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    handler = Handler()

    def connection():
        return SMTP(
            handler,
            hostname="localhost",
            loop=loop,
            enable_SMTPUTF8="ascii" not in options,
            tls_context=context if "starttls" in options else None,
            authenticator=authenticate,
            auth_required="auth" in options,
            auth_require_tls=False,
        )

    server = await loop.create_server(connection, "127.0.0.1", 0, ssl=context if "tls" in options else None)
    with tempfile.NamedTemporaryFile(suffix=".pem") as certificate:
        certificate.write(authority.cert_pem.bytes())
        certificate.flush()
        say({"port": server.sockets[0].getsockname()[1], "certificate": certificate.name})
        await server.serve_forever()


asyncio.run(main(sys.argv[1:]))
