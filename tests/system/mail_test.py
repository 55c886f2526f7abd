"""Alerts by e-mail through a real mail server (aiosmtpd): STARTTLS, TLS from the start, log-in, and what is refused."""
import base64
import email
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

from dendro_process import Server, run
from alerts_test import wait_until

USER, PASSWORD = "dendro-mailer", "open sesame 7291"


def python_with_mail_server():
    """The interpreter that has aiosmtpd: ours, or Debian's, for which python3-aiosmtpd is made."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import aiosmtpd"], capture_output=True).returncode == 0:
            return python
    raise RuntimeError("no Python here has aiosmtpd; tools/install_packages.sh test installs python3-aiosmtpd")


class MailServer:
    """A process; `events` is what it saw."""

    def __init__(self, mode, folder):
        self.process = subprocess.Popen(
            [python_with_mail_server(), str(Path(__file__).with_name("mail_server.py")), mode, str(folder / "server.pem"), str(folder / "server.key"),
             USER, PASSWORD], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        port = self.process.stdout.readline().decode().split()[1]
        self.url = f"{'smtps' if mode == 'smtps' else 'smtp'}://127.0.0.1:{port}"
        self.events = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def mails(self):
        return [event for event in self.events if event["event"] == "mail"]

    def close(self):
        self.process.terminate()
        self.process.wait()


def make_certificates(folder):
    """An authority of the test's own, and the certificate of 127.0.0.1 that it signed."""
    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test authority",
            "-addext", "basicConstraints=critical,CA:TRUE")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem", "-days", "2",
            "-extfile", "names")


class MailTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="dendro-mail-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        make_certificates(cls.folder)

    def mail_server(self, mode):
        server = MailServer(mode, self.folder)
        self.addCleanup(server.close)
        return server

    def configure(self, receivers):
        """`receivers`: name, address and further lines of each."""
        (self.folder / "password").write_text(PASSWORD + "\n")
        (self.folder / "wrong").write_text("no such " + PASSWORD + "\n")
        text = ""
        for name, (url, *more) in receivers.items():
            lines = "\n".join(more)
            text += f'[[receivers]]\nname = "{name}"\nkind = "email"\nurl = "{url}"\nuser = "{USER}"\nfrom = "dendro@example.org"\nto = ["{name}@example.org"]\n{lines}\n\n'
        names = ", ".join(f'"{name}"' for name in receivers)
        text += f'[[alerts]]\nname = "mail"\nquery = "level:error"\nenabled = false\ncondition = {{ rows_above = 0 }}\nreceivers = [{names}]\n'
        config = self.folder / "dendro.toml"
        config.write_text(text)
        return config

    def metric(self, server, name):
        lines = server.request("GET", "/metrics")[2].decode().splitlines()
        return [float(line.split()[1]) for line in lines if line.startswith(name + " ")][0]

    def test_mail_goes_encrypted_or_not_at_all_and_is_never_lost(self):
        starttls, smtps, plain = (self.mail_server(mode) for mode in ("starttls", "smtps", "plain"))
        trusted = f'ca_file = "{self.folder / "ca.pem"}"'
        secret, wrong = (f'secret_file = "{self.folder / name}"' for name in ("password", "wrong"))
        receivers = {"starttls": (starttls.url, secret, trusted), "smtps": (smtps.url, secret, trusted),
                     "untrusted": (starttls.url, secret), "untrusted-smtps": (smtps.url, secret),
                     "another-name": (starttls.url.replace("127.0.0.1", "localhost"), secret, trusted),
                     "wrong-password": (starttls.url, wrong, trusted), "in-the-open": (plain.url, secret, trusted)}
        data = self.folder / "data"
        with Server("--config", self.configure(receivers), data=data) as server:
            self.assertEqual(server.ingest([{"level": "error", "body": "boom"}])[0], 200)
            (rule,) = json.loads(server.request("GET", "/api/v1/alerts")[2])["items"]
            status, _, reply = server.request("POST", f"/api/v1/alerts/{rule['id']}/test", b'{"deliver":true}')
            self.assertEqual((status, json.loads(reply)["sent"]), (200, True), reply)
            self.assertTrue(wait_until(lambda: self.metric(server, "dendro_alerts_delivery_failures_total") >= 5 and starttls.mails() and smtps.mails()))
            self.assertEqual(self.metric(server, "dendro_alerts_waiting"), 5, "what failed waits")
        failed = {}
        for line in server.log:
            if "a message about alerts failed" in line:
                entry = json.loads(line)
                failed[entry["receiver"]] = entry["reason"]
        self.assertEqual(set(failed), set(receivers) - {"starttls", "smtps"})
        for name in ("untrusted", "untrusted-smtps"):
            self.assertIn("unable to get local issuer certificate", failed[name])
            self.assertIn("ca_file", failed[name])
        self.assertIn("target host name", failed["another-name"])
        self.assertIn("Login denied", failed["wrong-password"])
        self.assertIn("does not offer STARTTLS", failed["in-the-open"])
        self.assertEqual(plain.events, [], "neither the password nor the mail")
        for mails, name in ((starttls.mails(), "starttls"), (smtps.mails(), "smtps")):
            self.assertEqual([(mail["user"], mail["is_encrypted"], mail["to"]) for mail in mails], [(USER, True, [f"{name}@example.org"])])
            parsed = email.message_from_string(mails[0]["text"])
            self.assertIn("FIRING mail", base64.b64decode(parsed.get_payload()).decode())
        self.assertTrue(all(event["is_encrypted"] for event in starttls.events + smtps.events))
        key = email.message_from_string(starttls.mails()[0]["text"])["X-Dendro-Dedupe-Key"]
        log = "".join(server.log)
        # Once what was wrong is mended they are delivered after all.
        mended = {name: (starttls.url, secret, trusted) for name in receivers}
        with Server("--config", self.configure(mended), data=data) as server:
            self.assertTrue(wait_until(lambda: len(starttls.mails()) == 6))
            self.assertTrue(wait_until(lambda: self.metric(server, "dendro_alerts_waiting") == 0))
            self.assertEqual(self.metric(server, "dendro_alerts_dead_letters"), 0)
        self.assertEqual(sorted(mail["to"][0].split("@")[0] for mail in starttls.mails()), sorted(set(receivers) - {"smtps"}))
        self.assertEqual({email.message_from_string(mail["text"])["X-Dendro-Dedupe-Key"] for mail in starttls.mails()}, {key})
        log += "".join(server.log)
        for secret_text in (PASSWORD, base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode(), base64.b64encode(PASSWORD.encode()).decode()):
            self.assertNotIn(secret_text, log)

    def test_a_wrong_authority_or_a_password_in_the_address_is_refused_at_the_start(self):
        for more, wanted in ((("smtp://127.0.0.1:1", 'ca_file = "/no/such.pem"'), "ca_file"), (("smtp://me:secret-text@127.0.0.1:1",), "must not hold a user")):
            code, _, err = run("serve", "--listen", "127.0.0.1:0", "--data", self.folder / "none", "--config", self.configure({"a": more}))
            self.assertEqual(code, 2, err)
            self.assertIn(wanted, err)
            self.assertNotIn("secret-text", err)


if __name__ == "__main__":
    unittest.main()
