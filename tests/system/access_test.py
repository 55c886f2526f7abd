"""Who may do what, on the real binary: every route x role x tenant, revocation, and every documented way into another tenant."""
import base64
import json
import re
import socket
import unittest
from urllib.parse import quote, urlencode

from dendro_process import Server, run
from web_socket_client import WebSocketClient

SECRET = "a secret of the tests that is long enough"
ENV = {"SECRET_KEY": SECRET}
# five-systems.md 4.1, written down a second time.
ROLES = {
    "reader": {"search", "export", "stats", "stream"},
    "writer": {"ingest", "delete_old", "search", "export", "stats"},
    "auditor": {"search", "export", "stats", "stream", "audit_trail"},
    "admin": {"ingest", "search", "export", "stats", "stream", "audit_trail", "delete_old", "keys", "users", "index", "alerts", "unmask", "admin"},
}
SOCKET = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


def bearer(token, tenant=None, **more):
    headers = {"Authorization": f"Bearer {token}", **more}
    if tenant:
        headers["X-Tenant-ID"] = tenant
    return headers


class Access(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(listen=("127.0.0.1:0", "127.0.0.1:0=audit"), env=ENV)
        cls.tokens = {(role, tenant): cls.token(tenant, role) for tenant in ("acme", "bank", "*") for role in ROLES}
        for tenant in ("acme", "bank"):
            status, _, reply = cls.server.request("POST", "/api/v1/ingest", json.dumps({"msg": f"secret of {tenant}", "service": tenant}),
                                                  bearer(cls.tokens["writer", tenant]))
            assert status == 200, reply

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None)

    @classmethod
    def token(cls, tenant, role, *more):
        code, out, err = run("token", "create", "--data", cls.server.data, "--tenant", tenant, "--role", role, *more, env=ENV)
        assert code == 0, err
        assert out.count("\n") == 1 and out.count(".") == 2, out
        return out.strip()

    def ask(self, method, path, headers, body=None, index=0):
        return self.server.request(method, path, body, headers, index=index)

    def routes(self, index):
        status, _, text = self.server.request("GET", "/openapi.json" if index == 0 else "/api/v1/openapi.json", index=index)
        self.assertEqual(status, 200)
        for path, methods in json.loads(text)["paths"].items():
            for method, row in methods.items():
                yield method.upper(), path, row["x-dendro-permission"], row["x-dendro-tenant"]

    def test_every_route_asks_for_its_right(self):
        seen = set()
        for index in (0, 1):
            for method, path, permission, rule in self.routes(index):
                url = re.sub(r"\{\w+\}", "0" * 24, path)
                if permission == "open":
                    continue
                seen.add(permission)
                name = f"{method} {path}"
                self.assertEqual(self.ask(method, url, {}, index=index)[0], 401, name)
                self.assertEqual(self.ask(method, url, bearer("garbage"), index=index)[0], 401, name)
                for (role, tenant), token in self.tokens.items():
                    headers = bearer(token, tenant="acme")
                    if rule == "every" and tenant == "*" and role == "admin":
                        continue  # would be carried out: compact, backup
                    allowed = permission in ROLES[role] or (permission == "tenants" and role == "admin" and tenant == "*")
                    if rule == "every":
                        allowed = False
                    if rule not in ("none", "every") and tenant == "bank":
                        allowed = False  # the header names a tenant that the token does not hold
                    status = self.ask(method, url, headers, body="{}" if method in ("POST", "PUT", "PATCH") else None, index=index)[0]
                    place = f"{name} as {role} of {tenant}: {status}"
                    if allowed:
                        self.assertNotIn(status, (401, 500), place)
                        if permission not in ("tenants", "keys", "users"):  # whose handlers have rules of their own
                            self.assertNotEqual(status, 403, place)
                    else:
                        self.assertEqual(status, 403, place)
        self.assertLessEqual({"search", "ingest", "export", "stream", "stats", "admin", "alerts", "tenants", "keys", "users"}, seen)

    def test_roles_that_would_do_are_named(self):
        status, _, body = self.ask("POST", "/api/v1/ingest", bearer(self.tokens["reader", "acme"]), "{}")
        self.assertEqual(status, 403)
        problem = json.loads(body)
        self.assertEqual(problem["detail"], "Insufficient permissions. Required roles: admin, writer")
        self.assertEqual(problem["required_role"], "admin, writer")

    def query(self, headers, query="*", **params):
        status, _, body = self.ask("GET", "/api/v1/query?" + urlencode({"query": query, **params}), headers)
        return status, body.decode()

    def test_no_way_leads_into_another_tenant(self):
        acme, bank = self.tokens["admin", "acme"], self.tokens["admin", "bank"]
        # Admins see the trail of uses too, where callers wrote the other tenant's name themselves: readers are asked.
        acme_reader, bank_reader = self.tokens["reader", "acme"], self.tokens["reader", "bank"]
        status, body = self.query(bearer(acme_reader))
        self.assertEqual(status, 200)
        self.assertIn("secret of acme", body)
        self.assertNotIn("bank", body)
        record = json.loads(next(line for line in body.splitlines() if "secret of acme" in line))["_id"]
        cursor = json.loads(self.query(bearer(acme_reader), limit=1)[1].splitlines()[-1])["_status"].get("next_cursor")

        with self.subTest("header and parameter"):
            self.assertEqual(self.query(bearer(acme, "bank"))[0], 403)
            self.assertEqual(self.query(bearer(acme), tenant="bank")[0], 403)
            self.assertEqual(self.query(bearer(acme, "acme"), tenant="bank")[0], 400)
            status, text = self.query(bearer(acme, "nobody"))
            self.assertEqual(status, 403)
            self.assertEqual(json.loads(text)["detail"].replace("nobody", "bank"),
                             json.loads(self.query(bearer(acme, "bank"))[1])["detail"], "one text, whether it exists or not")
        with self.subTest("a foreign id looks like an unknown one"):
            for path in (f"/api/v1/records/{record}", f"/api/v1/records/{record}/context"):
                own, foreign = (self.ask("GET", path, bearer(token)) for token in (acme, bank))
                unknown = self.ask("GET", path.replace(record, record[:-1] + ("0" if record[-1] != "0" else "1")), bearer(bank))
                self.assertEqual(own[0], 200)
                self.assertEqual(foreign[0], 404)
                self.assertEqual(unknown[0], 404)
        with self.subTest("cursor"):
            if cursor:
                self.assertNotIn("acme", self.query(bearer(bank_reader), cursor=cursor)[1])
        with self.subTest("saved queries"):
            status, _, made = self.ask("POST", "/api/v1/saved", bearer(acme), json.dumps({"name": "mine", "query": "secret"}))
            self.assertEqual(status, 201)
            saved = json.loads(made)["id"]
            self.assertEqual(self.ask("GET", f"/api/v1/saved/{saved}", bearer(bank))[0], 404)
            self.assertEqual(self.ask("DELETE", f"/api/v1/saved/{saved}", bearer(bank))[0], 404)
            self.assertEqual(json.loads(self.ask("GET", "/api/v1/saved", bearer(bank))[2])["items"], [])
            self.assertEqual(self.query(bearer(bank), "$mine")[0], 400)
        with self.subTest("export"):
            status, _, body = self.ask("GET", "/api/v1/export?" + urlencode({"query": "*", "format": "ndjson"}), bearer(bank_reader))
            self.assertEqual(status, 200)
            self.assertNotIn(b"acme", body)
        with self.subTest("statistics and completion"):
            for path, body in (("/api/v1/facets", {"query": "*"}), ("/api/v1/histogram", {"query": "*"}), ("/api/v1/patterns", {"query": "*"}),
                               ("/api/v1/complete", {"query": "service:a", "offset": 9})):
                status, _, reply = self.ask("POST", path, bearer(bank_reader), json.dumps(body))
                self.assertEqual(status, 200, path)
                self.assertNotIn(b"acme", reply, path)
        with self.subTest("alerts"):
            status, _, reply = self.ask("GET", "/api/v1/alerts", bearer(bank))
            self.assertEqual(status, 200)
            self.assertNotIn(b"acme", reply)
        with self.subTest("idempotency key"):
            for token in (acme, bank):
                status, headers, _ = self.ask("POST", "/api/v1/ingest", bearer(token, **{"Idempotency-Key": "same"}), '{"msg":"x"}')
                self.assertEqual(status, 200)
                self.assertNotIn("idempotency-replayed", headers)
        with self.subTest("deletion"):
            status, _, body = self.ask("POST", "/api/v1/admin/delete", bearer(bank), json.dumps({"query": "secret of acme"}))
            self.assertIn(status, (200, 202), body)
            self.assertIn("secret of acme", self.query(bearer(acme_reader), '"secret of acme"')[1])
        with self.subTest("tenants"):
            self.assertEqual(self.ask("GET", "/api/v1/tenants/acme", bearer(bank))[0], 404)
            self.assertNotIn(b"acme", self.ask("GET", "/api/v1/tenants", bearer(bank))[2])

    def same_as_unknown(self, method, path, id, unknown, token, body=None):
        """A foreign id is answered as one that there is not: status, headers and text."""
        body = json.dumps(body) if body is not None else None
        foreign, none = (self.ask(method, path.replace("ID", one), bearer(token, "bank", **{"X-Request-ID": "r"}), body) for one in (id, unknown))
        self.assertEqual(foreign[0], 404, (method, path, foreign[2]))
        self.assertEqual(foreign[0], none[0])
        self.assertEqual(set(foreign[1]), set(none[1]))
        self.assertEqual(foreign[2].replace(id.encode(), b"ID"), none[2].replace(unknown.encode(), b"ID"))

    def test_what_is_anothers_is_as_if_it_were_not(self):
        acme, bank = self.tokens["admin", "acme"], self.tokens["admin", "bank"]

        def make(path, body, tenant="acme", token=acme, **more):
            status, _, reply = self.ask("POST", path, bearer(token, tenant, **more), json.dumps(body))
            self.assertIn(status, (200, 201, 202), reply)
            return json.loads(reply)

        log = {"action": "READ", "resource_type": "vault", "resource_id": "v1", "message": "acme opened it"}
        make("/api/v1/logs", log)
        audit_id = json.loads(self.ask("GET", "/api/v1/logs", bearer(acme, "acme"))[2])["data"][0]["id"]
        saved = make("/api/v1/saved", {"name": "vault", "query": "vault"})["id"]
        key = make("/api/v1/keys", {"name": "acme's", "scopes": ["ingest"]})["id"]
        token = make("/api/v1/tokens", {"roles": ["reader"], "subject": "acme's"})["jti"]
        user = make("/api/v1/users", {"email": "vault@acme.example", "password": "correct horse battery", "grants": [{"tenant": "acme", "roles": ["reader"]}]})["id"]
        with self.subTest("ids"):
            for method, path, id, unknown, body in (
                    ("GET", "/api/v1/logs/ID", audit_id, "0" * 24, None), ("GET", "/api/v1/saved/ID", saved, "0" * 16, None),
                    ("PUT", "/api/v1/saved/ID", saved, "0" * 16, {"name": "x", "query": "y"}), ("DELETE", "/api/v1/saved/ID", saved, "0" * 16, None),
                    ("DELETE", "/api/v1/keys/ID", key, "0" * 12, None), ("DELETE", "/api/v1/tokens/ID", token, "0" * 36, None),
                    ("PATCH", "/api/v1/users/ID", user, "0" * 16, {"disabled": True}), ("DELETE", "/api/v1/users/ID", user, "0" * 16, None),
                    ("GET", "/api/v1/tenants/ID", "acme", "nobody", None), ("PUT", "/api/v1/tenants/ID", "acme", "nobody", {"name": "x"})):
                self.same_as_unknown(method, path, id, unknown, bank, body)
        with self.subTest("lists"):
            for path in ("/api/v1/logs", "/api/v1/logs/export?format=csv", "/api/v1/logs/stats", "/api/v1/saved", "/api/v1/keys", "/api/v1/tokens", "/api/v1/users", "/api/v1/tenants",
                         "/api/v1/alerts", "/api/v1/silences", "/api/v1/query?query=*", "/api/v1/export?query=*&format=csv", "/recent", "/api/v1/tokens?tenant=acme", "/api/v1/users?tenant=acme"):
                # An administrator's searches show the trail, too: there stands whatever he typed himself.
                token = self.tokens["reader", "bank"] if "query=" in path else bank
                status, _, body = self.ask("GET", path, bearer(token, "bank" if "tenant=" not in path else None))
                self.assertEqual(status, 200, path)
                for word in (b"acme", b"vault"):
                    self.assertNotIn(word, body, path)
        with self.subTest("stream"):
            text, code = self.socket_reply(bearer(bank, "bank"), f"/api/v1/logs/stream?after={audit_id}")
            self.assertEqual(code, 1008)
            self.assertEqual(self.socket_reply(bearer(bank, "bank"), "/api/v1/logs/stream?after=" + "0" * 24), (text, code))
        with self.subTest("names and retry keys are each tenant's own"):
            make("/api/v1/saved", {"name": "vault", "query": "mine"}, "bank", bank)
            for path, one, other in (("/api/v1/logs", log, {**log, "message": "bank's"}), ("/", {"severity": "info", "message": "a"}, {"severity": "info", "message": "b"}),
                                     ("/api/v1/ingest", {"msg": "a"}, {"msg": "b"})):
                make(path, one, **{"Idempotency-Key": "one key"})
                status, headers, reply = self.ask("POST", path, bearer(bank, "bank", **{"Idempotency-Key": "one key"}), json.dumps(other))
                self.assertIn(status, (200, 201, 202), (path, reply))
                self.assertNotIn("idempotency-replayed", headers, path)
                self.assertEqual(self.ask("POST", path, bearer(acme, "acme", **{"Idempotency-Key": "one key"}), json.dumps(other))[0], 409, "its own is known")
        with self.subTest("error texts"):
            for query in ("$vault2", "vault2:in(", "* | lookup acme on a"):
                body = self.ask("GET", "/api/v1/query?" + urlencode({"query": query}), bearer(bank, "bank"))[2]
                self.assertNotIn(b"vault@", body)
                self.assertNotIn(b"opened", body)
        with self.subTest("short links give no more rights than their opener has"):
            link = make("/api/v1/short", {"path": "/api/v1/query?query=vault"})["url"]
            status, headers, _ = self.ask("GET", link, bearer(bank))
            self.assertEqual((status, headers["location"]), (302, "/api/v1/query?query=vault"))
            self.assertNotIn(b"opened", self.ask("GET", headers["location"], bearer(bank, "bank"))[2])
            self.assertEqual(self.ask("GET", headers["location"], {})[0], 401)
        with self.subTest("a wide key shows each tenant its own part"):
            root = self.tokens["admin", "*"]
            wide = make("/api/v1/keys", {"name": "wide", "scopes": ["ingest"], "tenants": ["acme", "bank"]}, "acme", root)["id"]
            row, = [one for one in json.loads(self.ask("GET", "/api/v1/keys", bearer(bank))[2])["items"] if one["id"] == wide]
            self.assertEqual(row["tenants"], ["bank"])

    def socket_reply(self, headers, path="/api/v1/tail"):
        """What a refused tail says: the end frame and the close code."""
        host, port = self.server.addresses[0].rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            lines = {**SOCKET, "Host": "localhost", **headers}
            connection.sendall((f"GET {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n").encode())
            data = b""
            while b"\x88" not in data:
                more = connection.recv(65536)
                if not more:
                    break
                data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        self.assertIn(b" 101 ", head)
        close = rest.rindex(b"\x88")
        return rest[:close].decode(errors="replace"), int.from_bytes(rest[close + 2:close + 4], "big")

    def test_a_refused_tail_is_told_inside(self):
        for headers, reason in (({}, "signed_out"), (bearer("garbage"), "signed_out"), (bearer(self.tokens["reader", "acme"], "bank"), "forbidden"),
                                (bearer(self.tokens["writer", "acme"]), "forbidden")):
            text, code = self.socket_reply(headers)
            self.assertIn(f'"reason":"{reason}"', text)
            self.assertEqual(code, 1008)

    def test_revocation_holds_for_the_next_request_and_for_open_streams(self):
        token = self.token("acme", "reader", "--ttl", "5m")
        jti = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["jti"]
        self.assertEqual(self.query(bearer(token))[0], 200)
        connection = self.server.connect()
        connection.request("GET", "/api/v1/tail?query=*", headers=bearer(token, Accept="text/event-stream"))
        stream = connection.getresponse()
        self.assertEqual(stream.status, 200)
        self.assertIn(b"hello", stream.readline() + stream.readline() + stream.readline())
        code, _, err = run("token", "revoke", jti, "--data", self.server.data, env=ENV)
        self.assertEqual(code, 0, err)
        status, body = self.query(bearer(token))
        self.assertEqual((status, json.loads(body)["detail"]), (401, "Token has been revoked"))
        try:
            while stream.readline():
                pass  # up to the end that revocation makes; the connection's timeout fails the test
        except (ConnectionError, OSError) as error:
            self.assertNotIsInstance(error, TimeoutError)
        connection.close()

    AUDIT_CALLS = [("POST", "/logs"), ("POST", "/logs/bulk"), ("GET", "/logs"), ("GET", "/logs/" + "0" * 24), ("GET", "/logs/export"), ("GET", "/logs/stats"), ("GET", "/stats/count"),
                   ("GET", "/stats/by-severity"), ("GET", "/stats/by-action"), ("GET", "/stats/daily"), ("DELETE", "/logs?days=1"), ("DELETE", "/logs/cleanup?days=1"),
                   ("POST", "/logs/index/bulk"), ("GET", "/audit-trail")]

    def audit_call(self, method, path, headers):
        log = {"action": "READ", "resource_type": "t", "resource_id": "i", "message": "by another"}
        body = json.dumps({"logs": [log]} if "bulk" in path else log) if method == "POST" else None
        return self.ask(method, "/api/v1" + path, headers, body, index=1)

    def test_audit_logs_of_another_tenant_are_out_of_reach(self):  # item 17
        acme = self.tokens["admin", "acme"]
        for _ in range(3):
            self.assertEqual(self.audit_call("POST", "/logs", bearer(self.tokens["writer", "bank"], "bank"))[0], 202)
        before = self.audit_call("GET", "/logs", bearer(self.tokens["reader", "bank"], "bank"))[2]
        for method, path in self.AUDIT_CALLS:
            status, _, body = self.audit_call(method, path, bearer(acme, "bank"))
            self.assertEqual((status, json.loads(body)), (403, {"detail": "Token does not have access to tenant bank"}), (method, path))
            self.assertEqual(self.audit_call(method, path, bearer(acme))[0], 422, "no tenant is named")
        self.assertEqual(self.socket_reply(bearer(acme, "bank"), "/api/v1/logs/stream")[1], 1008)
        self.assertEqual(self.socket_reply(bearer(acme), "/api/v1/logs/stream?tenant=bank")[1], 1008)
        self.assertEqual(self.audit_call("GET", "/logs", bearer(self.tokens["reader", "bank"], "bank"))[2], before, "unchanged")

    def test_audit_logs_want_a_good_token(self):  # item 18
        claims = {"jti": "x", "sub": "x", "tenant_ids": ["acme"], "roles": ["admin"], "exp": 4e9}
        none = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, claims)) + "."
        revoked = self.token("acme", "admin")
        brief = self.token("acme", "admin", "--ttl", "1s")
        jti = json.loads(base64.urlsafe_b64decode(revoked.split(".")[1] + "=="))["jti"]
        follower = WebSocketClient(self.server, "/api/v1/logs/stream", "".join(f"{name}: {value}\r\n" for name, value in bearer(revoked, "acme").items()))
        self.addCleanup(follower.close)
        self.assertIn("connection_established", follower.receive())
        self.assertEqual(self.ask("DELETE", f"/api/v1/tokens/{jti}", bearer(self.tokens["admin", "acme"]))[0], 204)
        self.assertEqual(follower.receive(), ("close", 1008), "revocation ends what is open")
        while self.audit_call("GET", "/stats/count", bearer(brief, "acme"))[0] != 401:
            pass  # it lasts a second
        for headers, text in (({"X-Tenant-ID": "acme"}, "Not authenticated"), (bearer("garbage", "acme"), "Could not validate credentials"), (bearer(none, "acme"), "Could not validate credentials"),
                              (bearer(brief, "acme"), "Token has expired"), (bearer(revoked, "acme"), "Token has been revoked")):
            for method, path in self.AUDIT_CALLS:
                status, reply, body = self.audit_call(method, path, headers)
                self.assertEqual((status, reply["www-authenticate"], json.loads(body)), (401, "Bearer", {"detail": text}), (method, path))
            self.assertEqual(self.socket_reply(headers, "/api/v1/logs/stream")[1], 1008)

    def test_tokens_that_are_not_ours(self):
        def forged(header, claims):
            return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims)) + "."

        good = self.tokens["admin", "acme"]
        claims = json.loads(base64.urlsafe_b64decode(good.split(".")[1] + "=="))
        for token in ("", "x", "a.b.c", forged({"alg": "none"}, claims), forged({"alg": "HS256"}, claims), good[:-2] + ("AA" if good[-2:] != "AA" else "BB")):
            status, headers, body = self.ask("GET", "/api/v1/query?query=*", bearer(token))
            self.assertEqual(status, 401, token)
            self.assertEqual(headers["www-authenticate"], "Bearer")
        self.assertNotIn(SECRET, "".join(self.server.log))
        self.assertNotIn(good, "".join(self.server.log))

    def test_api_keys_over_http(self):
        admin = self.tokens["admin", "acme"]
        status, _, body = self.ask("POST", "/api/v1/keys", bearer(admin), json.dumps({"name": "shipper", "scopes": ["ingest"]}))
        self.assertEqual(status, 201, body)
        made = json.loads(body)
        secret = made["secret"]
        self.assertNotIn(secret, self.ask("GET", "/api/v1/keys", bearer(admin))[2].decode())
        basic = base64.b64encode(f"anyone:{secret}".encode()).decode()
        elastic = base64.b64encode(f"{made['id']}:{secret}".encode()).decode()
        for headers in ({"Authorization": f"Bearer {secret}"}, {"Authorization": f"Basic {basic}"}, {"Authorization": f"ApiKey {elastic}"},
                        {"Authorization": f"Splunk {secret}"}, {"DD-API-KEY": secret}, {"X-Amz-Firehose-Access-Key": secret}):
            self.assertEqual(self.ask("POST", "/api/v1/ingest", headers, '{"msg":"by key"}')[0], 200, headers)
            self.assertEqual(self.ask("GET", "/api/v1/query?query=*", headers)[0], 403, headers)
        self.assertEqual(self.ask("DELETE", f"/api/v1/keys/{made['id']}", bearer(self.tokens["admin", "bank"]))[0], 404)
        self.assertEqual(self.ask("POST", "/api/v1/keys", bearer(admin), json.dumps({"name": "x", "scopes": ["search"], "tenants": ["bank"]}))[0], 403)
        self.assertEqual(self.ask("POST", "/api/v1/keys", bearer(admin), json.dumps({"name": "x", "scopes": ["admin"], "tenants": ["*"]}))[0], 403)
        self.assertEqual(self.ask("DELETE", f"/api/v1/keys/{made['id']}", bearer(admin))[0], 204)
        self.assertEqual(self.ask("POST", "/api/v1/ingest", {"DD-API-KEY": secret}, '{"msg":"late"}')[0], 401)

    def test_a_tenant_is_deleted_with_all_it_stored(self):
        root = self.tokens["admin", "*"]
        self.assertEqual(self.ask("POST", "/api/v1/tenants", bearer(root), json.dumps({"tenant_id": "gone", "name": "Gone"}))[0], 201)
        self.assertEqual(self.ask("POST", "/api/v1/ingest", bearer(root, "gone"), '{"msg":"of gone"}')[0], 200)
        self.assertIn("of gone", self.query(bearer(root, "gone"))[1])
        link = json.loads(self.ask("POST", "/api/v1/short", bearer(root, "gone"), '{"path":"/explore?q=of+gone"}')[2])["url"]
        self.assertEqual(self.ask("GET", link, {})[0], 302)
        self.assertEqual(self.ask("DELETE", "/api/v1/tenants/gone", bearer(root))[0], 204)
        self.assertEqual(self.ask("GET", link, {})[0], 404)
        self.assertEqual(self.query(bearer(root, "gone"))[0], 403)
        self.assertEqual(self.ask("POST", "/api/v1/tenants", bearer(root), json.dumps({"tenant_id": "gone", "name": "Again"}))[0], 201)
        self.assertNotIn("of gone", self.query(bearer(root, "gone"))[1])


class Restricted(unittest.TestCase):
    """A role that sees some rows and fields."""

    def test_rows_and_fields(self):
        with Server(env=ENV) as server:
            code, _, err = run("admin", "role", "put", "support", "--data", server.data, "--permission", "search", "--filter", "service:=shop",
                               "--hide", "card", "--mask", "email", env=ENV)
            self.assertEqual(code, 0, err)
            code, _, err = run("admin", "role", "put", "tailing", "--data", server.data, "--permission", "stream", "--filter", "service:=shop",
                               "--hide", "card", env=ENV)
            self.assertEqual(code, 0, err)
            tokens = {}
            for name in ("support", "tailing", "writer"):
                code, out, err = run("token", "create", "--data", server.data, "--tenant", "acme", "--role", name, env=ENV)
                self.assertEqual(code, 0, err)
                tokens[name] = out.strip()
            lines = [{"service": "shop", "msg": "bought", "card": "4111", "email": "a@b.ch"}, {"service": "pay", "msg": "paid", "card": "4222"}]
            status, _, _ = server.request("POST", "/api/v1/ingest", "\n".join(map(json.dumps, lines)), bearer(tokens["writer"]))
            self.assertEqual(status, 200)

            def rows(query):
                status, _, body = server.request("GET", "/api/v1/query?query=" + quote(query), headers=bearer(tokens["support"]))
                self.assertEqual(status, 200, body)
                return [row for row in map(json.loads, body.splitlines()) if "_meta" not in row and "_status" not in row and "_progress" not in row]

            seen = rows("*")
            self.assertEqual(len(seen), 1)
            self.assertEqual((seen[0]["body"], seen[0].get("card"), seen[0]["email"]), ("bought", None, "***"))
            for query in ("4111", "card:*", "paid", "card:=4111", "email:a@b.ch"):
                self.assertEqual(rows(query), [], query)
            stream = server.connect()
            stream.request("GET", "/api/v1/tail?query=*", headers=bearer(tokens["tailing"], Accept="text/event-stream"))
            reply = stream.getresponse()
            self.assertEqual(reply.status, 200)
            self.assertIn(b"hello", reply.readline() + reply.readline() + reply.readline())
            self.assertEqual(server.request("POST", "/api/v1/ingest", "\n".join(map(json.dumps, lines)), bearer(tokens["writer"]))[0], 200)
            text = b""
            while b"bought" not in text:
                text += reply.readline()
            self.assertNotIn(b"paid", text)
            self.assertNotIn(b"4111", text)
            stream.close()
            self.see_entries_and_audit_logs(server, tokens["writer"])

    def see_entries_and_audit_logs(self, server, writer):
        """S1 and S2 by a caller of some rows and fields."""
        def role(name, *words):
            code, _, err = run("admin", "role", "put", name, "--data", server.data, *words, env=ENV)
            self.assertEqual(code, 0, err)
            code, out, err = run("token", "create", "--data", server.data, "--tenant", "acme", "--role", name, env=ENV)
            self.assertEqual(code, 0, err)
            return bearer(out.strip(), "acme")

        rights = [word for right in ("search", "stats", "export", "stream") for word in ("--permission", right)]
        some = role("some", *rights, "--filter=-secret", "--hide", "metadata.card", "--mask", "ip_address")
        blind = role("blind", *rights, "--hide", "action", "--hide", "body")
        for message in ("plain one", "the secret", "plain two"):
            for path, body in (("/", {"severity": "info", "message": message}),
                               ("/api/v1/logs", {"action": "READ", "resource_type": "r", "resource_id": "i", "message": message, "ip_address": "192.0.2.1",
                                                 "metadata": {"card": "4111", "city": "Bern"}})):
                status, _, reply = server.request("POST", path, json.dumps(body), bearer(writer, "acme"))
                self.assertIn(status, (201, 202), reply)

        def ask(path, headers=some):
            status, _, body = server.request("GET", path, headers=headers)
            return status, body.decode()

        status, body = ask("/recent")
        self.assertEqual([entry["message"] for entry in json.loads(body)["logs"]], ["plain two", "plain one"])
        status, body = ask("/api/v1/logs")
        page = json.loads(body)
        self.assertEqual((status, [one["message"] for one in page["data"]], page["meta"]["pagination"]["total"]), (200, ["plain two", "plain one"], 2))
        self.assertEqual({(one["ip_address"], json.dumps(one["metadata"])) for one in page["data"]}, {("***", '{"city": "Bern"}')})
        for filters in ("search=secret", "search=4111", "ip_address=192.0.2.1"):
            self.assertEqual(json.loads(ask("/api/v1/logs?" + filters)[1])["data"], [], filters)
        self.assertEqual(json.loads(ask("/api/v1/stats/count")[1])["data"]["count"], 2)
        self.assertEqual(json.loads(ask("/api/v1/logs/stats")[1])["data"]["by_action"]["READ"], 2)
        status, body = ask("/api/v1/logs/export?format=ndjson")
        self.assertEqual((status, len(body.splitlines())), (200, 2))
        for word in ("secret", "4111", "192.0.2.1"):
            self.assertNotIn(word, body)
        hidden = next(one for one in json.loads(ask("/api/v1/logs", bearer(writer, "acme"))[1])["data"] if one["message"] == "the secret")
        self.assertEqual(ask("/api/v1/logs/" + hidden["id"])[0], 404)
        stream = WebSocketClient(server, "/api/v1/logs/stream?after=" + page["data"][1]["id"], "".join(f"{name}: {value}\r\n" for name, value in some.items()))
        self.addCleanup(stream.close)
        self.assertIn("connection_established", stream.receive())
        frame = stream.receive()
        self.assertEqual(json.loads(frame)["message"], "plain two", "what lies between is not seen")
        self.assertNotIn("4111", frame)
        for path in ("/recent", "/api/v1/logs", "/api/v1/logs/stats", "/api/v1/logs/export", "/api/v1/stats/count"):
            self.assertEqual(ask(path, blind)[0], 403, path)
        self.assertEqual(ask("/api/v1/audit-trail", some)[0], 403)


class Opening(unittest.TestCase):
    def test_the_first_credential_closes_an_open_server(self):
        with Server() as server:
            self.assertEqual(server.request("GET", "/api/v1/query?query=*")[0], 200)
            code, out, err = run("admin", "key", "create", "--data", server.data, "--tenant", "default", "--name", "first", "--scope", "admin")
            self.assertEqual(code, 0, err)
            self.assertEqual(server.request("GET", "/api/v1/query?query=*")[0], 401)
            self.assertEqual(server.request("GET", "/api/v1/query?query=*", headers=bearer(out.strip()))[0], 200)
            self.assertEqual(server.request("GET", "/healthz")[0], 200)

    def test_bad_secrets_do_not_start(self):
        for secret in ("short", "dev_secret_key_change_in_production"):
            code, out, err = run("serve", "--listen", "127.0.0.1:0", "--data", "/nonexistent/dendro", env={"SECRET_KEY": secret})
            self.assertEqual(code, 2, err)
            self.assertIn("SECRET_KEY", err)
            self.assertNotIn(secret, err.replace("dev_secret_key_change_in_production is", ""))


if __name__ == "__main__":
    unittest.main()
