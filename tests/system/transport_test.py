"""TLS, client certificates, redirection and places of secrets, end to end: the real binary, curl, openssl and Python's ssl."""
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from dendro_process import Server, run
from web_socket_client import WebSocketClient

SECRET = "planted-secret-key-of-more-than-32-bytes-4711"
VERIFY = "planted-origin-verify-4712"


class Authority:
    """A certificate authority in a folder, by the openssl command."""

    def __init__(self, folder, name):
        self.folder = Path(folder)
        self.name = name
        self.openssl("req", "-x509", *self.new_key(), "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}",
                     "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        (self.folder / f"{name}.index").write_text("")
        (self.folder / f"{name}.number").write_text("01\n")
        (self.folder / f"{name}.cnf").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.folder}/{name}.index\ncrlnumber={self.folder}/{name}.number\n"
            f"certificate={self.folder}/{name}.pem\nprivate_key={self.folder}/{name}.key\ndefault_md=sha256\ndefault_crl_days=2\n")
        self.pem = self.folder / f"{name}.pem"

    @staticmethod
    def new_key():
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

    def openssl(self, *args):
        done = subprocess.run(["openssl", *args], cwd=self.folder, capture_output=True)
        if done.returncode != 0:
            raise AssertionError(f"openssl {args}: {done.stderr.decode()}")

    def sign(self, file, common_name, names, usage):
        """FILE.pem and FILE.key, replaced whole as certbot does."""
        self.openssl("req", *self.new_key(), "-keyout", f"{file}.new.key", "-out", f"{file}.csr", "-subj", f"/CN={common_name}")
        (self.folder / f"{file}.ext").write_text(f"subjectAltName={names}\nextendedKeyUsage={usage}\n")
        self.openssl("x509", "-req", "-in", f"{file}.csr", "-CA", f"{self.name}.pem", "-CAkey", f"{self.name}.key", "-CAcreateserial",
                     "-out", f"{file}.new.pem", "-days", "2", "-extfile", f"{file}.ext")
        for end in ("key", "pem"):
            os.chmod(self.folder / f"{file}.new.{end}", 0o600)
            os.rename(self.folder / f"{file}.new.{end}", self.folder / f"{file}.{end}")
        return self.folder / f"{file}.pem", self.folder / f"{file}.key"

    def revocations(self, file, *certificates):
        for certificate in certificates:
            self.openssl("ca", "-config", f"{self.name}.cnf", "-revoke", str(certificate))
        self.openssl("ca", "-config", f"{self.name}.cnf", "-gencrl", "-out", f"{file}.new")
        os.rename(self.folder / f"{file}.new", self.folder / file)
        return self.folder / file


def wait_for(condition, seconds=20):
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        if condition():
            return True
        time.sleep(0.05)
    return False


class TransportTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="dendro-tls-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.authority = Authority(self.folder, "servers")
        self.certificate, self.key = self.authority.sign("server", "first", "DNS:localhost,IP:127.0.0.1", "serverAuth")
        self.tls = ["--tls-certificate", self.certificate, "--tls-key", self.key]

    def context(self, client=None):
        context = ssl.create_default_context(cafile=str(self.authority.pem))
        if client:
            context.load_cert_chain(*map(str, client))
        return context

    def ask(self, server, method, path, body=None, headers=None, index=0, client=None):
        host, port = server.addresses[index].rsplit(":", 1)
        connection = http.client.HTTPSConnection("127.0.0.1" if host == "0.0.0.0" else host, int(port), timeout=30, context=self.context(client))
        try:
            connection.request(method, path, body=body, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read()
        finally:
            connection.close()

    def shown_name(self, server):
        with socket.create_connection((server.host, server.port), timeout=30) as raw:
            with self.context().wrap_socket(raw, server_hostname="localhost") as connection:
                return dict(part[0] for part in connection.getpeercert()["subject"])["commonName"]

    def test_everything_goes_over_tls(self):
        with Server(*self.tls) as server:
            records = "".join(json.dumps({"body": f"over tls {i}", "service": "web"}) + "\n" for i in range(1000))
            self.assertEqual(self.ask(server, "POST", "/api/v1/ingest", records.encode())[0], 200)
            status, headers, body = self.ask(server, "GET", "/api/v1/query?query=%22over%20tls%22%20%7C%20stats%20count()%20as%20n")
            self.assertEqual((status, [row["n"] for row in map(json.loads, body.splitlines()) if "n" in row]), (200, [1000]))
            self.assertEqual(headers["strict-transport-security"], "max-age=31536000")
            self.assertIn(b"tls ok", self.ask(server, "GET", "/readyz")[2])
            metrics = self.ask(server, "GET", "/metrics")[2].decode()
            self.assertRegex(metrics, r'dendro_tls_certificate_expiry_timestamp_seconds\{listener="127\.0\.0\.1:0",certificate="localhost",index="0"\} \d{10}')

            class Wrapped:
                host, port = server.host, server.port
            tail = WebSocketClient(Wrapped, "/api/v1/tail?query=*", wrap=lambda raw: self.context().wrap_socket(raw, server_hostname="localhost"))
            self.assertIn(b"101", tail.head)
            tail.socket.close()

    def test_clients_that_exist(self):
        with Server(*self.tls, "--data", self.folder / "data") as server:
            url = f"https://{server.addresses[0]}"
            for version in ("--tlsv1.2", "--tlsv1.3"):
                done = subprocess.run(["curl", "-sS", "--cacert", self.authority.pem, version, f"{url}/healthz"], capture_output=True)
                self.assertEqual(done.stdout, b'{"status":"ok"}', done.stderr)
            done = subprocess.run(["curl", "-sS", "--cacert", self.authority.pem, "--tls-max", "1.1", f"{url}/healthz"], capture_output=True)
            self.assertNotEqual(done.returncode, 0)
            log = self.folder / "a.log"
            log.write_text("hello from the command line\n")
            env = {"SSL_CERT_FILE": str(self.authority.pem)}
            code, _, err = run("ingest", "--server", url, log, env=env)
            self.assertEqual(code, 0, err)
            code, out, err = run("query", "--server", url, "hello", env=env)
            self.assertEqual(code, 0, err)
            self.assertIn("hello from the command line", out)
            code, _, err = run("query", "--server", url, "hello")
            self.assertEqual(code, 1, "an authority that nobody trusts")
            self.assertIn("certificate", err)

    def test_plain_http_on_a_tls_port_and_the_other_way_round(self):
        with Server(*self.tls, listen=("127.0.0.1:0", "127.0.0.1:0+plain")) as server:
            status, _, body = server.request("GET", "/healthz")
            self.assertEqual((status, body), (400, b"this port speaks TLS: use https\n"))
            self.assertEqual(server.request("GET", "/healthz", index=1)[0], 200)
            with self.assertRaises(ssl.SSLError):
                self.ask(server, "GET", "/healthz", index=1)

    def test_rotation_while_connections_are_open(self):
        with Server(*self.tls) as server:
            host, port = server.addresses[0].rsplit(":", 1)
            before = http.client.HTTPSConnection(host, int(port), timeout=30, context=self.context())

            def ask_before():
                before.request("GET", "/healthz")
                reply = before.getresponse()
                reply.read()
                return reply.status
            self.assertEqual(ask_before(), 200)
            self.assertEqual(self.shown_name(server), "first")
            self.authority.sign("server", "second", "DNS:localhost,IP:127.0.0.1", "serverAuth")
            self.assertTrue(wait_for(lambda: self.shown_name(server) == "second"), "".join(server.log))
            self.assertEqual(ask_before(), 200)

            self.certificate.write_text("no certificate")
            self.assertTrue(wait_for(lambda: b"could not be taken" in self.ask(server, "GET", "/readyz")[2]), "".join(server.log))
            self.assertEqual(self.ask(server, "GET", "/readyz")[0], 200)
            self.assertEqual(self.shown_name(server), "second")
            self.assertTrue(any("are not taken" in line for line in server.log))
            metrics = self.ask(server, "GET", "/metrics")[2].decode()
            self.assertRegex(metrics, r'dendro_tls_reload_failures_total\{listener="127\.0\.0\.1:0"\} [1-9]')

            self.authority.sign("server", "third", "DNS:localhost,IP:127.0.0.1", "serverAuth")
            self.assertTrue(wait_for(lambda: self.shown_name(server) == "third"), "".join(server.log))
            self.assertNotIn(b"could not be taken", self.ask(server, "GET", "/readyz")[2])
            self.assertEqual(ask_before(), 200)
            before.close()

    def test_redirection(self):
        listen = ("127.0.0.1:0", "127.0.0.1:0=redirect")
        with Server(*self.tls, "--allowed-host", "logs.example.org", listen=listen) as server:
            port = server.addresses[0].rsplit(":", 1)[1]
            status, headers, _ = server.request("GET", "/search?q=1", headers={"Host": "logs.example.org"}, index=1)
            self.assertEqual((status, headers["location"]), (308, f"https://logs.example.org:{port}/search?q=1"))
            self.assertEqual(server.request("GET", "/search", headers={"Host": "evil.example"}, index=1)[0], 421)
            self.assertEqual(server.request("GET", "/healthz", headers={"Host": "evil.example"}, index=1)[0], 200)
            self.assertEqual(server.request("GET", "/metrics", headers={"Host": "evil.example"}, index=1)[0], 421)

    def test_client_certificates(self):
        clients = Authority(self.folder, "clients")
        agent = clients.sign("agent", "agent", "URI:spiffe://example.org/agent/7", "clientAuth")
        other = clients.sign("other", "other", "DNS:other.example.org", "clientAuth")
        stranger = self.authority.sign("stranger", "agent", "URI:spiffe://example.org/agent/7", "clientAuth")
        crl = clients.revocations("clients.crl")
        config = self.folder / "dendro.toml"
        config.write_text(f'''
[server.tls]
certificate = "{self.certificate}"
key = "{self.key}"
client_ca = "{clients.pem}"
client_crl = "{crl}"
[[auth.certificates]]
name = "URI:spiffe://example.org/agent/*"
tenants = ["shop"]
scopes = ["ingest"]
''')
        data = self.folder / "data"
        code, key, err = run("admin", "key", "create", "--data", data, "--name", "other", "--tenant", "bank", "--scope", "search",
                             "--certificate", "DNS:other.example.org")
        self.assertEqual(code, 0, err)
        with Server("--config", config, data=data) as server:
            record = json.dumps({"body": "by certificate"}).encode()
            self.assertEqual(self.ask(server, "POST", "/api/v1/ingest", record)[0], 401, "client_ca turns authentication on")
            self.assertEqual(self.ask(server, "POST", "/api/v1/ingest", record, client=agent)[0], 200)
            self.assertEqual(self.ask(server, "GET", "/api/v1/query?query=*", client=agent)[0], 403, "may write only")
            self.assertEqual(self.ask(server, "POST", "/api/v1/ingest", record, {"X-Tenant-ID": "bank"}, client=agent)[0], 403)
            self.assertEqual(self.ask(server, "GET", "/api/v1/query?query=*", client=other)[0], 200)
            self.assertEqual(self.ask(server, "GET", "/api/v1/query?query=*", headers={"X-Tenant-ID": "shop"}, client=other)[0], 403)
            bearer = {"Authorization": f"Bearer {key.strip()}"}
            self.assertEqual(self.ask(server, "POST", "/api/v1/ingest", record, bearer, client=agent)[0], 403, "the key alone counts")
            with self.assertRaises((ssl.SSLError, OSError)):
                self.ask(server, "GET", "/healthz", client=stranger)
            clients.revocations("clients.crl", agent[0])

            def is_refused():
                try:
                    self.ask(server, "POST", "/api/v1/ingest", record, client=agent)
                except (ssl.SSLError, OSError):
                    return True
                return False
            self.assertTrue(wait_for(is_refused), "".join(server.log))
            self.assertEqual(self.ask(server, "GET", "/api/v1/query?query=*", client=other)[0], 200)

    def test_credentials_over_plain_http(self):
        data = self.folder / "data"
        code, key, err = run("admin", "key", "create", "--data", data, "--name", "k", "--tenant", "shop", "--scope", "search")
        self.assertEqual(code, 0, err)
        bearer = {"Authorization": f"Bearer {key.strip()}"}
        listen = ("0.0.0.0:0", "0.0.0.0:0+plain")
        with Server(*self.tls, listen=listen, data=data) as server:
            port = int(server.addresses[1].rsplit(":", 1)[1])

            def ask_plain(headers):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                connection.request("GET", "/api/v1/query?query=*", headers=headers)
                reply = connection.getresponse()
                body = reply.read()
                connection.close()
                return reply.status, body
            self.assertEqual(self.ask(server, "GET", "/api/v1/query?query=*", headers=bearer)[0], 200)
            status, body = ask_plain(bearer)
            self.assertEqual(status, 403)
            self.assertIn(b"plain HTTP", body)
            self.assertEqual(ask_plain({**bearer, "X-Forwarded-Proto": "https"})[0], 403, "nobody trusts this proxy")
        with Server(*self.tls, "--trusted-proxy", "127.0.0.0/8", listen=listen, data=data) as server:
            port = int(server.addresses[1].rsplit(":", 1)[1])
            self.assertEqual(ask_plain({**bearer, "X-Forwarded-Proto": "https"})[0], 200)
            self.assertEqual(ask_plain(bearer)[0], 403)
            self.assertEqual(self.ask(server, "GET", "/api/v1/query?query=*", headers={**bearer, "X-Forwarded-Proto": "http"})[0], 403,
                             "it was readable in front of the proxy")

    def test_faults_of_the_configuration(self):
        (self.folder / "other.key").write_bytes(self.authority.sign("other", "other", "DNS:x", "serverAuth")[1].read_bytes())
        cases = [
            (["--tls-certificate", self.certificate], "there are 0 for 1"),
            (["--tls-certificate", self.certificate, "--tls-key", self.folder / "other.key"], "key values mismatch"),
            (["--tls-certificate", self.folder / "absent.pem", "--tls-key", self.key], "absent.pem"),
            (["--listen", "127.0.0.1:0+tls"], "certificate"),
            (["--listen", "127.0.0.1:0=redirect"], "nowhere to lead to"),
            ([*self.tls, "--listen", "127.0.0.1:0=redirect+tls"], "redirect"),
        ]
        for args, named in cases:
            with self.subTest(named=named):
                code, _, err = run("serve", "--data", self.folder / "none", *args, timeout=30)
                self.assertEqual(code, 2, err)
                self.assertIn(named, err)
        for variables, named in [({"DENDRO_CORS_ORIGINS": "*"}, "every page"), ({"DENDRO_CORS_ORIGINS": "app.example.org"}, "no origin"),
                                 ({"DENDRO_TLS_MIN_VERSION": "1.1"}, "1.2 or 1.3"), ({"DENDRO_SECRET_KEY": "fiel:/run/key"}, "literal:"),
                                 ({"DENDRO_SECRET_KEY": "ssm:/key"}, "not built")]:
            with self.subTest(named=named):
                code, _, err = run("serve", "--data", self.folder / "none", env=variables, timeout=30)
                self.assertEqual(code, 2, err)
                self.assertIn(named, err)

    def test_planted_secrets_stay_where_they_are(self):
        secret_file = self.folder / "secret"
        secret_file.write_text(SECRET + "\n")
        secret_file.chmod(0o640)
        env = {"DENDRO_SECRET_KEY": f"file:{secret_file}", "DENDRO_ORIGIN_VERIFY": "env:PLACE", "PLACE": VERIFY, "DENDRO_LOG_LEVEL": "debug"}
        data = self.folder / "data"
        config = self.folder / "dendro.toml"
        (self.folder / "hook").write_text("planted-hook-4713")
        config.write_text(f'[[receivers]]\nname = "hook"\nkind = "webhook"\nurl = "http://127.0.0.1:1/x"\nsecret_file = "{self.folder}/hook"\n')
        code, token, err = run("token", "create", "--data", data, "--tenant", "shop", "--role", "admin", env=env)
        self.assertEqual(code, 0, err)
        code, key, err = run("admin", "key", "create", "--data", data, "--name", "k", "--tenant", "shop", "--scope", "search")
        self.assertEqual(code, 0, err)
        token, key = token.strip(), key.strip()
        private = [line for line in self.key.read_text().splitlines() if "-----" not in line and len(line) > 20]
        planted = [SECRET, VERIFY, token, key, "planted-hook-4713", "planted-bad-4714", *private]
        verify = {"X-Origin-Verify": VERIFY}
        answers = b""
        with Server(*self.tls, "--config", config, listen=("127.0.0.1:0",), data=data, env=env) as server:
            for credential in (token, key, "planted-bad-4714", token[:-4] + "AAAA", key[:-4] + "AAAA"):
                for path in ("/api/v1/query?query=*", "/api/v1/query?query=((", "/api/v1/keys", "/metrics", "/readyz", "/openapi.json", "/version",
                             "/api/v1/config", "/api/v1/tenants", "/nowhere"):
                    for headers in ({"Authorization": f"Bearer {credential}"}, {"Authorization": f"Basic {credential}"}, {"DD-API-KEY": credential}):
                        status, fields, body = self.ask(server, "GET", path, headers={**headers, **verify})
                        answers += body + repr(fields).encode()
            self.assertEqual(self.ask(server, "GET", "/api/v1/query?query=*", headers={"X-Origin-Verify": VERIFY + "x"})[0], 403)
            self.assertEqual(self.ask(server, "GET", "/api/v1/query?query=*", headers={"Authorization": f"Bearer {token}", **verify})[0], 200,
                             "the secret was read from its file")
            command_line = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
            self.certificate.write_text("broken")
            self.key.write_text("broken-" + private[0])
            wait_for(lambda: any("are not taken" in line for line in server.log))
        log = "".join(server.log)
        self.assertIn("others than its owner may read the secret", log)
        self.assertIn("are not taken", log)
        for secret in planted:
            self.assertNotIn(secret, log)
            self.assertNotIn(secret.encode(), answers)
            self.assertNotIn(secret.encode(), command_line)
        for name in ("SECRET", "origin_verify"):
            flags = run("serve", "--help")[1]
            self.assertNotIn("--secret", flags, name)

    def test_the_token_of_a_command(self):
        data = self.folder / "data"
        code, key, err = run("admin", "key", "create", "--data", data, "--name", "k", "--tenant", "shop", "--scope", "search")
        self.assertEqual(code, 0, err)
        key = key.strip()
        place = self.folder / "key"
        place.write_text(key + "\n")
        place.chmod(0o600)
        with Server(data=data) as server:
            ask = ("query", "--server", server.url, "*")
            self.assertEqual(run(*ask)[0], 1)
            code, _, err = run(*ask, "--token", f"file:{place}")
            self.assertEqual((code, err), (0, ""))
            code, _, err = run(*ask, env={"DENDRO_API_KEY": f"file:{place}"})
            self.assertEqual((code, err), (0, ""))
            self.assertEqual(run(*ask, "--token", "env:MY_KEY", env={"MY_KEY": key})[0], 0)
            code, _, err = run(*ask, "--token", key)
            self.assertEqual(code, 0)
            self.assertIn("list of processes", err)
            self.assertNotIn(key, err)
            code, _, err = run(*ask, "--token", "file:/nowhere/at/all")
            self.assertEqual(code, 2)
            self.assertIn("/nowhere/at/all", err)


if __name__ == "__main__":
    unittest.main()
