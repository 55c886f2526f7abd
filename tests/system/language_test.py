"""What of the query language needs a whole server: explain, saved filters wherever queries are asked, addresses."""
import json
import os
import struct
import tempfile
import unittest
from urllib.parse import urlencode

from dendro_process import Server, run
from web_socket_client import WebSocketClient

RECORDS = [{"service.name": "api" if i % 2 else "web", "body": f"login {i}", "n": i,
            "severity": "error" if i == 3 else "info"} for i in range(6)]


def geo_database(folder):
    """A database of MaxMind's open format with one network, 81.2.0.0/16, in a tree of IPv4."""
    def text(value):
        return bytes([2 << 5 | len(value)]) + value.encode()

    def members(items):
        return bytes([7 << 5 | len(items)]) + b"".join(text(name) + value for name, value in items)

    def uint(kind, size, value):
        return bytes([kind << 5 | size]) + value.to_bytes(size, "big")

    bits = f"{81:08b}{2:08b}"
    nodes = b""
    for at, bit in enumerate(bits):
        onward = at + 1 if at + 1 < len(bits) else len(bits) + 16
        nodes += struct.pack(">II", *((onward, len(bits)) if bit == "0" else (len(bits), onward)))
    metadata = members([("binary_format_major_version", uint(5, 2, 2)), ("binary_format_minor_version", uint(5, 2, 0)),
                        ("build_epoch", bytes([8, 2]) + (1_800_000_000).to_bytes(8, "big")), ("database_type", text("test")),
                        ("description", members([])), ("ip_version", uint(5, 2, 4)), ("languages", bytes([0, 4])),
                        ("node_count", uint(6, 4, len(bits))), ("record_size", uint(5, 2, 32))])
    path = os.path.join(folder, "places.mmdb")
    with open(path, "wb") as file:
        file.write(nodes + bytes(16) + members([("country", members([("iso_code", text("GB"))]))]) + b"\xab\xcd\xefMaxMind.com" + metadata)
    return path


class Language(unittest.TestCase):
    def post(self, server, path, body, status=200):
        got, _, reply = server.request("POST", path, json.dumps(body).encode())
        self.assertEqual(got, status, reply)
        return json.loads(reply) if reply else None

    def test_explain_counts_over_http_and_by_command(self):
        with Server() as server:
            server.ingest(RECORDS)
            explained = self.post(server, "/api/v1/query", {"query": "severity:error | stats count() as n", "explain": "analyze"})
            scan, step = explained["plan"]["scan"], explained["plan"]["steps"][0]
            self.assertEqual(scan["memtable"], {"batches": 1, "batches_outside_range": 0, "records": 6})
            self.assertEqual((step["rows_in"], step["rows_out"]), (1, 1))
            self.assertEqual(explained["read"]["matched"], 1)
            plan = self.post(server, "/api/v1/query", {"query": "severity:error", "explain": "plan"})
            self.assertEqual((list(plan), "memtable" in plan["plan"]["scan"]), (["plan"], False))
            self.post(server, "/api/v1/query", {"query": "*", "explain": "all"}, 400)
            for flag, has_counts in (("--explain", True), ("--explain=plan", False)):
                code, out, err = run("query", "--server", server.url, flag, "severity:error")
                self.assertEqual((code, "memtable  6 records in 1 batches" in out), (0, has_counts), out + err)

    def test_a_saved_filter_means_the_same_everywhere(self):
        with Server() as server:
            self.post(server, "/api/v1/saved", {"name": "mine", "query": "service:=api"}, 201)
            tail = WebSocketClient(server, "/api/v1/tail", "Sec-WebSocket-Protocol: dendro.tail.v1\r\n")
            self.addCleanup(tail.close)
            tail.send(json.dumps({"type": "start", "query": "$mine n:>1", "since": None}))
            self.assertEqual(json.loads(tail.receive())["type"], "hello")
            server.ingest(RECORDS)
            self.assertEqual(server.count("$mine"), 3)
            frame = json.loads(tail.receive())
            while frame["type"] != "rows":
                frame = json.loads(tail.receive())
            self.assertEqual([row["n"] for row in frame["rows"]], [3, 5])
            status, _, exported = server.request("GET", "/api/v1/export?" + urlencode({"query": "$mine", "fields": "n"}))
            self.assertEqual((status, len(exported.splitlines())), (200, 3))
            body = {"query": "$mine"}
            self.assertEqual(self.post(server, "/api/v1/histogram", body)["total"], 3)
            facets = self.post(server, "/api/v1/facets", {**body, "fields": ["service.name"]})
            self.assertEqual(facets["fields"][0]["values"], [{"value": "api", "count": 3}])
            self.assertEqual(self.post(server, "/api/v1/patterns", body)["total_records"], 3)
            rule = {"name": "many of mine", "query": "$mine", "every": "10s", "range": "1h", "condition": {"rows_above": 2}}
            made = self.post(server, "/api/v1/alerts", rule, 201)
            tested = self.post(server, f"/api/v1/alerts/{made['id']}/test", {})
            self.assertEqual((tested["problem"], len(tested["notifications"])), (None, 1), tested)
            self.post(server, "/api/v1/query", {"query": "$nobody"}, 400)
            code, out, err = run("query", "--server", server.url, "-o", "ndjson", "$mine | stats count() as n")
            self.assertEqual((code, out), (0, '{"n":3}\n'), err)

    def test_addresses_have_places(self):
        with tempfile.TemporaryDirectory() as folder:
            record = {"body": "x", "ip": "81.2.69.160"}
            query = "* | geoip ip | fields geo.*"
            with Server() as server:
                server.ingest([record])
                status, _, reply = server.request("GET", "/api/v1/query?" + urlencode({"query": query}))
                self.assertEqual(status, 400)
                self.assertIn("query.geoip_database", json.loads(reply)["detail"])
            path = geo_database(folder)
            with Server(env={"DENDRO_QUERY_GEOIP_DATABASE": path}) as server:
                server.ingest([record])
                self.assertEqual(server.query(query)[0], [{"geo.country.iso_code": "GB"}])
                code, out, err = run("query", "--server", server.url, "-o", "ndjson", query)
                self.assertEqual((code, out), (0, '{"geo.country.iso_code":"GB"}\n'), err)
            log = os.path.join(folder, "x.ndjson")
            with open(log, "w", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
            code, out, err = run("query", "-o", "ndjson", query, log, env={"DENDRO_QUERY_GEOIP_DATABASE": path})
            self.assertEqual((code, out), (0, '{"geo.country.iso_code":"GB"}\n'), err)
            code, _, err = run("query", query, log)
            self.assertEqual(code, 2)
            self.assertIn("query.geoip_database", err)
            code, _, err = run("query", query, log, env={"DENDRO_QUERY_GEOIP_DATABASE": log})
            self.assertEqual(code, 2)
            self.assertIn(log, err)
            with self.assertRaises(RuntimeError):
                Server(env={"DENDRO_QUERY_GEOIP_DATABASE": "/nonexistent.mmdb"})


if __name__ == "__main__":
    unittest.main()
