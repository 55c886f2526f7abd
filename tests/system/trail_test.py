"""The trail of uses on the real binary: every route says what it is, every use is there after a kill, and only for those who may read it."""
import base64
import json
import os
import shutil
import tempfile
import time
import unittest
from urllib.parse import quote, urlencode

from dendro_process import Server, run
from web_socket_client import WebSocketClient

SECRET = "a secret of the tests that is long enough"
ENV = {"SECRET_KEY": SECRET}


def token(data, tenant, role):
    code, out, err = run("token", "create", "--data", data, "--tenant", tenant, "--role", role, env=ENV)
    assert code == 0, err
    return out.strip()


def bearer(text, **more):
    return {"Authorization": f"Bearer {text}", **more}


def entries(server, auditor, **filters):
    """The tenant's trail, oldest first, but for the asking itself."""
    status, _, body = server.request("GET", "/api/v1/audit-trail?" + urlencode({"limit": 1000, **filters}), headers=bearer(auditor, **{"X-Tenant-ID": "acme"}))
    assert status == 200, body
    return [row for row in reversed(json.loads(body)["data"]) if row["action"] != "list_audit_trail"]


class Trail(unittest.TestCase):
    def setUp(self):
        self.server = Server(listen=("127.0.0.1:0", "127.0.0.1:0=audit"), env=ENV)
        self.was_killed = False
        self.addCleanup(lambda: self.was_killed or self.server.__exit__(None))
        self.admin = token(self.server.data, "acme", "admin")
        self.reader = token(self.server.data, "acme", "reader")
        self.auditor = token(self.server.data, "acme", "auditor")
        self.ask("POST", "/api/v1/ingest", self.admin, '{"msg":"hello","service":"shop"}')

    def ask(self, method, path, who, body=None, **headers):
        if isinstance(body, dict):
            body = json.dumps(body)
        return self.server.request(method, path, body, bearer(who, **headers))

    def test_every_route_that_asks_for_a_right_says_what_its_use_is(self):
        seen = {}
        for index, path in ((0, "/openapi.json"), (1, "/api/v1/openapi.json")):
            for where, methods in json.loads(self.server.request("GET", path, index=index)[2])["paths"].items():
                for method, row in methods.items():
                    if row["x-dendro-permission"] == "open":
                        continue
                    name = f"{method} {where}"
                    self.assertIn(row["x-dendro-use"], ("none", "read", "change", "own"), f"{name}: set Route::use")
                    if row["x-dendro-use"] == "none" and method != "get":
                        seen[name] = row["operationId"]
        # What takes records in or shows nothing stored, and nothing else, goes unrecorded though it is no GET.
        self.assertEqual(set(seen.values()), {"ingest", "ingest_bulk", "create_entry", "create_log", "create_logs", "index_logs", "edit_query", "translate_query"})

    def test_reads_and_changes_are_there_with_who_what_and_how_it_went(self):
        record = json.loads(self.ask("GET", "/api/v1/query?query=hello", self.reader)[2].splitlines()[1])["_id"]
        reads = [("query", "POST", "/api/v1/query", {"query": "hello"}), ("histogram", "POST", "/api/v1/histogram", {"query": "hello"}),
                 ("facets", "POST", "/api/v1/facets", {"query": "hello"}), ("patterns", "POST", "/api/v1/patterns", {"query": "hello"}),
                 ("complete_query", "POST", "/api/v1/complete", {"query": "service:sh", "offset": 10}), ("get_record", "GET", f"/api/v1/records/{record}", None),
                 ("get_record_context", "GET", f"/api/v1/records/{record}/context", None), ("export", "GET", "/api/v1/export?query=hello", None)]
        for action, method, path, body in reads:
            self.assertEqual(self.ask(method, path, self.reader, body, **{"X-Request-ID": f"of-{action}"})[0], 200, action)
            entry, = entries(self.server, self.auditor, request_id=f"of-{action}")
            self.assertEqual((entry["action"], entry["method"], entry["outcome"], entry["status"], entry["ip_address"], entry["principal_kind"]),
                             (action, method, "allowed", 200, "127.0.0.1", "token"))
            self.assertTrue(entry["user_id"] and entry["token_id"] and entry["timestamp"])
            if "query" in path or body:
                self.assertIn(entry["query_params"]["query"], ("hello", "service:sh"))

        made = json.loads(self.ask("POST", "/api/v1/keys", self.admin, {"name": "shipper", "scopes": ["ingest"]})[2])
        self.ask("DELETE", f"/api/v1/keys/{made['id']}", self.admin)
        self.ask("POST", "/api/v1/saved", self.admin, {"name": "mine", "query": "hello"})
        self.ask("POST", "/api/v1/admin/delete", self.admin, {"query": "nothing_like_this"})
        self.ask("POST", "/api/v1/silences", self.admin, {"bad": 1})
        changes = {row["action"]: row for row in entries(self.server, self.auditor) if row["method"] != "GET"}
        self.assertEqual(changes["create_key"]["result_id"], made["id"])
        self.assertEqual(changes["create_key"]["query_params"], {"name": "shipper", "scopes": '["ingest"]'})
        self.assertEqual(changes["revoke_key"]["resource_path"], f"/api/v1/keys/{made['id']}")
        self.assertEqual(changes["create_saved_query"]["query_params"]["query"], "hello")
        self.assertEqual(changes["delete_records"]["query_params"]["query"], "nothing_like_this")
        self.assertEqual((changes["create_silence"]["outcome"], changes["create_silence"]["status"]), ("failed", 400))
        self.assertNotIn(made["secret"], json.dumps(entries(self.server, self.auditor)))

    def test_a_tail_is_recorded_when_it_opens_and_with_what_it_asks(self):
        socket = WebSocketClient(self.server, "/api/v1/tail", f"Authorization: Bearer {self.reader}\r\nSec-WebSocket-Protocol: dendro.tail.v1\r\n")
        self.addCleanup(socket.close)
        socket.send(json.dumps({"type": "start", "query": "service:shop"}))
        self.assertEqual(json.loads(socket.receive())["type"], "hello")
        opened, asked = entries(self.server, self.auditor, action="tail")
        self.assertNotIn("query", opened["query_params"])
        self.assertEqual(asked["query_params"]["query"], "service:shop")

    def test_the_refused_are_named(self):
        self.assertEqual(self.ask("POST", "/api/v1/keys", self.reader, {"name": "x"})[0], 403)
        self.assertEqual(self.ask("GET", "/api/v1/query?query=1", self.reader, **{"X-Tenant-ID": "bank"})[0], 403)
        deadline = time.monotonic() + 10  # nobody waits for these entries: they come with the next sync
        denied = []
        while len(denied) < 2 and time.monotonic() < deadline:
            denied = [row for row in entries(self.server, self.auditor) if row["outcome"] == "denied"]
        self.assertEqual([(row["action"], row["status"]) for row in denied], [("create_key", 403), ("query_by_parameters", 403)])
        self.assertEqual(denied[1]["query_params"], {"X-Tenant-ID": "bank", "query": "1"})

    def test_an_entry_is_on_disk_when_the_reply_is_here(self):
        for i in range(20):
            self.assertEqual(self.ask("GET", f"/api/v1/query?query=kill{i}", self.reader)[0], 200)
        self.server.kill()
        self.was_killed = True
        self.addCleanup(shutil.rmtree, self.server.data, True)
        with Server(data=self.server.data, env=ENV, listen=("127.0.0.1:0",)) as again:
            asked = [row["query_params"]["query"] for row in entries(again, self.auditor, action="query_by_parameters")]
            self.assertEqual(asked, [f"kill{i}" for i in range(20)])

    def test_only_those_with_the_right_see_it(self):
        self.ask("GET", "/api/v1/query?query=hello", self.reader)
        self.assertEqual(self.ask("GET", "/api/v1/audit-trail", self.reader, **{"X-Tenant-ID": "acme"})[0], 403)
        seen = self.ask("GET", "/api/v1/query?query=dendro.source%3A%3Daudit_trail", self.reader)[2].decode()
        self.assertNotIn("query_by_parameters", seen)
        seen = self.ask("GET", "/api/v1/query?query=dendro.source%3A%3Daudit_trail", self.auditor)[2].decode()
        self.assertIn("query_by_parameters", seen)


class Modes(unittest.TestCase):
    def test_open_servers_record_nothing_unless_told(self):
        for mode, expected in ((None, []), ("all", ["create_saved_query", "query_by_parameters"]), ("changes", ["create_saved_query"])):
            with self.subTest(mode=mode), Server(env={"DENDRO_AUDIT_TRAIL": mode} if mode else None) as server:
                self.assertEqual(server.request("POST", "/api/v1/saved", json.dumps({"name": "mine", "query": "x"}))[0], 201)
                self.assertEqual(server.request("GET", "/api/v1/query?query=hello")[0], 200)
                rows = json.loads(server.request("GET", "/api/v1/audit-trail")[2])["data"]
                self.assertEqual([row["action"] for row in reversed(rows)], expected)

    def test_a_wrong_word_is_refused(self):
        code, _, err = run("serve", "--listen", "127.0.0.1:0", env={"DENDRO_AUDIT_TRAIL": "some"})
        self.assertEqual(code, 2)
        self.assertIn("one of auto, all, changes, off", err)


class Chain(unittest.TestCase):
    """Tamper evidence on the real binary: the settings, the routes, the command, with and without a server."""

    def wait_until(self, condition):
        deadline = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def verify(self, *args):
        code, out, err = run("admin", "verify", *args)
        return code, out, err

    def test_records_are_covered_compared_proved_and_anchored(self):
        folder = tempfile.mkdtemp(prefix="dendro-chain-")
        self.addCleanup(shutil.rmtree, folder, True)
        anchor = os.path.join(folder, "heads.ndjson")
        env = {"DENDRO_AUDIT_CHAIN": "all", "DENDRO_AUDIT_CHAIN_INTERVAL": "50ms", "DENDRO_AUDIT_ANCHOR_FILE": anchor, "DENDRO_AUDIT_ANCHOR_INTERVAL": "0s"}
        with Server(env=env) as server:
            data = server.data
            server.own_folder = False
            self.addCleanup(shutil.rmtree, data, True)
            self.assertEqual(server.request("GET", "/api/v1/chain")[0], 404)
            server.ingest([{"msg": f"line {i}", "i": i, "user": i % 3} for i in range(300)])
            self.wait_until(lambda: server.request("GET", "/api/v1/chain")[0] == 200)
            head = json.loads(server.request("GET", "/api/v1/chain")[2])
            self.wait_until(lambda: os.path.exists(anchor) and f'"index":{head["index"]},' in open(anchor).read())
            status, _, body = server.request("POST", "/api/v1/chain/verify", open(anchor).read())
            report = json.loads(body)
            self.assertEqual((status, report["fault_count"], report["matched"], report["covered"]), (200, 0, 300, 300), body)
            self.assertGreaterEqual(report["anchored"], 1)
            self.assertEqual(server.request("POST", "/api/v1/chain/verify", "nonsense")[0], 400)

            row = server.query("i:=7")[0][0]
            status, _, proof = server.request("GET", f"/api/v1/records/{row['_id']}/proof")
            self.assertEqual(status, 200, proof)
            self.assertEqual(server.request("GET", "/api/v1/records/nothing/proof")[0], 404)
            lines = server.request("GET", "/api/v1/export?proof=true&query=" + quote("i:=7"))[2].decode().splitlines()
            self.assertEqual(len(lines), 1)
            self.assertEqual(json.loads(lines[0])["_proof"], json.loads(proof))
            rows = server.request("GET", "/api/v1/export?proof=true&query=*")[2].decode().splitlines()
            self.assertEqual((len(rows), len({json.loads(row)["_proof"]["record_id"] for row in rows})), (300, 300))
            for params in ("proof=maybe", "proof=true&format=csv"):
                self.assertEqual(server.request("GET", f"/api/v1/export?query=*&{params}")[0], 400, params)
            # A removal is declared first, through the API and by a retention rule alike.
            status, _, _ = server.request("POST", "/api/v1/admin/delete", json.dumps({"query": "user:=2"}))
            self.assertEqual(status, 202)
            self.assertEqual(server.request("POST", "/api/v1/admin/compact?wait=true&all=true")[0], 200)
            code, out, err = self.verify("--tenant", "default", "--server", server.url, "--anchor", anchor)
            self.assertEqual((code, out), (0, ""), err)
            self.assertIn("100 removed", err)
            metrics = server.request("GET", "/metrics")[2].decode()
            self.assertIn("dendro_chain_records_total 300", metrics)

        proof_file = os.path.join(folder, "proof.json")
        open(proof_file, "wb").write(proof)
        code, out, err = self.verify("--proof", proof_file, "--public-key", head["public_key"])
        self.assertEqual(code, 0, err)
        self.assertIn("body: line 7", out)
        open(proof_file, "wb").write(proof.replace(b'"leaf_index":', b'"leaf_index":1'))
        self.assertEqual(self.verify("--proof", proof_file, "--public-key", head["public_key"])[0], 1)

        # Without a server: the folder as it lies there; a deletion by the command line is declared, too.
        code, out, err = self.verify("--tenant", "default", "--data", data, "--anchor", anchor)
        self.assertEqual((code, out), (0, ""), err)
        code, _, err = run("admin", "delete", "--data", data, "--yes", "user:=1")
        self.assertEqual(code, 0, err)
        code, out, err = self.verify("--tenant", "default", "--data", data, "--anchor", anchor, "--public-key", head["public_key"])
        self.assertEqual((code, out), (0, ""), err)
        self.assertIn("200 removed", err)
        self.assertEqual(self.verify("--tenant", "default", "--data", data, "--public-key", "00" * 32)[0], 1)
        self.assertEqual(self.verify("--tenant", "nobody", "--data", data)[0], 1)
        self.assertEqual(self.verify("--tenant", "default")[0], 2)

        # A chain that was cut back is whole in itself; what was anchored tells.
        entries = os.path.join(data, "chain", "default", "entries")
        whole = open(entries, "rb").read()
        last = json.loads(open(anchor).read().splitlines()[-1])["index"]
        self.assertGreater(last, 1)
        open(entries, "r+b").truncate(len(whole) // 2)
        code, out, err = self.verify("--tenant", "default", "--data", data, "--anchor", anchor)
        self.assertEqual(code, 1)
        self.assertIn("the chain was cut back", out)
        # A changed byte is named with its place.
        changed = bytearray(whole)
        changed[200] ^= 1
        open(entries, "wb").write(changed)
        code, out, _ = self.verify("--tenant", "default", "--data", data)
        self.assertEqual(code, 1)
        self.assertIn("entries", out)
        self.assertEqual(oct(os.stat(os.path.join(data, "chain", "key.pem")).st_mode & 0o777), "0o600")

    def test_the_trail_itself_is_covered_by_default_and_a_kill_loses_nothing(self):
        with Server(env={**ENV, "DENDRO_AUDIT_CHAIN_INTERVAL": "20ms"}) as server:
            auditor, reader = (token(server.data, "acme", role) for role in ("auditor", "reader"))
            for i in range(30):
                self.assertEqual(server.request("GET", f"/api/v1/query?query=q{i}", None, bearer(reader))[0], 200)
            self.wait_until(lambda: server.request("GET", "/api/v1/chain", None, bearer(auditor))[0] == 200)
            self.assertEqual(server.request("GET", "/api/v1/chain", None, bearer(reader))[0], 403)
            data = server.data
            server.kill()
            server.stop = lambda: 0
            server.own_folder = False
        self.addCleanup(shutil.rmtree, data, True)
        with Server(data=data, env={**ENV, "DENDRO_AUDIT_CHAIN_INTERVAL": "20ms"}) as server:
            status, _, body = server.request("POST", "/api/v1/chain/verify", "", bearer(auditor))
            report = json.loads(body)
            self.assertEqual((status, report["fault_count"], report["not_covered"]), (200, 0, 0), body)
            self.assertGreaterEqual(report["matched"], 30)

    def test_a_proof_shows_nothing_that_its_reader_may_not_see(self):
        env = {**ENV, "DENDRO_AUDIT_CHAIN": "all", "DENDRO_AUDIT_CHAIN_INTERVAL": "20ms"}
        with Server(env=env) as server:
            code, _, err = run("admin", "role", "put", "support", "--data", server.data, "--permission", "search", "--filter", "service:=shop", "--hide", "card", env=ENV)
            self.assertEqual(code, 0, err)
            admin, support = (token(server.data, "acme", role) for role in ("admin", "support"))
            for service in ("shop", "bank"):
                server.request("POST", "/api/v1/ingest", json.dumps({"msg": "paid", "service": service, "card": "4111"}), bearer(admin))
            self.wait_until(lambda: server.request("GET", "/api/v1/chain", None, bearer(admin))[0] == 200)
            key = json.loads(server.request("GET", "/api/v1/chain", None, bearer(admin))[2])["public_key"]
            rows = [json.loads(line) for line in server.request("GET", "/api/v1/export?query=paid", None, bearer(admin))[2].decode().splitlines()]
            ids = {row["service"]: row["_id"] for row in rows}
            self.assertEqual(server.request("GET", f"/api/v1/records/{ids['bank']}/proof", None, bearer(support))[0], 404)
            status, _, proof = server.request("GET", f"/api/v1/records/{ids['shop']}/proof", None, bearer(support))
            self.assertEqual(status, 200, proof)
            self.assertNotIn(b"4111", proof)
            self.assertNotIn(base64.b64encode(b"4111"), proof)
            with tempfile.NamedTemporaryFile() as file:
                file.write(proof)
                file.flush()
                code, out, err = self.verify("--proof", file.name, "--public-key", key)
            self.assertEqual(code, 0, err)
            self.assertIn("card: (withheld)", out)

    def test_it_can_be_off(self):
        with Server(env={"DENDRO_AUDIT_CHAIN": "off"}) as server:
            server.ingest([{"msg": "x"}])
            self.assertEqual(server.request("GET", "/api/v1/chain")[0], 404)
            self.assertFalse(os.path.exists(os.path.join(server.data, "chain")))
            self.assertEqual(server.request("POST", "/api/v1/admin/delete", json.dumps({"query": "x"}))[0], 202)


if __name__ == "__main__":
    unittest.main()
