"""dendro serve end to end: ingest, find, S0 and S1 over HTTP, health, documents, safety rules, stop."""
import gzip
import json
import re
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from dendro_process import Server, run


class Platform(unittest.TestCase):
    def setUp(self):
        self.server = Server(listen=("127.0.0.1:0", "127.0.0.1:0=analytics", "127.0.0.1:0=ingest"))
        self.addCleanup(self.server.__exit__, None)

    def test_what_was_sent_is_found(self):
        status, reply = self.server.ingest([{"level": "error", "service": "api", "msg": "timeout calling db-1"},
                                            {"level": "info", "service": "web", "msg": "ok"}])
        self.assertEqual((status, reply), (200, {"accepted": 2, "rejected": 0, "replayed": False, "errors": []}))
        rows, answer = self.server.query("timeout")
        self.assertEqual([r["body"] for r in rows], ["timeout calling db-1"])
        self.assertEqual((answer["complete"], answer["reason"]), (True, "end"))
        self.assertEqual(rows[0]["severity"], "error")
        status, _, body = self.server.request("GET", "/api/v1/records/" + rows[0]["_id"])
        self.assertEqual((status, json.loads(json.loads(body)["raw"])), (200, {"level": "error", "service": "api", "msg": "timeout calling db-1"}))

    def test_a_retry_with_the_same_key_gets_the_first_reply(self):
        for replayed in (False, True):
            status, reply = self.server.ingest([{"msg": "once"}], **{"Idempotency-Key": "k1"})
            self.assertEqual((status, reply["accepted"], reply["replayed"]), (200, 1, replayed))
        self.assertEqual(self.server.count("once"), 1)
        status, reply = self.server.ingest([{"msg": "other"}], **{"Idempotency-Key": "k1"})
        self.assertEqual((status, reply["code"]), (409, "already_exists"))

    def test_a_broken_line_costs_one_record_which_can_be_read_again(self):
        status, _, body = self.server.request("POST", "/api/v1/ingest", b'{"msg":"a"}\n{"msg":\n{"msg":"b"}\n')
        reply = json.loads(body)
        self.assertEqual((status, reply["accepted"], reply["rejected"], reply["errors"][0]["index"]), (200, 2, 1, 1))
        self.assertEqual(self.server.count("*"), 2)
        rows, _ = self.server.query("dendro.source:=dead_letter")
        self.assertEqual((rows[0]["dendro.reason"], rows[0]["dendro.raw"]), ("parse_error", '{"msg":'))

    def test_a_body_just_under_the_limit_is_taken_whole_and_one_over_it_is_413(self):
        line = json.dumps({"level": "info", "service": "api", "msg": "x" * 600}).encode() + b"\n"
        count = ((64 << 20) - 1) // len(line)
        status, _, body = self.server.request("POST", "/api/v1/ingest", line * count)
        self.assertEqual((status, json.loads(body).get("accepted")), (200, count), body[:300])
        self.assertEqual(self.server.count("*"), count)
        self.assertEqual(self.server.request("POST", "/api/v1/ingest", line * (count + 2))[0], 413)

    def test_packed_and_chunked_bodies(self):
        status, _, _ = self.server.request("POST", "/api/v1/ingest", gzip.compress(b'{"msg":"packed"}\n'), {"Content-Encoding": "gzip"})
        self.assertEqual(status, 200)
        status, _, _ = self.server.request("POST", "/api/v1/ingest", iter([b'{"msg":', b'"chunked"}\n']))
        self.assertEqual(status, 200)
        self.assertEqual((self.server.count("packed"), self.server.count("chunked")), (1, 1))

    def test_records_survive_a_clean_restart(self):
        self.server.ingest([{"msg": f"number {i}"} for i in range(500)])
        self.assertEqual(self.server.stop(), 0)
        with Server(data=self.server.data) as again:
            self.assertEqual(again.count("number"), 500)

    def test_views_beside_the_rows_agree_with_the_query(self):
        self.server.ingest([{"_time": f"2026-01-{1 + i % 20:02}T10:00:00Z", "level": ("info", "error")[i % 3 == 0], "service": "api",
                             "msg": f"order {i} took {i % 7}ms"} for i in range(3000)])
        post = lambda path, body: json.loads(self.server.request("POST", "/api/v1/" + path, json.dumps(body).encode())[2])
        volume = post("histogram", {"query": "order", "tz": "Europe/Berlin"})
        self.assertEqual((volume["total"], volume["complete"], volume["bucket_ns"]), (3000, True, 6 * 3600 * 10**9))
        self.assertEqual({s["key"]: sum(s["counts"]) for s in volume["series"]}, {"info": 2000, "error": 1000})
        fields = post("facets", {"query": "order", "fields": ["severity"]})["fields"]
        self.assertEqual(fields[0]["values"], [{"value": "info", "count": 2000}, {"value": "error", "count": 1000}])
        found = post("patterns", {"query": "order"})["patterns"]
        self.assertEqual((found[0]["count"], sum(found[0]["trend"])), (3000, 3000))
        slots = json.loads(self.server.request("GET", "/api/v1/patterns/" + found[0]["id"])[2])["slots"]
        self.assertEqual([s["distinct"] for s in slots], [3000, 7])
        status, headers, body = self.server.request("GET", "/api/v1/export?query=order")
        lines = body.splitlines()
        self.assertEqual((status, len(lines)), (200, 3000))
        middle = json.loads(lines[1499])["_id"]
        rest = f"/api/v1/export?query=order&cursor={headers['x-dendro-cursor']}&after={middle}"
        self.assertEqual(self.server.request("GET", rest)[2].splitlines(), lines[1500:])
        around = json.loads(self.server.request("GET", f"/api/v1/records/{middle}/context?before=1&after=1")[2])
        self.assertEqual([r["_id"] for r in around["before"] + around["after"]], [json.loads(lines[i])["_id"] for i in (1500, 1498)])

    def test_errors_are_problem_details_with_the_place(self):
        status, headers, body = self.server.request("GET", "/api/v1/query?query=status%3D500")
        problem = json.loads(body)
        self.assertEqual((status, headers["content-type"]), (400, "application/problem+json"))
        self.assertEqual((problem["code"], problem["query"]["column"], problem["query"]["suggestion"]), ("query_syntax", 7, "status:=500"))
        self.assertEqual(problem["request_id"], headers["x-request-id"])

    def test_s1_entries(self):
        for index in (0, 2):  # POST / on platform and on the ingest profile
            status, _, body = self.server.request("POST", "/", b'{"severity":"ERROR","message":"  padded  "}', index=index)
            reply = json.loads(body)
            self.assertEqual((status, reply["statusCode"], reply["message"]), (201, 201, "Log entry created successfully"))
            self.assertRegex(reply["logId"], r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        status, _, body = self.server.request("POST", "/", b'{"severity":"critical","message":"x"}', index=2)
        self.assertEqual((status, body), (400, b'{"statusCode":400,"error":"Invalid severity. Must be one of: info, warning, error"}'))
        for body in (b" " * (1 << 20) + b"x", b" " * (20 << 20)):
            self.assertEqual(self.server.request("POST", "/", body, index=2)[::2], (413, b'{"statusCode":413,"error":"Request body too large"}'))
        packed = gzip.compress(b" " * (2 << 20))
        self.assertEqual(self.server.request("POST", "/", packed, {"Content-Encoding": "gzip"}, index=2)[::2], (413, b'{"statusCode":413,"error":"Request body too large"}'))
        for i in range(150):
            self.server.request("POST", "/", json.dumps({"severity": "info", "message": f"m{i}"}).encode(), index=2)
        for index, path in ((2, "/"), (2, "/recent"), (0, "/recent")):
            status, _, body = self.server.request("GET", path, index=index)
            reply = json.loads(body)
            self.assertEqual((status, reply["count"], len(reply["logs"])), (200, 100, 100))
            self.assertEqual([log["message"] for log in reply["logs"]], [f"m{i}" for i in range(149, 49, -1)])
            for log in reply["logs"]:
                self.assertEqual(list(log), ["logId", "timestamp", "datetime", "severity", "message"])
        status, _, body = self.server.request("GET", "/?limit=1000", index=2)
        self.assertEqual([(log["severity"], log["message"]) for log in json.loads(body)["logs"][-2:]], [("error", "padded")] * 2)

    def test_s0_over_http_equals_the_cli(self):
        with tempfile.TemporaryDirectory() as folder:
            bucket = "file://" + folder
            Path(folder, "old.jsonl").write_text('{"level":"ERROR","service":"old"}\n')
            time.sleep(1.1)  # last_modified has whole seconds, as S3's
            Path(folder, "new.jsonl").write_text('{"level":"ERROR","service":"a"}\n{"level":"ERROR"}\nnot json\n{"level":"ERROR","service":7}\n')
            code, out, err = run("analyze", "--bucket", bucket)
            expected = {"total": 3, "byService": {"a": 1, "unknown": 1, "7": 1}, "alert": True}
            self.assertEqual((code, json.loads(out)), (0, expected), err)
            with Server(listen=("127.0.0.1:0=analytics",), env={"DENDRO_ANALYZE_ALLOWED_BUCKETS": bucket}) as server:
                status, headers, body = server.request("GET", f"/analyze?bucket={bucket}&prefix=")
                self.assertEqual((status, json.loads(body)), (200, expected))
                self.assertEqual((headers["x-dendro-object"], headers["x-dendro-lines-skipped"]), ("new.jsonl", "1"))
                self.assertEqual(server.request("GET", f"/analyze?bucket={bucket}&prefix=none")[::2], (404, b'{"detail":"No logs found at the specified prefix."}'))
                status, _, body = server.request("GET", "/analyze?threshold=abc")
                self.assertEqual((status, [row["loc"] for row in json.loads(body)["detail"]]), (422, [["query", "bucket"], ["query", "prefix"], ["query", "threshold"]]))
        status, _, body = self.server.request("GET", "/analyze?bucket=file:///etc&prefix=", index=1)
        self.assertEqual(status, 403, body)

    def test_health_on_every_profile(self):
        for index in range(3):
            for path, reply in (("/healthz", b'{"status":"ok"}'), ("/health", b'{"status":"ok"}'), ("/_healthz", b'{"status":"HEALTHY","count":0}')):
                self.assertEqual(self.server.request("GET", path, index=index)[::2], (200, reply))
                self.assertEqual(self.server.request("HEAD", path, index=index)[::2], (200, b""))
                self.assertEqual(self.server.request("POST", path, index=index)[0], 405)
        self.assertEqual(self.server.request("GET", "/readyz")[0], 200)
        self.assertIn(b'"version"', self.server.request("GET", "/version")[2])
        self.assertIn(b"dendro_", self.server.request("GET", "/metrics")[2])

    def test_documents_work_offline_and_name_every_route(self):
        document = json.loads(self.server.request("GET", "/openapi.json")[2])
        self.assertEqual(document["openapi"], "3.1.0")
        for path in ("/api/v1/ingest", "/api/v1/query", "/api/v1/records/{id}", "/analyze", "/recent"):
            self.assertIn(path, document["paths"])
        status, headers, page = self.server.request("GET", "/docs")
        self.assertEqual(status, 200)
        self.assertIn(b"/api/v1/ingest", page)
        self.assertFalse(re.findall(rb'(?:src|href)="(?:https?:)?//', page))
        self.assertIn("default-src 'none'", headers["content-security-policy"])
        self.assertEqual(self.server.request("GET", "/")[0], 302)

    def test_open_mode_withstands_rebinding_and_foreign_tenants(self):
        self.assertEqual(self.server.request("GET", "/api/v1/query?query=*", headers={"Host": "evil.example.com"})[0], 421)
        self.assertEqual(self.server.request("GET", "/api/v1/query?query=*", headers={"Host": "localhost"})[0], 200)
        status, _, body = self.server.request("GET", "/api/v1/query?query=*", headers={"X-Tenant-ID": "acme"})
        self.assertEqual(status, 403)
        self.assertIn("SECRET_KEY", json.loads(body)["detail"])
        self.assertEqual(self.server.request("POST", "/api/v1/ingest", b"x", {"Origin": "http://evil.example.com"})[0], 403)

    def test_profiles_keep_their_paths_apart(self):
        self.assertEqual(self.server.request("GET", "/api/v1/query?query=*", index=1)[::2], (404, b'{"detail":"Not Found"}'))
        self.assertEqual(self.server.request("GET", "/api/v1/query?query=*", index=2)[0], 404)
        self.assertEqual(self.server.request("GET", "/docs", index=1)[0], 200)
        self.assertEqual(self.server.request("GET", "/docs", index=2)[0], 404)


class Stop(unittest.TestCase):
    def test_sigterm_answers_what_is_in_flight_and_ends_with_0(self):
        server = Server()
        connection = server.connect()
        connection.putrequest("POST", "/api/v1/ingest")
        connection.putheader("Content-Length", "12")
        connection.endheaders()
        connection.send(b'{"msg"')
        # the request is in flight once its head was read: another exchange on a second connection comes after it
        server.request("GET", "/healthz")
        server.process.send_signal(signal.SIGTERM)
        connection.send(b':"in"}')
        reply = connection.getresponse()
        self.assertEqual((reply.status, json.loads(reply.read())["accepted"]), (200, 1))
        self.assertEqual(server.stop(), 0)
        with Server(data=server.data) as again:
            self.assertEqual(again.count("in"), 1)


class DiskFull(unittest.TestCase):
    def test_a_full_disk_is_507_and_reads_go_on(self):
        with Server(env={"DENDRO_FREE_BYTES_MIN": "1TiB"}) as server:
            status, headers, body = server.request("POST", "/api/v1/ingest", b'{"msg":"x"}')
            self.assertEqual((status, json.loads(body)["code"]), (507, "storage_full"))
            self.assertIn("retry-after", headers)
            self.assertEqual(server.count("*"), 0)


class CommandLine(unittest.TestCase):
    def test_query_on_files_stdin_folder_and_server_agree(self):
        lines = "".join(json.dumps({"_time": f"2026-01-01T00:00:{i:02d}Z", "level": "error" if i % 3 == 0 else "info", "service": f"s{i % 2}", "msg": f"event {i}"}) + "\n" for i in range(60))
        query = "severity:error | stats by (service) count() as n"
        expected = [{"service": "s0", "n": 10}, {"service": "s1", "n": 10}]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "a.ndjson")
            path.write_text(lines)
            packed = Path(folder, "a.ndjson.gz")
            packed.write_bytes(gzip.compress(lines.encode()))
            data = Path(folder, "data")
            self.assertEqual(run("ingest", "--data", data, path)[:2], (0, "60 accepted, 0 refused, 1 requests\n"))
            with Server(data=str(Path(folder, "served"))) as server:
                self.assertEqual(run("ingest", "--server", server.url, packed)[0], 0)
                for args, stdin in (([query, path], b""), ([query, packed], b""), ([query, "-"], lines.encode()), (["--data", data, query], b""), (["--server", server.url, query], b"")):
                    with self.subTest(args=args):
                        code, out, err = run("query", "-o", "ndjson", *args, input_bytes=stdin)
                        self.assertEqual((code, [json.loads(line) for line in out.splitlines()], err), (0, expected, ""))
                code, out, _ = run("query", "--server", server.url, "-o", "csv", query)
                self.assertEqual((code, out.replace("\r", "")), (0, "service,n\ns0,10\ns1,10\n"))
                code, out, _ = run("query", "--server", server.url, "-o", "text", "severity:error", "--limit", "2")
                self.assertEqual((code, out), (0, "event 57\nevent 54\n"))
                code, out, _ = run("query", "--server", server.url, "-o", "table", query)
                self.assertEqual(code, 0)
                self.assertRegex(out, r"service\s+n")

    def test_a_repeated_ingest_with_its_key_stores_nothing_twice(self):
        with Server() as server:
            for _ in range(2):
                run("ingest", "--server", server.url, "--idempotency-key", "nightly", "-", input_bytes=b'{"msg":"a"}\n{"msg":"b"}\n')
            self.assertEqual(server.count("*"), 2)


if __name__ == "__main__":
    unittest.main()
