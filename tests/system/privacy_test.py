"""Masking before storage, tokens and their trail, and what a tenant's queries may take, on the real binary."""
import gzip
import json
import os
import tempfile
import threading
import unittest
from pathlib import Path

from dendro_process import Server, run

KEY = "k" * 40
SECRETS = ["4111111111111111", "ann.secret@example.org", "AKIAIOSFODNN7EXAMPLE", "hunter2geheim", "078-05-1120"]
RULES = [
    {"name": "cards", "pattern": "card", "action": "mask", "keep_last": 4},
    {"name": "mail", "pattern": "email", "action": "tokenize"},
    {"name": "keys", "pattern": "credentials", "action": "hash"},
    {"name": "ssn", "pattern": "ssn", "action": "drop"},
    {"name": "named", "fields": ["*geheim*", "*.pin"], "pattern": "whole", "action": "mask"},
]


def bytes_of_folder(folder):
    """Every byte below a folder: names and contents."""
    for path in sorted(Path(folder).rglob("*")):
        yield str(path), str(path).encode()
        if path.is_file():
            yield str(path), path.read_bytes()


class Masking(unittest.TestCase):
    def start(self, data=None, **env):
        return Server(data=data, listen=("127.0.0.1:0", "127.0.0.1:0=audit", "127.0.0.1:0=ingest"), env={"DENDRO_PRIVACY_KEY": KEY, **env})

    def set_rules(self, server, rules, tenant="default"):
        status, _, reply = server.request("PUT", f"/api/v1/tenants/{tenant}", json.dumps({"settings": {"masking": rules}}))
        self.assertEqual(status, 200, reply)
        self.assertEqual(json.loads(reply)["settings"]["masking"], rules)

    def post(self, server, path, body, headers=None, index=0, expected=(200, 201, 202)):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        status, _, reply = server.request("POST", path, body, headers or {}, index=index)
        self.assertIn(status, expected, reply)
        return json.loads(reply) if reply else None

    def records(self, server, query="*"):
        status, _, text = server.request("POST", "/api/v1/query", json.dumps({"query": query, "progress": False}))
        self.assertEqual(status, 200, text)
        rows = [json.loads(line) for line in text.splitlines()]
        return [row for row in rows if "_meta" not in row and "_status" not in row and "_progress" not in row]

    def assert_no_secret(self, data, secrets=SECRETS):
        found = {(path, secret) for path, content in bytes_of_folder(data) for secret in secrets if secret.encode() in content}
        self.assertEqual(found, set())

    def send_everywhere(self, server):
        """Each secret by each way in, good records and broken ones."""
        all_of_them = " and ".join(SECRETS[:3]) + " " + SECRETS[4]
        record = {"body": f"text {all_of_them}", "password": SECRETS[3], "user": {"pin": SECRETS[3]}, "list": [{"token": SECRETS[3], "m": SECRETS[1]}],
                  "card": int(SECRETS[0]), "service": {"name": SECRETS[1]}, SECRETS[1]: 1, "inner": json.dumps({"geheim": SECRETS[3], "m": SECRETS[1]})}
        self.post(server, "/api/v1/ingest", record)
        self.post(server, "/api/v1/ingest/bulk", [record, record])
        self.post(server, "/api/v1/ingest", gzip.compress(json.dumps(record).encode()), {"Content-Encoding": "gzip", "Content-Type": "application/json"})
        self.post(server, "/api/v1/ingest", f"a line {all_of_them} password={SECRETS[3]}\n\xff".encode("latin-1"), {"Content-Type": "text/plain"})
        self.post(server, "/api/v1/ingest?format=logfmt", f'level=info password={SECRETS[3]} msg="{all_of_them}"', {"Content-Type": "text/plain"})
        # Dead letters: broken JSON, too new, a name too long.
        self.post(server, "/api/v1/ingest", json.dumps(record)[:-1], expected=(400,))
        self.post(server, "/api/v1/ingest", {**record, "_time": "2100-01-01T00:00:00Z"}, expected=(400,))
        self.post(server, "/api/v1/ingest", {**record, "x" * 600: 1}, expected=(400,))
        log = {"action": "UPDATE", "resource_type": "user", "resource_id": SECRETS[1], "message": all_of_them, "user_id": "ann",
               "metadata": {"user": {"pin": SECRETS[3]}, "m": SECRETS[1], "l": [{"a": {"geheim": SECRETS[3]}}, [SECRETS[0]]]},
               "before_state": {"password": SECRETS[3], "apiKey": SECRETS[3]}}
        audit = {"X-Tenant-ID": "default"}
        self.post(server, "/api/v1/logs", log, audit, index=1)
        self.post(server, "/api/v1/logs/bulk", {"logs": [log, {**log, "action": "NONE"}]}, audit, index=1)
        self.post(server, "/", {"severity": "info", "message": all_of_them}, index=2)
        status, _, reply = server.request("GET", f"/api/v1/logs?search={SECRETS[0]}&token={SECRETS[3]}", headers=audit, index=1)
        self.assertEqual(status, 200, reply)

    def test_no_secret_reaches_the_disk(self):
        with tempfile.TemporaryDirectory() as data:
            with self.start(data) as server:
                self.set_rules(server, RULES)
                self.send_everywhere(server)
                stored = "\n".join(json.dumps(row) for row in self.records(server))
                for secret in SECRETS:
                    self.assertNotIn(secret, stored)
                self.assertIn("***1111", stored)
                self.assertIn("tok_email_", stored)
                self.assertIn("hash_password_", stored)
                self.assert_no_secret(data)
            self.assert_no_secret(data)
            with self.start(data) as server:  # the same rules after a restart
                self.send_everywhere(server)
                self.post(server, "/api/v1/admin/compact", {}, expected=(200, 202))
                letters = self.records(server, '{dendro.source="dead_letter"}')
                self.assertGreaterEqual(len(letters), 8)
                self.assertTrue(any("***" in row.get("dendro.raw", "") for row in letters))
            self.assert_no_secret(data)

    def test_logs_of_the_audit_service_stay_readable(self):
        with self.start() as server:
            self.set_rules(server, RULES)
            audit = {"X-Tenant-ID": "default"}
            for _ in range(3):
                self.post(server, "/api/v1/logs", {"action": "UPDATE", "resource_type": "user", "resource_id": "7", "message": f"to {SECRETS[1]}",
                                                   "metadata": {"l": [{"a": {"geheim": SECRETS[3]}}], "n": 1}}, audit, index=1)
            status, _, reply = server.request("GET", "/api/v1/logs?action=UPDATE", headers=audit, index=1)
            self.assertEqual(status, 200, reply)
            logs = json.loads(reply)["data"]
            self.assertEqual(len(logs), 3)
            self.assertEqual(logs[0]["metadata"], {"l": [{"a": {"geheim": "***"}}], "n": 1})
            self.assertRegex(logs[0]["message"], "^to tok_email_[a-z2-7]+$")
            self.assertEqual(len({log["message"] for log in logs}), 1, "equal values have equal tokens")
            status, _, reply = server.request("GET", f"/api/v1/logs/{logs[0]['id']}", headers=audit, index=1)
            self.assertEqual(status, 200, reply)

    def test_a_retry_is_a_repeat(self):
        with self.start() as server:
            self.set_rules(server, RULES)
            body = json.dumps({"body": SECRETS[1]})
            for replayed in (False, True):
                status, _, reply = server.request("POST", "/api/v1/ingest", body, {"Idempotency-Key": "k1"})
                self.assertEqual((status, json.loads(reply)["replayed"]), (200, replayed))
            self.set_rules(server, [])
            status, _, reply = server.request("POST", "/api/v1/ingest", body, {"Idempotency-Key": "k1"})
            self.assertEqual((status, json.loads(reply)["replayed"]), (200, True), "what was sent counts, not what was stored")
            self.assertEqual(len(self.records(server)), 1)

    def test_unmasking_is_recorded(self):
        with tempfile.TemporaryDirectory() as data:
            with self.start(data) as server:
                self.set_rules(server, RULES)
                self.post(server, "/api/v1/ingest", {"body": f"from {SECRETS[1]}", "raw": {"m": SECRETS[1]}})
                row = self.records(server)[0]
                token = row["body"].split()[1]
                self.assertEqual(row["raw.m"] if "raw.m" in row else row["raw"]["m"], token)
            with self.start(data) as server:
                reply = self.post(server, "/api/v1/unmask", {"tokens": [token, "tok_email_aaaa"]})
                self.assertEqual(reply["values"], [{"token": token, "value": SECRETS[1]}, {"token": "tok_email_aaaa", "value": None}])
                record = self.post(server, "/api/v1/unmask", {"record_id": row["_id"]})
                self.assertEqual(record["record"]["body"], f"from {SECRETS[1]}")
                self.assertIn(SECRETS[1], record["raw"])
                status, _, text = server.request("GET", "/api/v1/audit-trail?action=unmask", headers={"X-Tenant-ID": "default"}, index=1)
                self.assertEqual(status, 200, text)
                entries = json.loads(text)["data"]
                self.assertEqual(len(entries), 2)
                self.assertEqual([entry["query_params"]["unmasked"] for entry in entries], [token, token])
                self.assertEqual(entries[0]["query_params"]["record_id"], row["_id"])
                for body in ({}, {"tokens": []}, {"tokens": ["x"] * 101}, {"tokens": ["x"], "record_id": "y"}, [1]):
                    self.post(server, "/api/v1/unmask", body, expected=(422,))
                self.post(server, "/api/v1/unmask", {"record_id": "zzz"}, expected=(404,))
            with self.start(data, DENDRO_PRIVACY_KEY="n" * 40, DENDRO_PRIVACY_KEY_PREVIOUS=KEY) as server:
                self.assertEqual(self.post(server, "/api/v1/unmask", {"tokens": [token]})["values"][0]["value"], SECRETS[1])
            with self.start(data, DENDRO_PRIVACY_KEY="x" * 40) as server:  # neither opens the tenant's key: closed, not open
                self.post(server, "/api/v1/unmask", {"tokens": [token]}, expected=(503,))
                self.post(server, "/api/v1/ingest", {"body": SECRETS[1]}, expected=(503,))
                self.assertEqual(server.request("GET", "/health")[0], 200)
            self.assert_no_secret(data)

    def test_erased_keys_take_values_and_roles_see_tokens_only(self):
        env = {"SECRET_KEY": "a secret of the tests that is long enough"}
        with self.start(**env) as server:
            tokens = {}
            for role, tenant in (("admin", "*"), ("admin", "acme"), ("reader", "acme"), ("auditor", "acme"), ("writer", "acme"), ("admin", "bank")):
                code, out, err = run("token", "create", "--data", server.data, "--tenant", tenant, "--role", role, env=env)
                self.assertEqual(code, 0, err)
                tokens[role, tenant] = {"Authorization": f"Bearer {out.strip()}", "X-Tenant-ID": "acme"}
            rules = json.dumps({"settings": {"masking": RULES}})
            self.assertEqual(server.request("PUT", "/api/v1/tenants/acme", rules, tokens["admin", "acme"])[0], 200)
            self.post(server, "/api/v1/ingest", {"body": SECRETS[1]}, tokens["writer", "acme"])
            status, _, text = server.request("GET", "/api/v1/query?query=*", headers=tokens["reader", "acme"])
            token = next(row["body"] for row in map(json.loads, text.splitlines()) if "body" in row)
            self.assertTrue(token.startswith("tok_email_"), token)
            for who in (("reader", "acme"), ("auditor", "acme"), ("writer", "acme"), ("admin", "bank")):
                self.post(server, "/api/v1/unmask", {"tokens": [token]}, tokens[who], expected=(403,))
            self.assertEqual(self.post(server, "/api/v1/unmask", {"tokens": [token]}, tokens["admin", "acme"])["values"][0]["value"], SECRETS[1])
            path = "/api/v1/tenants/acme/masking/key"
            self.assertEqual(server.request("DELETE", path, headers=tokens["admin", "acme"])[0], 403)
            status, _, text = server.request("DELETE", path, headers=tokens["admin", "*"])
            self.assertEqual((status, json.loads(text)), (200, {"keys_erased": 1}))
            self.assertIsNone(self.post(server, "/api/v1/unmask", {"tokens": [token]}, tokens["admin", "acme"])["values"][0]["value"])

    def test_preview_and_faults(self):
        with self.start() as server:
            path = "/api/v1/tenants/default/masking/test"
            reply = self.post(server, path, {"text": f"paid with {SECRETS[0]}", "rules": RULES})
            self.assertEqual(reply, {"text": "paid with ***1111", "matches": [{"rule": "cards", "kind": "card", "count": 1}]})
            reply = self.post(server, path, {"record": {"user": {"pin": 5}, "ok": 1.0}, "rules": RULES})
            self.assertEqual(reply["record"], {"user": {"pin": "***"}, "ok": 1.0})
            self.assertIsNone(self.post(server, path, {"text": SECRETS[4], "rules": RULES})["text"])
            self.assertEqual(self.post(server, path, {"text": SECRETS[0]})["text"], SECRETS[0], "the tenant has no rules")
            self.assertEqual(self.records(server), [], "nothing is stored")
            for body in ({}, {"text": "x", "record": {}}, {"text": 5}, {"text": "x", "rules": [{"name": "X"}]}, {"record": 5}):
                self.post(server, path, body, expected=(422,))
            status, _, reply = server.request("PUT", "/api/v1/tenants/default", json.dumps({"settings": {"masking": [{"name": "a", "regex": "("}]}}))
            self.assertEqual(status, 422, reply)
            self.assertEqual(json.loads(reply)["errors"][0]["field"], "settings.masking.0.regex")
        with Server() as server:  # no privacy.key
            status, _, reply = server.request("PUT", "/api/v1/tenants/default", json.dumps({"settings": {"masking": RULES}}))
            self.assertEqual(status, 422, reply)
            self.assertIn("privacy.key_file", json.loads(reply)["detail"])

    def test_rules_of_the_configuration_are_the_default(self):
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "dendro.toml"
            config.write_text('[[privacy.masking]]\nname = "cards"\npattern = "card"\nkeep_last = 4\n')
            with Server("--config", config) as server:
                server.ingest([{"body": SECRETS[0]}])
                status, _, _ = server.request("PUT", "/api/v1/tenants/default", json.dumps({"settings": {"masking": []}}))
                self.assertEqual(status, 200)
                server.ingest([{"body": SECRETS[0]}])
                server.request("PUT", "/api/v1/tenants/default", '{"settings":{"masking":null}}')
                # `null` takes the tenant's own list away, as for settings that were never set.
                server.ingest([{"body": SECRETS[0]}])
                bodies = sorted(row["body"] for row in self.records(server))
                self.assertEqual(bodies, ["***1111", "***1111", SECRETS[0]])
            for text, word in (('[[privacy.masking]]\nname = "A"\npattern = "card"\n', "privacy.masking.0.name"),
                               ('[[privacy.masking]]\nname = "a"\npattern = "card"\naction = "hash"\n', "privacy.key_file"),
                               ('[privacy]\nkey = "short"\n', "at least 32")):
                config.write_text(text)
                code, _, err = run("serve", "--config", config, "--data", Path(folder) / "d", "--listen", "127.0.0.1:0")
                self.assertEqual(code, 2, err)
                self.assertIn(word, err)
                self.assertNotIn("short\"", err)


class Budgets(unittest.TestCase):
    def test_over_the_quota_queries_are_refused_and_named(self):
        with Server() as server:
            for _ in range(4):
                server.ingest([{"body": "x" * 800, "n": i} for i in range(10_000)])
            status, _, reply = server.request("PUT", "/api/v1/tenants/default", json.dumps({"settings": {"quota": {"queries_at_once": 1}}}))
            self.assertEqual(status, 200, reply)
            # A query whose reader takes nothing stays under way.
            stuck = server.connect()
            stuck.request("GET", "/api/v1/query?query=*&limit=0&clip_bytes=0")
            reply = stuck.getresponse()
            self.assertEqual(reply.status, 200)
            refused = 0
            for path in ("/api/v1/query?query=*", "/api/v1/export?query=*&format=csv"):
                status, headers, text = server.request("GET", path)
                self.assertEqual(status, 429, text)
                self.assertIn("queries_at_once", json.loads(text)["detail"])
                self.assertEqual(headers["retry-after"], "1")
                refused += 1
            reply.read()
            stuck.close()
            for _ in range(3):  # one behind the other is right
                self.assertEqual(server.request("GET", "/api/v1/query?query=n:=5")[0], 200)
            metrics = server.request("GET", "/metrics")[2].decode()
            self.assertIn('dendro_tenant_queries_total{tenant="', metrics)
            total = sum(int(line.split()[-1]) for line in metrics.splitlines() if line.startswith("dendro_tenant_refused_requests_total{"))
            self.assertEqual(total, refused)
            records = sum(int(line.split()[-1]) for line in metrics.splitlines() if line.startswith("dendro_tenant_ingested_records_total{"))
            self.assertEqual(records, 40_000)

    def test_the_tenants_time_ends_a_query(self):
        with Server() as server:
            for _ in range(5):
                server.ingest([{"body": f"word{i} " * 20, "n": i} for i in range(20_000)])
            server.request("PUT", "/api/v1/tenants/default", json.dumps({"settings": {"quota": {"query_timeout_ms": 1}}}))
            body = {"query": "* | sort by (body) | stats by (body) count() as c", "timeout_ms": 600_000, "progress": False}
            status, _, text = server.request("POST", "/api/v1/query", json.dumps(body))
            self.assertEqual(status, 200)
            end = json.loads(text.splitlines()[-1])["_status"]
            self.assertEqual((end["complete"], end["reason"]), (False, "timeout"))

    def test_one_tenant_does_not_starve_another(self):
        env = {"SECRET_KEY": "a secret of the tests that is long enough", "DENDRO_WORKER_THREADS": "2"}
        with Server(env=env) as server:
            headers = {}
            for tenant in ("loud", "quiet"):
                code, out, err = run("token", "create", "--data", server.data, "--tenant", tenant, "--role", "admin", env=env)
                self.assertEqual(code, 0, err)
                headers[tenant] = {"Authorization": f"Bearer {out.strip()}"}
            server.ingest([{"body": f"word{i} " * 30, "n": i} for i in range(20_000)], **headers["loud"])
            server.ingest([{"body": "x"}], **headers["quiet"])
            self.assertEqual(server.request("GET", "/api/v1/query?query=x", headers=headers["quiet"])[0], 200)
            slow = json.dumps({"query": "* | sort by (body) | stats by (body) count() as c", "progress": False})
            ended = []

            def loud():
                ended.append(server.request("POST", "/api/v1/query", slow, headers["loud"])[0])

            threads = [threading.Thread(target=loud) for _ in range(12)]
            for thread in threads:
                thread.start()
            answered_before = []
            for _ in range(3):
                self.assertEqual(server.request("GET", "/api/v1/query?query=x", headers=headers["quiet"])[0], 200)
                answered_before.append(len(ended))
            for thread in threads:
                thread.join()
            self.assertEqual(set(ended), {200})
            self.assertLess(answered_before[0], 12, "the quiet tenant waited for all of the loud one's")


if __name__ == "__main__":
    unittest.main()
