"""Sign-in over HTTP on the real binary: local accounts, tokens, a real OpenID Connect provider; users, tokens and roles over HTTP."""
import base64
import json
import re
import shutil
import socket
import unittest
from urllib.parse import parse_qs, urlencode, urlsplit

from dendro_process import Server, run
from oidc_provider import Browser, Provider, packages

SECRET = "a secret of the tests that is long enough"
PASSWORD = "correct horse battery"
PAGE = {"X-Dendro-UI": "1", "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}


def bearer(token, **more):
    return {"Authorization": f"Bearer {token}", **more}


def cookie_of(headers):
    """Name and value of the session cookie that a reply sets."""
    return headers["set-cookie"].split(";")[0]


class Signed(unittest.TestCase):
    """A server with SECRET_KEY and an administrator of every tenant."""
    env = {}

    def setUp(self):
        self.server = Server(env={"SECRET_KEY": SECRET, "DENDRO_SIGN_INS_PER_MINUTE": "10000", **self.env})
        self.addCleanup(self.finish)
        self.make_user("root@example.org", "*", "admin")

    def finish(self):
        self.assertEqual(self.server.stop(), 0)
        log = "".join(self.server.log)
        shutil.rmtree(self.server.data, ignore_errors=True)
        self.assertNotIn(PASSWORD, log)
        self.assertNotIn(SECRET, log)

    def make_user(self, email, tenant, *roles):
        words = [word for role in roles for word in ("--role", role)]
        code, _, err = run("admin", "user", "create", "--email", email, "--tenant", tenant, *words, "--data", self.server.data,
                           input_bytes=PASSWORD.encode())
        self.assertEqual(code, 0, err)

    def token(self, tenant, role):
        code, out, err = run("token", "create", "--data", self.server.data, "--tenant", tenant, "--role", role, env={"SECRET_KEY": SECRET})
        self.assertEqual(code, 0, err)
        return out.strip()

    def ask(self, method, path, headers=None, body=None):
        status, reply, text = self.server.request(method, path, json.dumps(body) if body is not None else None, headers or {})
        return status, reply, json.loads(text) if text else None

    def sign_in(self, email, password=PASSWORD, **more):
        return self.ask("POST", "/api/v1/session", {**PAGE, **more}, {"method": "local", "email": email, "password": password})

    def session(self, email):
        status, headers, body = self.sign_in(email)
        self.assertEqual(status, 201, body)
        return {**PAGE, "Cookie": cookie_of(headers)}

    def status(self, headers, path="/api/v1/session"):
        return self.server.request("GET", path, None, headers)[0]


class Local(Signed):
    def test_config_says_how_to_sign_in(self):
        status, _, config = self.ask("GET", "/api/v1/config")
        self.assertEqual((status, config["mode"], config["sign_in"], config["providers"]), (200, "local", ["local", "token"], []))
        self.assertEqual(config["version"], self.ask("GET", "/version")[2]["version"])
        self.assertNotIn(SECRET, json.dumps(config))
        with Server() as open_server:
            self.assertEqual(json.loads(open_server.request("GET", "/api/v1/config")[2])["mode"], "open")
            session = json.loads(open_server.request("GET", "/api/v1/session")[2])
            self.assertEqual((session["user"], [t["id"] for t in session["tenants"]], session["instance_admin"]), (None, ["default"], True))

    def test_a_session_from_its_beginning_to_its_end(self):
        status, headers, body = self.sign_in("Root@Example.org")
        self.assertEqual(status, 201, body)
        self.assertRegex(headers["set-cookie"], r"^sid=[A-Za-z0-9_-]{43}; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax$")
        self.assertEqual(headers["cache-control"], "no-store")
        self.assertEqual((body["user"]["name"], body["instance_admin"], body["guest"]), ("root@example.org", True, {"used": 0, "limit": 0}))
        cookie = {"Cookie": cookie_of(headers)}
        status, _, session = self.ask("GET", "/api/v1/session", cookie)
        self.assertEqual((status, session), (200, body))
        self.assertEqual(session["tenants"][0]["id"], "default")
        self.assertEqual(self.status(cookie, "/api/v1/users"), 200)
        # Another sign-in of this browser ends the session that it had.
        status, headers, _ = self.sign_in("root@example.org", **cookie)
        self.assertEqual(status, 201)
        self.assertEqual(self.status(cookie), 401)
        cookie = {"Cookie": cookie_of(headers)}
        status, headers, _ = self.ask("DELETE", "/api/v1/session", {**PAGE, **cookie})
        self.assertEqual((status, headers["set-cookie"]), (204, "sid=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"))
        self.assertIn('"cookies"', headers["clear-site-data"])
        status, _, problem = self.ask("GET", "/api/v1/session", cookie)
        self.assertEqual((status, problem["code"]), (401, "signed_out"))
        self.assertEqual(self.ask("GET", "/api/v1/users", cookie)[2]["code"], "signed_out")
        self.assertEqual(self.ask("GET", "/api/v1/session")[2]["code"], "signed_out")
        self.assertEqual(self.ask("GET", "/api/v1/session", bearer("garbage"))[2]["code"], "unauthenticated")

    def test_tokens_and_keys_open_sessions_that_end_with_them(self):
        token = self.token("shop", "reader")
        status, headers, body = self.ask("POST", "/api/v1/session", PAGE, {"method": "token", "token": token})
        self.assertEqual(status, 201, body)
        self.assertEqual((body["tenants"][0]["id"], body["tenants"][0]["role"], body["instance_admin"]), ("shop", "reader", False))
        self.assertEqual(body["tenants"][0]["permissions"], ["search", "export", "stats", "stream"])
        cookie = {"Cookie": cookie_of(headers)}
        self.assertEqual(self.status(cookie, "/api/v1/query?query=*"), 200)
        jti = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["jti"]
        self.assertEqual(self.ask("DELETE", f"/api/v1/tokens/{jti}", self.session("root@example.org"))[0], 204)
        self.assertEqual(self.status(cookie), 401)
        for bad in ("garbage", token, "dk_000000000000_" + "0" * 32):
            status, _, problem = self.ask("POST", "/api/v1/session", PAGE, {"method": "token", "token": bad})
            self.assertEqual(status, 401, bad)
            self.assertNotIn(bad, json.dumps(problem))

    def test_bodies_that_are_none(self):
        for body in ([], {}, {"method": "local"}, {"method": "x"}, {"method": "firebase"}, {"method": "local", "email": 7}, {"user": "x"}):
            status, _, problem = self.ask("POST", "/api/v1/session", PAGE, body)
            self.assertIn(status, (400, 401), body)
        self.assertEqual(self.server.request("POST", "/api/v1/session", "{", PAGE)[0], 400)
        self.assertEqual(self.server.request("POST", "/api/v1/session", "x" * 20000, PAGE)[0], 413)

    def test_other_sites_cannot_sign_in_out_or_change(self):
        session = self.session("root@example.org")
        refused = [
            ("POST", "/api/v1/session", {**PAGE, "Sec-Fetch-Site": "cross-site"}), ("POST", "/api/v1/session", {**PAGE, "Origin": "https://evil.example"}),
            ("POST", "/api/v1/session", {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}),
            ("DELETE", "/api/v1/session", {**session, "X-Dendro-UI": "0"}), ("DELETE", "/api/v1/session", {"Cookie": session["Cookie"], "X-Dendro-UI": "1"}),
            ("POST", "/api/v1/users", {**session, "Sec-Fetch-Site": "same-site"}), ("POST", "/api/v1/users", {**session, "Content-Type": "text/plain"}),
            ("POST", "/api/v1/users", {"Cookie": session["Cookie"], "Content-Type": "application/json", "X-Dendro-UI": "1"}),
            ("POST", "/api/v1/users", {k: v for k, v in session.items() if k != "X-Dendro-UI"})]
        for method, path, headers in refused:
            status, _, problem = self.ask(method, path, headers, {"method": "local", "email": "root@example.org", "password": PASSWORD})
            self.assertEqual(status, 403, (method, path, headers))
        self.assertEqual(self.status(session), 200, "it goes on")
        # A program without a browser needs none of that.
        self.assertEqual(self.ask("POST", "/api/v1/session", {}, {"method": "local", "email": "root@example.org", "password": PASSWORD})[0], 201)

    def test_ends_with_its_user(self):
        root = self.session("root@example.org")
        status, _, tom = self.ask("POST", "/api/v1/users", root, {"email": "tom@example.org", "password": PASSWORD, "grants": [{"tenant": "shop", "roles": ["reader"]}]})
        self.assertEqual(status, 201, tom)
        path = f"/api/v1/users/{tom['id']}"
        for change in ({"disabled": True}, {"password": "another horse battery"}):
            session = self.session("tom@example.org")
            connection = self.server.connect()
            connection.request("GET", "/api/v1/tail?query=*", headers={"Cookie": session["Cookie"], "Accept": "text/event-stream"})
            stream = connection.getresponse()
            self.assertEqual(stream.status, 200)
            self.assertEqual(self.ask("PATCH", path, root, change)[0], 200)
            self.assertEqual(self.ask("GET", "/api/v1/session", session)[2]["code"], "signed_out")
            try:
                while stream.readline():
                    pass  # to the end that the change makes; the connection's timeout fails the test
            except OSError as error:
                self.assertNotIsInstance(error, TimeoutError)
            connection.close()
            if "disabled" in change:
                status, _, problem = self.sign_in("tom@example.org")
                self.assertEqual((status, "disabled" in problem["detail"]), (403, True), "the right password is told")
                self.assertEqual(self.sign_in("tom@example.org", "wrong horse battery")[2]["detail"], "Wrong e-mail address or password")
                self.assertEqual(self.ask("PATCH", path, root, {"disabled": False, "unlock": True})[0], 200)
        self.assertEqual(self.sign_in("tom@example.org")[0], 401)
        self.assertEqual(self.sign_in("tom@example.org", "another horse battery")[0], 201)


class LockOut(Signed):
    env = {"DENDRO_SIGN_IN_FAILURES_MAX": "3"}

    def test_nobody_learns_who_has_an_account(self):
        self.make_user("tom@example.org", "shop", "reader")
        answers = {}
        for email in ("tom@example.org", "nobody@example.org"):
            answers[email] = []
            for _ in range(4):
                status, headers, problem = self.sign_in(email, "wrong horse battery")
                text = re.sub(r"after \S+,", "after T,", problem["detail"])
                answers[email].append((status, problem["code"], problem["title"], text, headers.get("retry-after")))
        self.assertEqual(answers["tom@example.org"], answers["nobody@example.org"])
        self.assertEqual([row[0] for row in answers["tom@example.org"]], [401, 401, 429, 429])
        self.assertEqual(self.sign_in("tom@example.org")[0], 429, "the right one too")
        root = self.session("root@example.org")
        tom, = [user for user in self.ask("GET", "/api/v1/users", root)[2]["items"] if user["email"] == "tom@example.org"]
        self.assertEqual(tom["state"], "locked")
        self.assertEqual(self.ask("PATCH", f"/api/v1/users/{tom['id']}", root, {"unlock": True})[2]["state"], "active")
        self.assertEqual(self.sign_in("tom@example.org")[0], 201)


class Hasty(Signed):
    env = {"DENDRO_SIGN_INS_PER_MINUTE": "5", "DENDRO_TRUSTED_PROXIES": "127.0.0.1"}

    def test_an_address_is_bounded_whatever_account_it_tries(self):
        statuses = [self.sign_in(f"nobody{i}@example.org", "wrong horse battery", **{"X-Forwarded-For": "203.0.113.9"})[0] for i in range(7)]
        self.assertEqual(statuses, [401] * 5 + [429] * 2)
        status, headers, problem = self.sign_in("root@example.org", **{"X-Forwarded-For": "203.0.113.9"})
        self.assertEqual(status, 429)
        self.assertIn(int(headers["retry-after"]), range(1, 13))
        self.assertEqual(self.sign_in("root@example.org", **{"X-Forwarded-For": "198.51.100.1, 203.0.113.9"})[0], 429, "what the client wrote is not believed")
        self.assertEqual(self.sign_in("root@example.org", **{"X-Forwarded-For": "203.0.113.10"})[0], 201, "others go on")

    def test_by_tls_of_a_proxy_the_cookie_is_of_this_host_alone(self):
        status, headers, _ = self.sign_in("root@example.org", **{"X-Forwarded-Proto": "https"})
        self.assertEqual(status, 201)
        self.assertRegex(headers["set-cookie"], r"^__Host-sid=\S{43}; Path=/; Max-Age=43200; Secure; HttpOnly; SameSite=Lax$")
        name, value = cookie_of(headers).split("=")
        https = {"X-Forwarded-Proto": "https"}
        self.assertEqual(self.status({"Cookie": f"__Host-sid={value}", **https}), 200)
        self.assertEqual(self.status({"Cookie": f"sid={value}", **https}), 401, "anybody beside this host could have set it")


class Administration(Signed):
    def test_users_of_a_tenant_are_its_administrators_alone(self):
        root = self.session("root@example.org")

        def make(email, *grants):
            status, _, made = self.ask("POST", "/api/v1/users", root, {"email": email, "password": PASSWORD, "grants": [{"tenant": t, "roles": [r]} for t, r in grants]})
            self.assertEqual(status, 201, made)
            return made["id"]

        shop_admin, both, bank_only = make("a@shop.example", ("shop", "admin")), make("both@example.org", ("shop", "reader"), ("bank", "admin")), make("b@bank.example", ("bank", "reader"))
        admin = self.session("a@shop.example")
        status, _, listed = self.ask("GET", "/api/v1/users", admin)
        self.assertEqual(status, 200)
        self.assertEqual([(user["email"], user["grants"]) for user in listed["items"]],
                         [("a@shop.example", [{"tenant": "shop", "roles": ["admin"]}]), ("both@example.org", [{"tenant": "shop", "roles": ["reader"]}])])
        self.assertNotIn("bank", json.dumps(listed))
        root_id = next(user["id"] for user in self.ask("GET", "/api/v1/users", root)[2]["items"] if user["email"] == "root@example.org")
        for method, body in (("PATCH", {"disabled": True}), ("PATCH", {"grants": []}), ("DELETE", None)):
            foreign, unknown = (self.ask(method, f"/api/v1/users/{id}", admin, body) for id in (bank_only, "0" * 16))
            self.assertEqual((foreign[0], unknown[0]), (404, 404))
            self.assertEqual(foreign[2]["detail"].replace(bank_only, "X"), unknown[2]["detail"].replace("0" * 16, "X"))
            self.assertEqual(self.ask(method, f"/api/v1/users/{root_id}", admin, body)[0], 404)
        for body in ({"disabled": True}, {"password": "another horse battery"}, {"unlock": True}):
            self.assertEqual(self.ask("PATCH", f"/api/v1/users/{both}", admin, body)[0], 403, "the account is the bank's, too")
        self.assertEqual(self.ask("DELETE", f"/api/v1/users/{both}", admin)[0], 403)
        status, _, changed = self.ask("PATCH", f"/api/v1/users/{both}", admin, {"grants": [{"tenant": "shop", "roles": ["writer"]}]})
        self.assertEqual((status, changed["grants"]), (200, [{"tenant": "shop", "roles": ["writer"]}]))
        whole = {user["email"]: user["grants"] for user in self.ask("GET", "/api/v1/users", root)[2]["items"]}["both@example.org"]
        self.assertEqual(whole, [{"tenant": "shop", "roles": ["writer"]}, {"tenant": "bank", "roles": ["admin"]}], "what it has elsewhere stays")
        with self.subTest("the trail says who changed what, and no password"):
            trail = [entry for tenant in ("default", "shop") for entry in
                     self.ask("GET", "/api/v1/audit-trail?limit=1000", {**root, "X-Tenant-ID": tenant})[2]["data"]]
            self.assertLessEqual({"create_user", "change_user", "delete_user", "list_users"}, {entry["action"] for entry in trail})
            self.assertNotIn("horse", json.dumps(trail))
        with self.subTest("nobody grants what he does not hold"):
            for grants in ([{"tenant": "bank", "roles": ["reader"]}], [{"tenant": "*", "roles": ["reader"]}], [{"tenant": "shop", "roles": ["reader"]}, {"tenant": "bank", "roles": ["reader"]}]):
                self.assertEqual(self.ask("POST", "/api/v1/users", admin, {"email": "x@x.example", "password": PASSWORD, "grants": grants})[0], 403, grants)
                self.assertEqual(self.ask("PATCH", f"/api/v1/users/{shop_admin}", admin, {"grants": grants})[0], 403, grants)
            self.assertEqual(self.ask("PUT", "/api/v1/roles", admin, {"name": "x", "permissions": ["search"]})[0], 403)
            for tenants in (["bank"], ["*"], ["shop", "bank"]):
                self.assertEqual(self.ask("POST", "/api/v1/tokens", admin, {"roles": ["reader"], "tenants": tenants})[0], 403, tenants)

    def test_a_manager_of_accounts_makes_no_administrators(self):
        root = self.session("root@example.org")
        self.assertEqual(self.ask("PUT", "/api/v1/roles", root, {"name": "desk", "permissions": ["users", "search"]})[0], 200)
        self.make_user("desk@example.org", "shop", "desk")
        self.make_user("boss@example.org", "shop", "admin")
        desk = self.session("desk@example.org")
        ids = {user["email"]: user["id"] for user in self.ask("GET", "/api/v1/users", desk)[2]["items"]}
        self.assertEqual(set(ids), {"desk@example.org", "boss@example.org"})
        for role in ("admin", "reader"):
            self.assertEqual(self.ask("POST", "/api/v1/users", desk, {"email": "x@x.example", "password": PASSWORD, "grants": [{"tenant": "shop", "roles": [role]}]})[0], 403)
        for body in ({"password": "another horse battery"}, {"disabled": True}, {"grants": [{"tenant": "shop", "roles": ["desk"]}]}):
            self.assertEqual(self.ask("PATCH", f"/api/v1/users/{ids['boss@example.org']}", desk, body)[0], 403, body)
        self.assertEqual(self.ask("POST", "/api/v1/users", desk, {"email": "y@x.example", "password": PASSWORD, "grants": [{"tenant": "shop", "roles": ["desk"]}]})[0], 201)

    def test_the_last_administrator_stays(self):
        root = self.session("root@example.org")
        id, = [user["id"] for user in self.ask("GET", "/api/v1/users", root)[2]["items"]]
        for method, body in (("PATCH", {"disabled": True}), ("PATCH", {"grants": [{"tenant": "*", "roles": ["reader"]}]}), ("DELETE", None)):
            status, _, problem = self.ask(method, f"/api/v1/users/{id}", root, body)
            self.assertEqual(status, 403, problem)
            self.assertIn("last account", problem["detail"])
        self.make_user("second@example.org", "*", "admin")
        self.assertEqual(self.ask("DELETE", f"/api/v1/users/{id}", root)[0], 204)
        self.assertEqual(self.status(root), 401)

    def test_lists_go_page_by_page(self):
        root = self.session("root@example.org")
        for i in range(5):
            self.make_user(f"u{i}@example.org", "shop", "reader")
            self.token("shop" if i % 2 else "bank", "reader")
        for path, key, wanted in (("/api/v1/users", "email", 6), ("/api/v1/tokens", "jti", 5)):
            seen, cursor = [], None
            while True:
                status, _, page = self.ask("GET", path + "?" + urlencode({"limit": 2, **({"cursor": cursor} if cursor else {})}), root)
                self.assertEqual(status, 200, page)
                self.assertLessEqual(len(page["items"]), 2)
                seen += [item[key] for item in page["items"]]
                cursor = page.get("next_cursor")
                if cursor is None:
                    break
            self.assertEqual((len(seen), len(set(seen))), (wanted, wanted))
            self.assertEqual(self.ask("GET", path + "?limit=0", root)[0], 400)
        self.assertEqual(len(self.ask("GET", "/api/v1/tokens?tenant=shop", root)[2]["items"]), 2)
        self.assertEqual(len(self.ask("GET", "/api/v1/users?tenant=shop", root)[2]["items"]), 5)

    def test_tokens_over_http(self):
        shop = bearer(self.token("shop", "admin"))
        status, headers, made = self.ask("POST", "/api/v1/tokens", shop, {"roles": ["writer"], "subject": "ci", "ttl_seconds": 600})
        self.assertEqual((status, headers["cache-control"]), (201, "no-store"))
        self.assertEqual((made["tenant_ids"], made["roles"], made["subject"], made["state"]), (["shop"], ["writer"], "ci", "active"))
        self.assertEqual(self.server.request("POST", "/api/v1/ingest", '{"msg":"x"}', bearer(made["token"]))[0], 200)
        listed = self.ask("GET", "/api/v1/tokens", shop)[2]["items"]
        self.assertIn(made["jti"], [row["jti"] for row in listed])
        self.assertNotIn(made["token"], json.dumps(listed))
        bank = bearer(self.token("bank", "admin"))
        self.assertNotIn("shop", json.dumps(self.ask("GET", "/api/v1/tokens", bank)[2]))
        self.assertEqual(self.ask("DELETE", f"/api/v1/tokens/{made['jti']}", bank)[0], 404)
        self.assertEqual(self.ask("DELETE", f"/api/v1/tokens/{made['jti']}", shop)[0], 204)
        self.assertEqual(self.server.request("POST", "/api/v1/ingest", '{"msg":"x"}', bearer(made["token"]))[0], 401)
        for body in ({}, {"roles": []}, {"roles": ["nobody"]}, {"roles": ["reader"], "ttl_seconds": 0}, {"roles": ["reader"], "ttl_seconds": 10**12}, {"roles": ["reader"], "x": 1}):
            self.assertEqual(self.ask("POST", "/api/v1/tokens", shop, body)[0], 400, body)

    def test_roles_over_http(self):
        root = self.session("root@example.org")
        role = {"name": "support", "permissions": ["search"], "row_filter": "service:=shop", "hidden_fields": ["card"], "masked_fields": []}
        self.assertEqual(self.ask("PUT", "/api/v1/roles", root, role)[2], {**role, "read_only": False})
        names = [row["name"] for row in self.ask("GET", "/api/v1/roles", root)[2]["items"]]
        self.assertEqual(names, ["reader", "writer", "auditor", "admin", "support"])
        for bad, wanted in (({**role, "name": "admin"}, 403), ({**role, "row_filter": "a | limit 1"}, 400), ({**role, "permissions": ["fly"]}, 400), ({**role, "permissions": []}, 400), ([], 400)):
            self.assertEqual(self.ask("PUT", "/api/v1/roles", root, bad)[0], wanted, bad)
        self.assertEqual(self.ask("DELETE", "/api/v1/roles/support", root)[0], 204)
        self.assertEqual(self.ask("DELETE", "/api/v1/roles/support", root)[0], 404)
        self.assertEqual(self.ask("DELETE", "/api/v1/roles/reader", root)[0], 403)


class Foreign(unittest.TestCase):
    """Sign-in with a real provider that runs here."""

    def setUp(self):
        try:
            packages()
        except RuntimeError as why:
            self.skipTest(str(why))
        with socket.socket() as place:  # the provider must know where we listen before we do
            place.bind(("127.0.0.1", 0))
            self.port = place.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self, secret="a client secret", public_url=True, **env):
        provider = Provider(self.url + "/api/v1/session/oidc/callback", secret)
        self.addCleanup(provider.close)
        env = {"DENDRO_OIDC_ISSUER": provider.issuer, "DENDRO_OIDC_CLIENT_ID": "dendro", **({"DENDRO_OIDC_CLIENT_SECRET": secret} if secret else {}),
               **({"DENDRO_PUBLIC_URL": self.url} if public_url else {}), **env}
        server = Server(listen=(f"127.0.0.1:{self.port}",), env=env)
        self.addCleanup(lambda: (self.assertEqual(server.stop(), 0), shutil.rmtree(server.data, ignore_errors=True)))
        return server, provider

    def back(self, browser, person="anna", next="/docs"):
        """Through the provider's pages, to the address that it sends us back to."""
        return browser.walk(f"{self.url}/api/v1/session/oidc?" + urlencode({"next": next}), person, self.url + "/api/v1/session/oidc/callback")

    def test_a_user_signs_in(self):
        for secret, public_url in (("a client secret/with+signs", True), ("", False)):
            with self.subTest("with a secret" if secret else "a public client"):
                self.setUp()
                server, provider = self.start(secret, public_url)
                self.assertEqual(json.loads(server.request("GET", "/api/v1/config")[2])["mode"], "oidc")
                self.assertEqual(server.request("GET", "/api/v1/query?query=*")[0], 401, "a provider turns authentication on")
                browser = Browser()
                status, rows, _ = browser.fetch(self.back(browser, next="/explore?q=a%20b"))
                self.assertEqual((status, dict(rows)["location"]), (303, "/explore?q=a%20b"))
                jar = browser.cookies[f"127.0.0.1:{self.port}"]
                self.assertEqual(set(jar), {"sid"}, "what was remembered on the way is gone")
                status, _, text = browser.fetch(self.url + "/api/v1/session")
                session = json.loads(text)
                self.assertEqual((status, session["user"]["name"], session["user"]["id"]), (200, "anna@example.org", f"sub:{provider.issuer}|anna"))
                self.assertEqual([(t["id"], t["role"]) for t in session["tenants"]], [("shop", "reader")])
                self.assertEqual(browser.fetch(self.url + "/api/v1/query?query=*")[0], 200)
                self.assertEqual(browser.fetch(self.url + "/api/v1/users")[0], 403)
                if secret:
                    self.assertNotIn(secret, "".join(server.log))

    def test_what_comes_back_must_be_what_was_asked_for(self):
        server, _ = self.start()
        victim, thief = Browser(), Browser()
        callback = self.back(thief, "root")
        query = parse_qs(urlsplit(callback).query)
        self.assertEqual(victim.fetch(callback)[0], 401, "a code slipped into another browser: it did not begin this")
        self.back(victim)  # has begun one of its own
        self.assertEqual(victim.fetch(callback)[0], 401, "its own state, another's code")
        for change in ({"state": "x"}, {"code": "x"}, {"code": ""}, {"iss": "https://evil.example"}):
            browser = Browser()
            own = {name: values[0] for name, values in parse_qs(urlsplit(self.back(browser)).query).items()}
            status, _, text = browser.fetch(self.url + "/api/v1/session/oidc/callback?" + urlencode({**own, **change}))
            self.assertEqual((status, json.loads(text)["detail"]), (401, "The sign-in could not be completed; try again"), change)
            self.assertNotIn("sid", browser.cookies[f"127.0.0.1:{self.port}"])
        browser = Browser()
        own = self.back(browser)
        jar = dict(browser.cookies[f"127.0.0.1:{self.port}"])
        self.assertEqual(browser.fetch(own)[0], 303)
        browser.cookies[f"127.0.0.1:{self.port}"] = jar
        self.assertEqual(browser.fetch(own)[0], 401, "a code is good once")
        browser = Browser()
        own = {name: values[0] for name, values in parse_qs(urlsplit(self.back(browser)).query).items()}
        status, _, text = browser.fetch(self.url + "/api/v1/session/oidc/callback?" + urlencode({"state": own["state"], "error": "access_denied<script>"}))
        self.assertEqual(status, 403)
        self.assertNotIn("script", text)
        self.assertTrue(query["code"][0] not in "".join(server.log))

    def test_next_leads_nowhere_else(self):
        self.start()
        for bad in ("https://evil.example", "//evil.example", "/\\evil.example", "evil", "/a\r\nb", "/" + "x" * 2000):
            status, rows, _ = Browser().fetch(f"{self.url}/api/v1/session/oidc?" + urlencode({"next": bad}))
            self.assertEqual(status, 400, bad)
            self.assertNotIn("location", dict(rows))

    def test_a_provider_that_is_away_is_no_refusal(self):
        server, provider = self.start()
        provider.close()
        status, rows, _ = Browser().fetch(f"{self.url}/api/v1/session/oidc?next=/")
        self.assertEqual((status, dict(rows)["retry-after"]), (503, "5"))
        self.assertEqual(server.request("GET", "/healthz")[0], 200)

    def test_settings_that_make_no_sense_do_not_start(self):
        for env, named in (({"DENDRO_OIDC_CLIENT_ID": "x"}, "auth.oidc.issuer"), ({"DENDRO_OIDC_ISSUER": "http://login.example.org", "DENDRO_OIDC_CLIENT_ID": "x"}, "https"),
                           ({"DENDRO_OIDC_ISSUER": "https://login.example.org"}, "auth.oidc.client_id"),
                           ({"DENDRO_OIDC_ISSUER": "https://login.example.org", "DENDRO_OIDC_CLIENT_ID": "x", "DENDRO_OIDC_SCOPES": "email"}, "openid")):
            code, _, err = run("serve", "--listen", "127.0.0.1:0", "--data", "/nonexistent/dendro", env=env)
            self.assertEqual(code, 2, err)
            self.assertIn(named, err)


if __name__ == "__main__":
    unittest.main()
