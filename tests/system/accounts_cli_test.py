"""`dendro admin user|key|role|tenant` and `dendro token` through a running server; `dendro admin tenant` on a folder."""
import json
import shutil
import tempfile
import unittest
from pathlib import Path

from dendro_process import Server, run

SECRET = "a secret of more than 32 bytes, for tests"
PASSWORD = b"correct horse battery\n"


class Through(unittest.TestCase):
    """Commands that name a server, by an API key of some tenant."""

    def setUp(self):
        self.server = Server(env={"SECRET_KEY": SECRET})
        self.addCleanup(lambda: (self.assertEqual(self.server.stop(), 0), shutil.rmtree(self.server.data, ignore_errors=True)))
        self.root = self.key("*", "admin")

    def key(self, tenant, scope):
        code, out, err = run("admin", "key", "create", "--data", self.server.data, "--name", "k", "--tenant", tenant, "--scope", scope)
        self.assertEqual(code, 0, err)
        return out.strip()

    def call(self, *args, key=None, **kwargs):
        return run(*args, env={"DENDRO_SERVER": self.server.url, "DENDRO_API_KEY": key or self.root}, **kwargs)

    def done(self, *args, **kwargs):
        code, out, err = self.call(*args, **kwargs)
        self.assertEqual(code, 0, err)
        return out

    def items(self, *args, **kwargs):
        return json.loads(self.done(*args, "-o", "json", **kwargs))

    def test_users(self):
        self.assertEqual(self.done("admin", "user", "create", "--email", "Tom@example.org", "--tenant", "shop", "--role", "reader", input_bytes=PASSWORD), "created tom@example.org\n")
        self.done("admin", "user", "grant", "tom@example.org", "--tenant", "shop", "--role", "writer", "--role", "auditor")
        self.done("admin", "user", "disable", "TOM@example.org")
        [user] = self.items("admin", "user", "list", "--tenant", "shop")
        self.assertEqual((user["email"], user["state"], user["grants"]), ("tom@example.org", "disabled", [{"tenant": "shop", "roles": ["writer", "auditor"]}]))
        self.done("admin", "user", "enable", "tom@example.org")
        self.done("admin", "user", "unlock", "tom@example.org")
        self.done("admin", "user", "reset-password", "tom@example.org", input_bytes=b"another horse battery\n")
        self.assertIn("shop=writer+auditor", self.done("admin", "user", "list"))
        sign_in = json.dumps({"method": "local", "email": "tom@example.org", "password": "another horse battery"})
        self.assertEqual(self.server.request("POST", "/api/v1/session", sign_in)[0], 201)
        self.done("admin", "user", "delete", "tom@example.org")
        self.assertEqual(self.done("admin", "user", "list"), "there is no user\n")
        code, _, err = self.call("admin", "user", "disable", "tom@example.org")
        self.assertEqual(code, 1)
        self.assertIn("there is no user", err)
        code, _, err = self.call("admin", "user", "create", "--email", "x", "--tenant", "shop", "--role", "nobody", input_bytes=PASSWORD)
        self.assertEqual(code, 2)
        self.assertIn("nobody", err)
        self.assertNotIn("horse", "".join(self.server.log))

    def test_keys(self):
        code, out, err = self.call("admin", "key", "create", "--name", "agent", "--tenant", "shop", "--scope", "ingest", "--expires-in", "90d")
        self.assertEqual(code, 0, err)
        self.assertRegex(out, r"\Adk_[A-Za-z0-9]{12}_[A-Za-z0-9]{32}\n\Z")
        id = out.split("_")[1]
        shop = self.key("shop", "admin")
        self.assertIn((id, "active"), [(key["id"], key["state"]) for key in self.items("admin", "key", "list", key=shop)])
        self.assertEqual(self.done("admin", "key", "revoke", id, key=shop), "revoked\n")
        self.assertEqual(self.done("admin", "key", "revoke", id, "--tenant", "shop"), "revoked\n")
        self.assertEqual(self.call("admin", "key", "revoke", "nosuch", "--tenant", "shop")[0], 1)
        code, _, err = self.call("admin", "key", "list")
        self.assertEqual(code, 2)
        self.assertIn("several tenants", err)
        code, _, err = self.call("admin", "key", "create", "--name", "n", "--tenant", "bank", "--scope", "search", key=shop)
        self.assertEqual(code, 1)
        self.assertIn("bank", err)

    def test_roles_and_tokens(self):
        self.done("admin", "role", "put", "support", "--permission", "search", "--filter", "service:=pay", "--hide", "card")
        self.assertEqual(self.items("admin", "role", "list")[-1]["name"], "support")
        token = self.done("token", "create", "--tenant", "shop", "--role", "support", "--ttl", "5m", "--subject", "ci").strip()
        self.assertEqual(token.count("."), 2)
        [row] = self.items("token", "list", "--tenant", "shop")
        self.assertEqual((row["subject"], row["roles"], row["state"]), ("ci", ["support"], "active"))
        self.assertEqual(json.loads(self.done("token", "inspect", "-", input_bytes=token.encode()))["jti"], row["jti"])
        self.assertEqual(self.done("token", "revoke", row["jti"]), "revoked\n")
        self.assertEqual(json.loads(self.done("token", "inspect", row["jti"]))["state"], "revoked")
        self.assertEqual(self.call("token", "revoke", "nosuch")[0], 1)
        self.done("admin", "role", "remove", "support")
        self.assertEqual(self.call("admin", "role", "remove", "support")[0], 1)
        self.assertEqual(self.call("admin", "role", "put", "x", "--permission", "search", "--filter", "a (")[0], 2)

    def test_tenants(self):
        made = json.loads(self.done("admin", "tenant", "create", "shop", "--name", "The shop", "--retention-days", "30", "--log-level", "ERROR", "-o", "json"))
        self.assertEqual((made["tenant_id"], made["name"], made["settings"]), ("shop", "The shop", {"retention_days": 30, "log_levels": ["ERROR"]}))
        self.done("admin", "tenant", "set", "shop", "--requests-per-second", "50", "--query-timeout", "30s")
        shown = json.loads(self.done("admin", "tenant", "show", "shop", "-o", "json"))
        self.assertEqual((shown["name"], shown["settings"]["retention_days"], shown["settings"]["quota"]["requests_per_s"], shown["settings"]["quota"]["query_timeout_ms"]),
                         ("The shop", 30, 50, 30000))
        self.assertIn("The shop", self.done("admin", "tenant", "list"))
        writer = {"Authorization": f"Bearer {self.key('shop', 'ingest')}"}
        self.assertEqual(self.server.request("POST", "/api/v1/ingest", '{"msg":"x"}', writer)[0], 200)
        self.done("admin", "tenant", "suspend", "shop")
        self.assertEqual(self.server.request("POST", "/api/v1/ingest", '{"msg":"x"}', writer)[0], 403)
        self.done("admin", "tenant", "resume", "shop")
        self.assertEqual(self.server.request("POST", "/api/v1/ingest", '{"msg":"x"}', writer)[0], 200)
        code, _, err = self.call("admin", "tenant", "delete", "shop")
        self.assertEqual((code, "--yes" in err), (1, True))
        self.assertEqual(self.done("admin", "tenant", "delete", "shop", "--yes"), "deleted\n")
        self.assertEqual(self.done("admin", "tenant", "list"), "nobody created a tenant\n")
        for args, code, named in ((["show", "shop"], 1, "not found"), (["create", "shop", "--retention-days", "0"], 2, "retention_days"), (["create", "a b"], 2, "tenant_id"),
                                  (["set"], 2, "name the TENANT"), (["suspend", "nobody"], 1, "not found"), (["list", "--yes"], 2, "takes no --yes")):
            with self.subTest(args=args):
                got, out, err = self.call("admin", "tenant", *args)
                self.assertEqual((got, out), (code, ""), err)
                self.assertIn(named, err)
        self.done("admin", "tenant", "create", "bank")
        code, _, err = self.call("admin", "tenant", "create", "bank")
        self.assertEqual(code, 2)
        self.assertIn("already exists", err)

    def test_without_the_right_or_the_server(self):
        reader = self.key("shop", "search")
        for args in (["admin", "user", "list"], ["token", "list"], ["admin", "role", "list"], ["admin", "tenant", "create", "x"]):
            self.assertEqual(self.call(*args, key=reader)[0], 1, args)
            code, _, err = self.call(*args, key="dk_wrong")
            self.assertEqual(code, 1)
            self.assertIn("DENDRO_API_KEY", err)
            self.assertNotIn("dk_wrong", err)
            code, _, err = run(*args, "--server", "http://127.0.0.1:1")
            self.assertEqual(code, 1, err)
            code, _, err = run(*args, "--server", self.server.url, "--data", self.server.data)
            self.assertEqual(code, 2, err)


class OnAFolder(unittest.TestCase):
    def setUp(self):
        self.data = Path(tempfile.mkdtemp(prefix="dendro-tenant-"))
        self.addCleanup(shutil.rmtree, self.data, ignore_errors=True)

    def test_tenants_of_a_folder_that_no_server_uses(self):
        code, _, err = run("admin", "tenant", "list", "--data", self.data)
        self.assertEqual(code, 2)
        self.assertIn("is not a data folder", err)
        code, out, err = run("admin", "key", "create", "--data", self.data, "--name", "k", "--tenant", "*", "--scope", "admin")
        self.assertEqual(code, 0, err)
        root = {"Authorization": f"Bearer {out.strip()}", "X-Tenant-ID": "shop"}
        with Server(data=self.data) as server:
            self.assertEqual(server.request("POST", "/api/v1/ingest", '{"msg":"of shop"}', root)[0], 200)
            code, _, err = run("admin", "tenant", "list", "--data", self.data)
            self.assertEqual(code, 1)
            self.assertIn("stop the server", err)
        for args, wanted in ((["create", "shop", "--name", "Shop", "--ingest-bytes-per-day", "1000"], "Shop"), (["set", "shop", "--retention-days", "7"], "7"),
                             (["suspend", "shop"], "yes"), (["list"], "shop")):
            code, out, err = run("admin", "tenant", *args, "--data", self.data)
            self.assertEqual(code, 0, err)
            self.assertIn(wanted, out)
        for args, named in ((["create", "shop"], "already exists"), (["set", "shop", "--retention-days", "0"], "retention_days"), (["create", "a b"], "TENANT")):
            code, _, err = run("admin", "tenant", *args, "--data", self.data)
            self.assertEqual(code, 1 if "exists" in named else 2, err)
            self.assertIn(named, err)
        with Server(data=self.data) as server:
            self.assertEqual(server.request("GET", "/api/v1/query?query=*", None, root)[0], 403, "suspended")
        self.assertEqual(run("admin", "tenant", "resume", "shop", "--data", self.data)[0], 0)
        code, _, err = run("admin", "tenant", "delete", "shop", "--data", self.data)
        self.assertEqual(code, 1, err)
        code, out, err = run("admin", "tenant", "delete", "shop", "--data", self.data, "--yes")
        self.assertEqual((code, out), (0, "deleted\n"), err)
        self.assertEqual(run("admin", "tenant", "show", "shop", "--data", self.data)[0], 1)
        with Server(data=self.data) as server:
            self.assertEqual(server.request("POST", "/api/v1/tenants", '{"tenant_id":"shop","name":"again"}', root)[0], 201)
            self.assertNotIn(b"of shop", server.request("GET", "/api/v1/query?query=*", None, root)[2])

    def test_help_shows_examples_and_exit_codes(self):
        code, out, err = run("admin", "tenant", "--help")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("Examples:", out)
        self.assertIn("Exit codes:", out)


if __name__ == "__main__":
    unittest.main()
