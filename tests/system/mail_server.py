"""A real mail server for tests: aiosmtpd (Debian: python3-aiosmtpd). Says `port N`, then a line of JSON for each thing that happens.

usage: mail_server.py plain|starttls|smtps CERTIFICATE KEY USER PASSWORD
"""
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


def tell(**what):
    print(json.dumps(what), flush=True)


class Mailbox:
    async def handle_DATA(self, server, session, envelope):
        tell(event="mail", user=session.auth_data, is_encrypted=session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None,
             to=envelope.rcpt_tos, text=envelope.content.decode())
        return "250 taken"


class NotingSmtp(SMTP):
    async def smtp_AUTH(self, arg):
        tell(event="auth", is_encrypted=self.session.ssl is not None or self.transport.get_extra_info("sslcontext") is not None)
        return await super().smtp_AUTH(arg)


async def main(mode, certificate, key, user, password):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def authenticate(server, session, envelope, mechanism, login):
        is_right = (login.login, login.password) == (user.encode(), password.encode())
        return AuthResult(success=is_right, handled=False, auth_data=user if is_right else None)

    def make():
        options = {} if mode == "plain" else {"auth_required": True, "authenticator": authenticate}
        if mode == "starttls":
            options.update(tls_context=context, require_starttls=True)
        if mode == "smtps":  # aiosmtpd counts only STARTTLS as encryption
            options["auth_require_tls"] = False
        return NotingSmtp(Mailbox(), hostname="mail.test", **options)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=context if mode == "smtps" else None)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
