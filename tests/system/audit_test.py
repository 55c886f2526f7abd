"""The audit log service end to end on an `audit` listener: shapes, paging, filters, export, clean-up, the stream, a server that is killed."""
import http.client
import json
import os
import random
import re
import shutil
import socket
import struct
import tempfile
import threading
import time
import unittest
from urllib.parse import quote, urlencode

from dendro_process import Server
from web_socket_client import WebSocketClient

# With authentication on: a token of a writer and reader of the tenant.
TOKEN = os.environ.get("DENDRO_AUDIT_TOKEN", "")
TENANT = os.environ.get("DENDRO_AUDIT_TENANT", "default")
LISTEN = ("127.0.0.1:0=audit", "127.0.0.1:0")
FIELDS = ["id", "timestamp", "tenant_id", "action", "resource_type", "resource_id", "severity", "message", "session_id", "user_id", "ip_address",
          "user_agent", "request_id", "before_state", "after_state", "metadata"]
ACTIONS = ["CREATE", "UPDATE", "DELETE", "VIEW", "LOGIN", "LOGOUT", "IMPORT", "EXPORT", "READ"]


def headers(**more):
    found = {"X-Tenant-ID": TENANT, **{name.replace("_", "-"): value for name, value in more.items()}}
    if TOKEN:
        found["Authorization"] = "Bearer " + TOKEN
    return found


def log(message="made", **more):
    return {"action": "CREATE", "resource_type": "user", "resource_id": "u1", "message": message, **more}


class Audit:
    """Calls of one server's audit listener."""

    def __init__(self, server):
        self.server = server

    def call(self, method, path, body=None, **more):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return self.server.request(method, "/api/v1" + path, body, headers(**more))

    def get(self, path, **params):
        status, _, body = self.call("GET", path + ("?" + urlencode(params) if params else ""))
        return status, json.loads(body)

    def create(self, *logs, **more):
        status, _, body = self.call("POST", "/logs/bulk", {"logs": list(logs)}, **more)
        assert status == 202, (status, body)
        return json.loads(body)["data"]

    def all(self, **params):
        """Every log, newest first, page by page."""
        found, cursor = [], None
        while True:
            status, page = self.get("/logs", limit=1000, **params, **({"cursor": cursor} if cursor else {}))
            assert status == 200, page
            found += page["data"]
            cursor = page["meta"]["pagination"]["next_cursor"]
            if cursor is None:
                return found


class Stream(WebSocketClient):
    """A reader of the log stream."""

    def __init__(self, server, query="", lines="", receive_bytes=None):
        own = "".join(f"{name}: {value}\r\n" for name, value in headers().items())
        super().__init__(server, f"/api/v1/logs/stream{query}", lines or own, receive_bytes)

    def frame(self):
        return json.loads(self.receive())


class Service(unittest.TestCase):
    def setUp(self):
        self.server = Server(listen=LISTEN)
        self.addCleanup(self.finish)
        self.audit = Audit(self.server)

    def finish(self):
        self.assertEqual(self.server.stop(), 0, "".join(self.server.log))
        shutil.rmtree(self.server.data, ignore_errors=True)

    def stream(self, query="", **options):
        stream = Stream(self.server, query, **options)
        self.addCleanup(stream.close)
        return stream

    def test_a_posted_log_shows_up_once_with_tenant_and_zoned_time(self):  # item 16
        status, reply, body = self.audit.call("POST", "/logs", log("made", user_id="ann", metadata={"token": "t", "n": [1, {"PASSWORD": "p"}]}))
        self.assertEqual((status, reply["content-type"]), (202, "application/json"))
        self.assertRegex(body.decode(), r'^\{"data":\{"message_id":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}","status":"queued"\},"meta":null\}$')
        _, _, body = self.audit.call("GET", "/logs")
        page = json.loads(body)
        self.assertEqual(body, json.dumps(page, separators=(",", ":")).encode())
        self.assertEqual(page["meta"], {"pagination": {"total": 1, "page": 1, "size": 100, "next_cursor": None}})
        found, = page["data"]
        self.assertEqual(list(found), FIELDS)
        self.assertRegex(found["id"], r"^[0-9a-f]{24}$")
        self.assertRegex(found["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertEqual(found, {**dict.fromkeys(FIELDS), **log(), "id": found["id"], "timestamp": found["timestamp"], "tenant_id": TENANT, "severity": "INFO",
                                 "user_id": "ann", "metadata": {"token": "***", "n": [1, {"PASSWORD": "***"}]}})
        self.assertEqual(self.audit.get("/logs/" + found["id"].upper()), (200, {"data": found, "meta": None}))
        self.assertEqual(self.audit.get("/logs/" + "0" * 24), (404, {"detail": "Log not found"}))
        self.assertEqual(self.audit.get("/logs/nonsense"), (400, {"detail": "Invalid log ID"}))
        rows, _ = self.platform_query('{dendro.source="audit"} metadata.n:=1 user_id:=ann action:=CREATE')
        self.assertEqual([row["message"] if "message" in row else row["body"] for row in rows], ["made"])

    def platform_query(self, query):
        status, _, reply = self.server.request("GET", "/api/v1/query?" + urlencode({"query": query}), index=1)
        self.assertEqual(status, 200, reply)
        lines = [json.loads(line) for line in reply.splitlines()]
        return lines[1:-1], lines[-1]

    def test_faults_point_at_the_field_and_a_bulk_is_never_half_queued(self):  # item 19
        def loc(status, body):
            return status, [fault["loc"] for fault in json.loads(body)["detail"]]
        for body, wanted in ((b"", ["body"]), (b"{", ["body"]), (b"[]", ["body"]), (b'{"action":"SING","resource_type":"a","resource_id":"b","message":"c"}', ["body", "action"]),
                             (b'{"action":"READ","resource_type":"a","message":"c"}', ["body", "resource_id"]),
                             (b'{"action":"READ","resource_type":"a","resource_id":"b","message":"c","metadata":7}', ["body", "metadata"])):
            status, _, reply = self.audit.call("POST", "/logs", body)
            self.assertEqual(loc(status, reply), (422, [wanted]), body)
        bad = {"action": "READ"}
        status, _, reply = self.audit.call("POST", "/logs/bulk", {"logs": [log("a"), bad, log("b"), 7]})
        data = json.loads(reply)["data"]
        self.assertEqual((status, list(data), data["count"], data["status"], len(data["message_ids"])), (202, ["message_ids", "count", "status", "rejected"], 2, "queued", 2))
        self.assertEqual([row["index"] for row in data["rejected"]], [1, 3])
        self.assertEqual(data["rejected"][0]["errors"][0], {"loc": ["body", "logs", 1, "resource_type"], "msg": "Field required", "type": "missing"})
        self.assertEqual(self.audit.call("POST", "/logs/bulk", {"logs": [bad]})[0], 422)
        self.assertEqual(self.audit.call("POST", "/logs/bulk", {"logs": [log()] * 10001})[0], 413)
        self.assertEqual(self.audit.call("POST", "/logs/bulk", b" " * ((16 << 20) + 1))[0], 413)
        self.assertEqual([found["message"] for found in self.audit.all()], ["b", "a"])
        rows, _ = self.platform_query('{dendro.source="dead_letter"} dendro.dialect:=audit')
        self.assertEqual(len(rows), 3)
        status, _, reply = self.server.request("POST", "/api/v1/logs", b"{}", headers(), index=1)
        problem = json.loads(reply)
        self.assertEqual((status, problem["code"], problem["errors"][0]["field"], problem["errors"][0]["loc"]), (422, "invalid_argument", "action", ["body", "action"]))

    def test_pages_over_equal_times_give_each_id_once(self):  # item 20
        for first in range(0, 2500, 500):
            self.audit.create(*(log(str(i)) for i in range(first, first + 500)))
        skipped = [found["id"] for skip in range(0, 2500, 300) for found in self.audit.get("/logs", skip=skip, limit=300)[1]["data"]]
        walked, cursor, number = [], None, 0
        while number == 0 or cursor:
            _, page = self.audit.get("/logs", limit=300, **({"cursor": cursor} if cursor else {}))
            if number == 3:
                self.audit.create(log("meanwhile"))
            number += 1
            walked += page["data"]
            cursor = page["meta"]["pagination"]["next_cursor"]
        self.assertEqual([int(found["message"]) for found in walked], list(range(2499, -1, -1)))
        self.assertEqual(skipped, [found["id"] for found in walked])
        self.assertEqual(len(set(skipped)), 2500)
        pagination = self.audit.get("/logs", skip=200, limit=100)[1]["meta"]["pagination"]
        self.assertEqual((pagination["total"], pagination["page"], pagination["size"]), (2501, 3, 100))
        for params in ({"skip": -1}, {"skip": 10001}, {"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"cursor": "x"}, {"skip": 1, "cursor": "x"}, {"action": "x"},
                       {"start_time": "2026-02-01", "end_time": "2026-01-01"}, {"start_time": "soon"}):
            status, reply = self.audit.get("/logs", **params)
            self.assertEqual((status, reply["detail"][0]["loc"][0]), (422, "query"), params)

    def test_filters_search_statistics_and_export_agree(self):
        self.audit.create(log("User Ann deleted invoice-7", action="DELETE", user_id="ann", severity="ERROR", ip_address="unknown"),
                          log("caf\u00e9 opened", metadata={"user_id": "ann", "deep": [{"note": "red door"}]}, session_id="s1"),
                          log("=HYPERLINK()", resource_type="=1+1", request_id="r1", user_agent="-x"))
        before = self.audit.all()[0]["timestamp"]
        self.audit.create(log("later"))
        for params, messages in (({"user_id": "ann"}, ["caf\u00e9 opened", "User Ann deleted invoice-7"]), ({"action": "DELETE"}, ["User Ann deleted invoice-7"]),
                                 ({"search": "INVOICE-7 ann"}, ["User Ann deleted invoice-7"]), ({"search": '"red door"'}, ["caf\u00e9 opened"]), ({"search": "CAF\u00c9"}, ["caf\u00e9 opened"]),
                                 ({"search": "invoic"}, []), ({"session_id": "s1"}, ["caf\u00e9 opened"]), ({"request_id": "r1"}, ["=HYPERLINK()"]),
                                 ({"ip_address": "unknown"}, ["User Ann deleted invoice-7"]), ({"severity": "ERROR", "user_id": "ann"}, ["User Ann deleted invoice-7"]),
                                 ({"end_time": before}, ["=HYPERLINK()", "caf\u00e9 opened", "User Ann deleted invoice-7"]),
                                 ({"start_time": before, "search": "later"}, ["later"]), ({"resource_type": "=1+1"}, ["=HYPERLINK()"])):
            found = self.audit.all(**params)
            self.assertEqual([row["message"] for row in found], messages, params)
            status, stats = self.audit.get("/logs/stats", **params)
            self.assertEqual((status, stats["data"]["total"]), (200, len(messages)))
            self.assertEqual(sum(stats["data"]["by_resource_type"].values()), len(messages))
            _, exported = self.audit.get("/logs/export", **params)
            self.assertEqual(exported, found)
            _, kind, lines = self.audit.call("GET", "/logs/export?" + urlencode({"format": "ndjson", **params}))
            self.assertEqual(([json.loads(line) for line in lines.splitlines()], kind["content-type"]), (found, "application/x-ndjson"))
        status, kind, table = self.audit.call("GET", "/logs/export?format=csv&request_id=r1")
        self.assertEqual(kind["content-type"], "text/csv; charset=utf-8")
        rows = table.decode().split("\r\n")
        self.assertEqual(rows[0], ",".join(FIELDS))
        self.assertRegex(rows[1], r"^[0-9a-f]{24},[^,]*,default,CREATE,'=1\+1,u1,INFO,'=HYPERLINK\(\),,,,'-x,r1,,,$")
        self.assertEqual(self.audit.get("/stats/count")[1], {"data": {"count": 4}})
        self.assertEqual(self.audit.get("/stats/by-severity")[1], {"data": {"INFO": 3, "WARNING": 0, "ERROR": 1, "CRITICAL": 0}, "meta": None})
        by_action = self.audit.get("/stats/by-action")[1]["data"]
        self.assertEqual((list(by_action), by_action["CREATE"], by_action["DELETE"]), (ACTIONS, 3, 1))
        daily = self.audit.get("/stats/daily", days=30)[1]["data"]
        self.assertEqual((len(daily), sum(day["count"] for day in daily), sorted(daily, key=lambda day: day["date"])), (30, 4, daily))
        self.assertEqual(self.audit.get("/stats/daily", days=31)[0], 422)

    def test_an_export_is_whole_and_its_reading_was_recorded_first(self):
        for first in range(0, 30000, 10000):
            self.audit.create(*(log(str(i), metadata={"filler": "x" * 300}) for i in range(first, first + 10000)))
        connection = self.server.connect()
        connection.request("GET", "/api/v1/logs/export?format=ndjson&secret=hush", headers=headers(X_Request_ID="export-1"))
        reply = connection.getresponse()
        first_line = reply.readline()
        status, trail = self.audit.get("/audit-trail", action="export_logs")
        entry, = trail["data"]
        self.assertEqual(list(entry), ["id", "timestamp", "tenant_id", "user_id", "token_id", "action", "resource_path", "query_params", "ip_address", "request_id"])
        self.assertEqual((status, entry["query_params"], entry["ip_address"], entry["request_id"]), (200, {"format": "ndjson", "secret": "***"}, "127.0.0.1", "export-1"))
        messages = [json.loads(line)["message"] for line in [first_line, *reply]]
        self.assertEqual([int(message) for message in messages], list(range(29999, -1, -1)))
        connection.close()
        self.audit.get("/logs", limit=1)
        self.assertEqual([row["action"] for row in self.audit.get("/audit-trail")[1]["data"]], ["list_logs", "list_audit_trail", "export_logs"])

    def test_cleaning_up_leaves_what_is_young(self):  # item 22; ages are those of tests/services/audit
        self.audit.create(log("young"))
        for path in ("/logs?days=0", "/logs", "/logs?days=x", "/logs/cleanup?days=-1"):
            self.assertEqual(self.audit.call("DELETE", path)[0], 422, path)
        for path, word in (("/logs?days=30", "Deleted"), ("/logs/cleanup?days=1", "Deleted"), ("/logs?days=1&dry_run=true", "Would delete")):
            status, _, body = self.audit.call("DELETE", path)
            data = json.loads(body)["data"]
            self.assertEqual((status, list(data)), (200, ["message", "deleted_count", "opensearch_deleted", "opensearch_error", "cutoff_date"]))
            self.assertRegex(data["message"], rf"^{word} logs older than \d+ days$")
            self.assertEqual((data["deleted_count"], data["opensearch_error"]), (0, None))
        self.assertEqual(len(self.audit.all()), 1)
        self.assertEqual(self.audit.call("POST", "/logs/index/bulk?limit=10")[2], b'{"data":{"message":"No logs found to index","count":0},"meta":null}')

    def test_the_profile_welcomes_documents_and_refuses_the_rest(self):
        self.assertEqual(self.server.request("GET", "/")[::2], (200, b'{"message":"Welcome to dendro"}'))
        self.assertEqual(self.server.request("POST", "/", b"{}")[::2], (405, b'{"detail":"Method Not Allowed"}'))
        for path in ("/openapi.json", "/recent", "/analyze", "/api/v1/nothing"):
            self.assertEqual(self.server.request("GET", path)[::2], (404, b'{"detail":"Not Found"}'), path)
        document = json.loads(self.server.request("GET", "/api/v1/openapi.json")[2])
        for path, method in (("/logs", "post"), ("/logs/bulk", "post"), ("/logs", "get"), ("/logs/{id}", "get"), ("/logs/export", "get"), ("/logs/stats", "get"), ("/stats/count", "get"),
                             ("/stats/by-severity", "get"), ("/stats/by-action", "get"), ("/stats/daily", "get"), ("/logs", "delete"), ("/logs/cleanup", "delete"),
                             ("/logs/index/bulk", "post"), ("/logs/stream", "get"), ("/audit-trail", "get")):
            self.assertIn(method, document["paths"]["/api/v1" + path])
        for path in ("/docs", "/api/v1/docs"):
            status, _, page = self.server.request("GET", path)
            self.assertEqual(status, 200)
            self.assertIn(b"/api/v1/logs/stream", page)
            self.assertFalse(re.findall(rb'(?:src|href)="(?:https?:)?//', page))
        with Server(listen=("127.0.0.1:0=audit",), env={"API_V1_STR": "/api/v9", "PROJECT_NAME": "ocelot"}) as moved:
            self.assertEqual(moved.request("GET", "/")[2], b'{"message":"Welcome to ocelot"}')
            self.assertEqual((moved.request("GET", "/api/v9/logs")[0], moved.request("GET", "/api/v1/logs")[0], moved.request("GET", "/api/v9/docs")[0]), (200, 404, 200))

    def test_the_stream_greets_filters_echoes_and_resumes(self):
        stream = self.stream("?filters=" + quote('{"severity":"ERROR"}'))
        self.assertIn(b" 101 ", stream.head)
        hello = stream.frame()
        self.assertEqual((list(hello), hello["type"], hello["tenant_id"], hello["message"]),
                         (["type", "tenant_id", "connection_id", "message"], "connection_established", TENANT, "Connected to log stream"))
        ids = self.audit.create(log("one"), log("two", severity="ERROR"))["message_ids"]
        frame = stream.frame()
        self.assertEqual((list(frame), frame["message"], frame["message_id"], frame["status"]), (FIELDS + ["message_id", "status"], "two", ids[1], "stored"))
        self.assertEqual({key: frame[key] for key in FIELDS}, self.audit.get("/logs/" + frame["id"])[1]["data"])
        stream.send('{"type":"filters","filters":{"user_id":"ann"}}')
        stream.send("hello \u00e9")
        self.assertEqual(stream.receive(), '{"type":"echo","data":"hello \u00e9"}')
        self.audit.create(log("three", severity="ERROR"), log("four", metadata={"user_id": "ann"}))
        self.assertEqual(stream.frame()["message"], "four")
        stream.close()
        self.audit.create(log("five"))
        resumed = self.stream("?after=" + frame["id"])
        self.assertEqual([resumed.frame().get("type"), *(resumed.frame()["message"] for _ in range(3))], ["connection_established", "three", "four", "five"])
        self.audit.create(log("six"))
        self.assertEqual(resumed.frame()["message"], "six")
        for query in ("?filters=x", "?filters=" + quote('{"action":"SING"}'), "?after=x", "?after=" + "0" * 24, "?tenant=other"):
            self.assertEqual(self.stream(query).receive(), ("close", 1008), query)
        self.assertEqual(self.stream(lines="X-Tenant-ID: other\r\n").receive(), ("close", 1008))

    def test_a_slow_reader_is_told_what_it_missed_and_delays_nobody(self):
        slow, other = self.stream(receive_bytes=4096), self.stream()
        for stream in (slow, other):
            stream.frame()
        count, got = 6000, []
        reader = threading.Thread(target=lambda: got.extend(other.frame()["message"].split()[0] for _ in range(count)))
        reader.start()
        for first in range(0, count, 200):
            self.audit.create(*(log(f"{i} " + "x" * 3000) for i in range(first, first + 200)))
        reader.join(timeout=60)
        self.assertEqual([int(number) for number in got], list(range(count)))
        expected = dropped = 0
        while expected < count:
            frame = slow.frame()
            if frame.get("type") == "dropped":
                self.assertEqual(list(frame), ["type", "count", "from", "to"])
                first, last = (int(self.audit.get("/logs/" + frame[end])[1]["data"]["message"].split()[0]) for end in ("from", "to"))
                self.assertEqual((first, frame["count"]), (expected, last - first + 1))
                dropped += frame["count"]
                expected = last + 1
            else:
                self.assertEqual(int(frame["message"].split()[0]), expected)
                expected += 1
        self.assertGreater(dropped, 0)

    def test_a_stopping_server_closes_its_streams_with_1012(self):
        with Server(listen=LISTEN) as server:
            stream = Stream(server)
            self.addCleanup(stream.close)
            stream.frame()
            stopping = threading.Thread(target=server.stop)
            stopping.start()
            self.assertEqual(stream.receive(), ("close", 1012))
            stream.send(struct.pack(">H", 1012), opcode=8)
            stopping.join(timeout=30)


class Kill(unittest.TestCase):
    """Writers with retry keys and a follower of the stream while the server is killed."""

    def write(self, audit, name, state, stop):
        while not stop.is_set():
            number = state["next"]
            try:
                if number % 3 == 0:
                    status = audit.call("POST", "/logs", log(f"{name}-{number}-0"), Idempotency_Key=f"{name}-{number}")[0]
                else:
                    logs = [log(f"{name}-{number}-{part}") for part in range(number % 7 + 1)]
                    status = audit.call("POST", "/logs/bulk", {"logs": logs}, Idempotency_Key=f"{name}-{number}")[0]
            except (OSError, http.client.HTTPException):
                return  # sent again when the server is back
            if status == 202:
                state["next"] = number + 1

    def wanted(self, states):
        return {"first"} | {f"{name}-{number}-{part}" for name, state in states.items() for number in range(state["next"]) for part in range(1 if number % 3 == 0 else number % 7 + 1)}

    def follow(self, server, after, seen):
        try:
            stream = Stream(server, f"?after={after}")
            while True:
                frame = json.loads(stream.receive())
                if "id" in frame:
                    seen.append((frame["id"], frame["message"]))
        except (OSError, EOFError, ValueError, TypeError):
            stream.close()

    def test_nothing_acknowledged_is_lost_or_doubled(self):  # items 16 and 21 on the engine
        seed = int(os.environ.get("DENDRO_SEED", random.SystemRandom().randrange(2**32)))
        print(f"seed {seed}")
        chance = random.Random(seed)
        states = {f"w{i}": {"next": 0} for i in range(4)}
        seen = []  # id and message of each frame
        with tempfile.TemporaryDirectory() as data:
            for _ in range(int(os.environ.get("DENDRO_KILL_ROUNDS", "5"))):
                server = Server(listen=LISTEN, data=data, env={"DENDRO_MEMTABLE_BYTES_MAX": "256KiB"})
                stop = threading.Event()
                if not seen:
                    Audit(server).create(log("first"))
                    seen.append((Audit(server).all()[0]["id"], "first"))
                follower = threading.Thread(target=self.follow, args=(server, seen[-1][0], seen))
                follower.start()
                while b"\ndendro_audit_streams_open 1\n" not in server.request("GET", "/metrics")[2]:
                    pass
                writers = [threading.Thread(target=self.write, args=(Audit(server), name, state, stop)) for name, state in states.items()]
                for writer in writers:
                    writer.start()
                time.sleep(chance.uniform(0.1, 0.8))  # the moment of the kill is the random part of the test
                server.kill()
                for thread in (*writers, follower):
                    thread.join()
            with Server(listen=LISTEN, data=data) as server:
                stop = threading.Event()
                for name, state in states.items():  # what was in doubt is sent again
                    before = state["next"]
                    writer = threading.Thread(target=self.write, args=(Audit(server), name, state, stop))
                    writer.start()
                    while state["next"] == before:
                        time.sleep(0.001)
                    stop.set()
                    writer.join()
                    stop.clear()
                stored = [found["message"] for found in Audit(server).all()]
                self.assertEqual(len(stored), len(set(stored)), "stored twice")
                self.assertEqual(set(stored), self.wanted(states))
                self.assertGreater(len(stored), 100)
                stream = Stream(server, "?after=" + seen[-1][0])
                stream.frame()
                while len(seen) < len(stored):
                    frame = stream.frame()
                    seen.append((frame["id"], frame["message"]))
                stream.close()
                messages = [message for _, message in seen]
                self.assertEqual(len(messages), len(set(messages)), "sent twice")
                self.assertEqual(set(messages), set(stored))


if __name__ == "__main__":
    unittest.main()
