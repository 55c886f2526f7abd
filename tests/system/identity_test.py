"""`dendro token` and `dendro admin user|key|role` on folders of a real store, beside a server and without one."""
import base64
import hashlib
import hmac
import json
import os
import pty
import shutil
import sqlite3
import subprocess
import tempfile
import termios
import unittest
from pathlib import Path

from dendro_process import BINARY, Server, run

SECRET = "a secret of more than 32 bytes, for tests"
PASSWORD = "correct horse battery"


def part(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Identity(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="dendro-identity-"))
        self.data = self.folder / "data"
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_here(self, *args, secret=SECRET, **kwargs):
        env = {"DENDRO_DATA": str(self.data)}
        if secret:
            env["SECRET_KEY"] = secret
        return run(*args, env=env, **kwargs)

    def done(self, *args, **kwargs):
        code, out, err = self.run_here(*args, **kwargs)
        self.assertEqual(code, 0, err)
        return out

    def items(self, *args):
        return json.loads(self.done(*args, "-o", "json"))

    def stored(self):
        """All bytes of the database."""
        return b"".join(f.read_bytes() for f in self.data.glob("meta.db*"))

    # tokens

    def test_token_create_prints_the_bare_token(self):
        out = self.done("token", "create", "--tenant", "shop", "--tenant", "bank", "--role", "writer", "--ttl", "90m", "--subject", "ci")
        self.assertRegex(out, r"\A[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\n\Z")
        header, claims, signature = out.strip().split(".")
        self.assertEqual(part(header), b'{"alg":"HS256","typ":"JWT"}')
        self.assertEqual(part(signature), hmac.new(SECRET.encode(), f"{header}.{claims}".encode(), hashlib.sha256).digest())
        claims = json.loads(part(claims))
        self.assertEqual((claims["sub"], claims["tenant_ids"], claims["roles"]), ("ci", ["shop", "bank"], ["writer"]))
        self.assertEqual(claims["exp"] - claims["iat"], 5400)
        [row] = self.items("token", "list")
        self.assertEqual((row["jti"], row["state"], row["tenant_ids"]), (claims["jti"], "active", ["shop", "bank"]))
        self.assertNotIn(signature.encode(), self.stored())

    def test_token_follows_the_settings(self):
        secret_file = self.folder / "secret"
        secret_file.write_text(SECRET + "\n")
        config = self.folder / "dendro.toml"
        config.write_text(f'[auth]\nsecret_key_file = "{secret_file}"\nalgorithm = "HS512"\ntoken_minutes = 5\n'
                          f'[storage]\ndata_dir = "{self.data}"\n[roles.ops]\npermissions = ["search"]\n')
        code, out, err = run("token", "create", "--config", config, "--tenant", "*", "--role", "ops")
        self.assertEqual(code, 0, err)
        header, claims, signature = out.strip().split(".")
        self.assertEqual(json.loads(part(header))["alg"], "HS512")
        self.assertEqual(part(signature), hmac.new(SECRET.encode(), f"{header}.{claims}".encode(), hashlib.sha512).digest())
        claims = json.loads(part(claims))
        self.assertEqual((claims["exp"] - claims["iat"], claims["tenant_ids"], claims["sub"]), (300, ["*"], "cli"))

    def test_token_list_inspect_revoke(self):
        first = self.done("token", "create", "--tenant", "shop", "--role", "reader").strip()
        self.done("token", "create", "--tenant", "bank", "--role", "admin")
        jti = json.loads(part(first.split(".")[1]))["jti"]
        self.assertEqual([row["jti"] for row in self.items("token", "list", "--tenant", "shop")], [jti])
        self.assertEqual(len(self.items("token", "list", "--limit", "1")), 1)
        self.assertIn("active", self.done("token", "list"))
        code, out, err = self.run_here("token", "inspect", "-", input_bytes=first.encode() + b"\n")
        self.assertEqual((code, json.loads(out)["jti"]), (0, jti), err)
        self.assertIn('"sub":"cli"', err)
        self.assertEqual(self.done("token", "revoke", jti), "revoked\n")
        self.assertEqual(self.done("token", "revoke", jti), "revoked\n")
        self.assertEqual(json.loads(self.done("token", "inspect", jti))["state"], "revoked")
        for action in ("inspect", "revoke"):
            code, out, err = self.run_here("token", action, "nosuch")
            self.assertEqual((code, out), (1, ""))
            self.assertIn("nosuch", err)
        self.assertEqual(self.run_here("token", "inspect", "-", input_bytes=b"no token")[0], 2)

    def test_token_create_faults(self):
        self.done("admin", "role", "put", "r", "--permission", "search")
        cases = [(["--role", "reader"], "tenants:"), (["--tenant", "shop"], "roles:"), (["--tenant", "shop", "--role", "nobody"], "nobody"),
                 (["--tenant", "shop", "--role", "r", "--ttl", "soon"], "soon"), (["--tenant", "shop", "--role", "r", "--ttl", "0s"], "lifetime"),
                 (["--tenant", "shop", "--role", "r", "--subject", ""], "subject"), (["now"], "takes no word")]
        for args, named in cases:
            with self.subTest(args=args):
                code, out, err = self.run_here("token", "create", *args)
                self.assertEqual((code, out), (2, ""))
                self.assertIn(named, err)
        good = ["token", "create", "--tenant", "shop", "--role", "r"]
        for secret, named in [(None, "SECRET_KEY is not set"), ("short", "at least 32"), ("dev_secret_key_change_in_production", "example")]:
            code, out, err = self.run_here(*good, secret=secret)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(named, err)
            self.assertNotIn("dev_secret", err)
        self.assertEqual(self.items("token", "list"), [])

    # users

    def test_first_administrator_of_a_new_folder(self):
        out = self.done("admin", "user", "create", "--admin", "Anna@Example.org", input_bytes=PASSWORD.encode() + b"\n")
        self.assertEqual(out, "created anna@example.org\n")
        self.assertEqual(os.stat(self.data / "meta.db").st_mode & 0o777, 0o600)
        [user] = self.items("admin", "user", "list")
        self.assertEqual((user["email"], user["grants"], user["state"]), ("anna@example.org", [{"tenant": "*", "roles": ["admin"]}], "active"))
        self.assertNotIn(PASSWORD.encode(), self.stored())
        self.assertIn(b"$argon2id$v=19$m=19456,t=2,p=1$", self.stored())
        code, _, err = self.run_here("admin", "user", "create", "--admin", "anna@example.org", input_bytes=PASSWORD.encode())
        self.assertEqual(code, 1)
        self.assertIn("already", err)

    def test_a_users_life(self):
        file = self.folder / "password"
        file.write_text(PASSWORD + "\nsecond line\n")
        self.done("admin", "user", "create", "--email", "tom@example.org", "--tenant", "shop", "--tenant", "bank", "--role", "reader", "--password-file", file)
        self.assertIn("shop=reader,bank=reader", self.done("admin", "user", "list"))
        self.assertEqual(self.items("admin", "user", "list", "--tenant", "nowhere"), [])
        self.done("admin", "user", "grant", "TOM@example.org", "--tenant", "shop", "--role", "writer", "--role", "auditor")
        self.done("admin", "user", "disable", "tom@example.org")
        [user] = self.items("admin", "user", "list", "--tenant", "shop")
        self.assertEqual((user["state"], user["grants"]), ("disabled", [{"tenant": "shop", "roles": ["writer", "auditor"]}]))
        self.done("admin", "user", "enable", "tom@example.org")
        before = self.hash_of("tom@example.org")
        self.done("admin", "user", "reset-password", "tom@example.org", "--password-file", "-", input_bytes=b"another horse battery\n")
        self.assertNotEqual(self.hash_of("tom@example.org"), before)
        self.lock("tom@example.org")
        self.assertEqual(self.items("admin", "user", "list")[0]["state"], "locked")
        self.done("admin", "user", "unlock", "tom@example.org")
        self.assertEqual(self.items("admin", "user", "list")[0]["state"], "active")
        self.assertEqual(self.done("admin", "user", "delete", "tom@example.org"), "done\n")
        self.assertEqual(self.done("admin", "user", "list"), "there is no user\n")
        for action in ("disable", "enable", "unlock", "delete", "reset-password", "grant"):
            code, out, err = self.run_here("admin", "user", action, "tom@example.org", input_bytes=PASSWORD.encode())
            self.assertEqual((code, out), (1, ""), action)
            self.assertIn("there is no user", err)

    def database(self):
        return sqlite3.connect(self.data / "meta.db")

    def hash_of(self, email):
        database = self.database()
        try:
            return database.execute("SELECT password_hash FROM users WHERE email = ?", (email,)).fetchone()[0]
        finally:
            database.close()

    def lock(self, email):
        database = self.database()
        account = hashlib.sha256(email.encode()).hexdigest()
        database.execute("INSERT INTO sign_in_failures VALUES (?, 10, 1, 9000000000000000000)", (account,))
        database.commit()
        database.close()

    def test_user_faults(self):
        cases = [(["create"], "--admin or with --email", b"x"), (["create", "--admin", "a", "--email", "b"], "--admin or with --email", b"x"),
                 (["create", "--admin", "a", "--role", "reader"], "leave out", b"x"), (["create", "--admin", "a"], "12 to 128", b"short\n"),
                 (["create", "--admin", "a"], "no password", b""), (["create", "--admin", "a b"], "e-mail", PASSWORD.encode()),
                 (["create", "--email", "a", "--tenant", "shop", "--role", "nobody"], "nobody", PASSWORD.encode()),
                 (["create", "--admin", "a", "--password-file", "/no/such"], "/no/such", b""), (["create", "--password", "p"], "--password", b""),
                 (["disable"], "name the EMAIL", b""), (["list", "--email", "a"], "takes no --email", b""), (["promote", "a"], "promote", b""),
                 ([], "say what to do", b"")]
        for args, named, given in cases:
            with self.subTest(args=args):
                code, out, err = self.run_here("admin", "user", *args, input_bytes=given)
                self.assertEqual((code, out), (2, ""), err)
                self.assertIn(named, err)
                self.assertNotIn(PASSWORD, err)

    def test_no_folder_is_made_by_looking(self):
        for args in (["token", "list"], ["admin", "user", "list"], ["admin", "key", "revoke", "x"], ["admin", "role", "list"]):
            code, out, err = self.run_here(*args)
            self.assertEqual((code, out), (2, ""))
            self.assertIn("is no data folder", err)
        self.assertFalse(self.data.exists())

    # passwords at a terminal

    def at_terminal(self, *lines):
        """Exit code, and all that the terminal showed."""
        master, slave = pty.openpty()
        env = {k: v for k, v in os.environ.items() if not k.startswith("DENDRO_")}
        process = subprocess.Popen([BINARY, "admin", "user", "create", "--admin", "anna", "--data", self.data], stdin=slave, stdout=slave, stderr=slave, env=env)
        shown = b""
        for line in lines:
            while not shown.endswith(b": "):
                shown += os.read(master, 4096)
            self.assertFalse(termios.tcgetattr(slave)[3] & termios.ECHO)
            os.write(master, line)
            shown += b"|"
        code = process.wait(timeout=60)
        self.assertTrue(termios.tcgetattr(slave)[3] & termios.ECHO, "the terminal echoes again")
        os.set_blocking(master, False)
        try:
            while chunk := os.read(master, 4096):
                shown += chunk
        except (BlockingIOError, OSError):
            pass
        os.close(master)
        os.close(slave)
        return code, shown.decode()

    def test_passwords_typed_are_not_shown(self):
        code, shown = self.at_terminal(PASSWORD.encode() + b"\n", PASSWORD.encode() + b"\n")
        self.assertEqual(code, 0, shown)
        self.assertNotIn("horse", shown)
        self.assertIn("created anna", shown)

    def test_passwords_typed_must_agree(self):
        code, shown = self.at_terminal(PASSWORD.encode() + b"\n", b"something else entirely\n")
        self.assertEqual(code, 2, shown)
        self.assertIn("differ", shown)

    def test_an_interrupt_leaves_a_terminal_that_echoes(self):
        code, shown = self.at_terminal(b"correct\x03")
        self.assertEqual(code, 1, shown)
        self.assertIn("interrupted", shown)

    # keys and roles

    def test_a_keys_life(self):
        code, out, err = self.run_here("admin", "key", "create", "--name", "fluent-bit", "--tenant", "shop", "--scope", "ingest", "--expires-in", "90d")
        self.assertEqual(code, 0, err)
        self.assertRegex(out, r"\Adk_[A-Za-z0-9]{12}_[A-Za-z0-9]{32}\n\Z")
        id, secret = out.strip().split("_")[1:]
        [key] = self.items("admin", "key", "list")
        self.assertEqual((key["id"], key["prefix"], key["name"], key["scopes"], key["state"]), (id, "dk_" + id, "fluent-bit", ["ingest"], "active"))
        self.assertIsNone(key["last_used_at"])
        self.assertNotIn(secret.encode(), self.stored())
        self.assertIn(hashlib.sha256(secret.encode()).hexdigest().encode(), self.stored())
        self.assertEqual(self.items("admin", "key", "list", "--tenant", "bank"), [])
        self.assertEqual(self.done("admin", "key", "revoke", id), "revoked\n")
        self.assertIn("revoked", self.done("admin", "key", "list"))
        self.assertEqual(self.run_here("admin", "key", "revoke", "nosuch")[0], 1)
        for args, named in [(["--tenant", "shop", "--scope", "ingest"], "name:"), (["--name", "n", "--scope", "ingest"], "tenants:"), (["--name", "n", "--tenant", "shop"], "scopes:"),
                            (["--name", "n", "--tenant", "shop", "--scope", "all"], "all"), (["--name", "n", "--tenant", "t", "--scope", "search", "--expires-in", "1000000d"], "36525d")]:
            code, out, err = self.run_here("admin", "key", "create", *args)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(named, err)

    def test_a_roles_life(self):
        self.done("admin", "role", "put", "support", "--permission", "search", "--permission", "stats", "--filter", '{service="payments"} status:>=500', "--hide", "card", "--mask", "email")
        roles = {role["name"]: role for role in self.items("admin", "role", "list")}
        self.assertEqual(list(roles), ["reader", "writer", "auditor", "admin", "support"])
        self.assertEqual(roles["support"], {"name": "support", "permissions": ["search", "stats"], "row_filter": '{service="payments"} status:>=500',
                                            "hidden_fields": ["card"], "masked_fields": ["email"], "read_only": False})
        self.assertIn("support", self.done("admin", "role", "list"))
        self.done("admin", "role", "put", "support", "--permission", "stream")
        self.assertEqual(self.items("admin", "role", "list")[-1]["permissions"], ["stream"])
        for args, named, expected in [(["put", "x", "--permission", "fly"], "fly", 2), (["put", "x"], "permission", 2), (["put", "X y", "--permission", "search"], "a name has", 2),
                                      (["put", "x", "--permission", "search", "--filter", "a | limit 1"], "a filter only", 2), (["put", "x", "--permission", "search", "--filter", "a ("], "line 1", 2),
                                      (["put", "x", "--permission", "search", "--filter", "_time:1h"], "_time", 2), (["put", "x", "--permission", "search", "--filter", "a:in(b | fields a)"], "query inside", 2),
                                      (["put", "reader", "--permission", "search"], "built in", 1), (["remove", "admin"], "built in", 1), (["remove", "nosuch"], "nosuch", 1)]:
            with self.subTest(args=args):
                code, out, err = self.run_here("admin", "role", *args)
                self.assertEqual((code, out), (expected, ""), err)
                self.assertIn(named, err)
        self.assertEqual(self.done("admin", "role", "remove", "support"), "done\n")

    # beside a server

    def test_all_work_while_a_server_holds_the_folder(self):
        self.done("admin", "role", "put", "support", "--permission", "search")  # a folder that no store has used yet
        with Server(data=self.data, env={"SECRET_KEY": SECRET}) as server:
            key = self.done("admin", "key", "create", "--name", "n", "--tenant", "shop", "--scope", "ingest").strip()
            self.done("admin", "user", "create", "--admin", "anna", input_bytes=PASSWORD.encode())
            token = self.done("token", "create", "--tenant", "shop", "--role", "writer").strip()
            statuses = [server.ingest([{"msg": "x"}], **({"Authorization": f"Bearer {credential}"} if credential else {}))[0] for credential in (None, key, token)]
            self.assertEqual(statuses, [401, 200, 200])
            # What another process revokes, or makes less of, holds for the next request.
            for _ in range(3):
                self.assertEqual(server.ingest([{"msg": "y"}], Authorization=f"Bearer {token}")[0], 200)
            self.done("token", "revoke", json.loads(part(token.split(".")[1]))["jti"])
            status, reply = server.ingest([{"msg": "z"}], Authorization=f"Bearer {token}")
            self.assertEqual((status, reply["detail"]), (401, "Token has been revoked"))
            self.done("admin", "key", "revoke", key.split("_")[1])
            status, reply = server.ingest([{"msg": "z"}], Authorization=f"Bearer {key}")
            self.assertEqual((status, reply["detail"]), (401, "Token has been revoked"))
        self.assertEqual(self.items("token", "list")[0]["state"], "revoked")
        self.assertIsNotNone(self.items("admin", "key", "list")[0]["last_used_at"], "written when the server stopped")

    def test_help_shows_examples_and_exit_codes(self):
        for args in (["token"], ["admin", "user"], ["admin", "key"], ["admin", "role"]):
            code, out, err = run(*args, "--help")
            self.assertEqual((code, err), (0, ""))
            self.assertIn("Examples:", out)
            self.assertIn("Exit codes:", out)


if __name__ == "__main__":
    unittest.main()
