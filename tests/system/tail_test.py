"""Live tail end to end: WebSocket and server-sent events while records arrive, a server that is killed, a reader that stops."""
import json
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import unittest

from dendro_process import BINARY, Server, run
from web_socket_client import WebSocketClient


class WebSocket(WebSocketClient):
    """A reader of the live tail: JSON messages out and in."""

    def __init__(self, server, path="/api/v1/tail", receive_bytes=None):
        super().__init__(server, path, "Sec-WebSocket-Protocol: dendro.tail.v1\r\n", receive_bytes)

    def send(self, message, opcode=1):
        super().send(message if isinstance(message, bytes) else json.dumps(message), opcode)

    def receive(self):
        message = super().receive()
        return message if isinstance(message, tuple) else json.loads(message)

    def start(self, query, since=None, **more):
        self.send({"type": "start", "query": query, "since": since, **more})
        return self.receive()


def numbers(frame):
    return [int(row["body"].split()[1]) for row in frame["rows"]] if frame["type"] == "rows" else []


class Tail(unittest.TestCase):
    def setUp(self):
        self.data = tempfile.mkdtemp(prefix="dendro-test-")
        self.addCleanup(shutil.rmtree, self.data, True)

    def connect(self, server, **options):
        tail = WebSocket(server, **options)
        self.addCleanup(tail.close)
        return tail

    def read_until(self, tail, last):
        """Row numbers up to `last`, and the last cursor."""
        seen, cursor = [], None
        while not seen or seen[-1] < last:
            frame = tail.receive()
            self.assertIn(frame["type"], ("rows", "rate"), frame)
            seen += numbers(frame)
            cursor = frame["cursor"]
        return seen, cursor

    def test_two_readers_see_everything_while_records_arrive(self):
        with Server(data=self.data) as server:
            socket_tail = self.connect(server)
            self.assertEqual(socket_tail.start("number", fields=["body"])["type"], "hello")
            lines = []
            reader = subprocess.Popen([BINARY, "tail", "--server", server.url, "-o", "ndjson", "number"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            while True:  # until the second one is there
                _, _, metrics = server.request("GET", "/metrics")
                if b"\ndendro_tails_open 2\n" in metrics:
                    break
            for i in range(0, 1000, 20):
                server.ingest([{"msg": f"number {k}"} for k in range(i, i + 20)] + [{"msg": "noise"}])
            self.assertEqual(self.read_until(socket_tail, 999)[0], list(range(1000)))
            while len(lines) < 1000:
                lines.append(json.loads(reader.stdout.readline()))
            self.assertEqual([int(line["body"].split()[1]) for line in lines], list(range(1000)))
            reader.send_signal(signal.SIGINT)
            _, errors = reader.communicate(timeout=20)
            self.assertEqual((reader.returncode, errors), (0, b""))

    def test_nothing_is_lost_or_doubled_when_the_server_is_killed(self):
        server = Server(data=self.data)
        tail = self.connect(server)
        cursor = tail.start("number")["cursor"]
        acknowledged = 0
        for i in range(0, 300, 10):
            server.ingest([{"msg": f"number {k}"} for k in range(i, i + 10)])
            acknowledged = i + 10
        seen, cursor = [], cursor
        while len(seen) < 150:
            frame = tail.receive()
            seen += numbers(frame)
            cursor = frame["cursor"]
        server.kill()
        with Server(data=self.data) as again:
            again.ingest([{"msg": f"number {k}"} for k in range(acknowledged, acknowledged + 50)])
            resumed = self.connect(again)
            self.assertEqual(resumed.start("number", since=cursor)["cursor"], cursor)
            more, _ = self.read_until(resumed, acknowledged + 49)
            self.assertEqual(seen + more, list(range(acknowledged + 50)))

    def test_the_command_finds_a_server_again_that_was_killed(self):
        server = Server(data=self.data)
        reader = subprocess.Popen([BINARY, "tail", "--server", server.url, "-o", "ndjson", "number"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while b"\ndendro_tails_open 1\n" not in server.request("GET", "/metrics")[2]:
            pass
        server.ingest([{"msg": "number 0"}])
        seen = [int(json.loads(reader.stdout.readline())["body"].split()[1])]
        server.kill()
        with Server(data=self.data, listen=(server.addresses[0],)) as again:
            again.ingest([{"msg": f"number {k}"} for k in range(1, 20)])
            while len(seen) < 20:
                seen.append(int(json.loads(reader.stdout.readline())["body"].split()[1]))
            self.assertEqual(seen, list(range(20)))
            reader.send_signal(signal.SIGINT)
            _, errors = reader.communicate(timeout=20)
            self.assertEqual(reader.returncode, 0)
            self.assertIn(b"trying again", errors)

    def test_a_reader_that_stops_gets_gaps_and_does_not_slow_the_other(self):
        with Server(data=self.data) as server:
            slow, other = self.connect(server, receive_bytes=4096), self.connect(server)
            for tail in (slow, other):
                self.assertEqual(tail.start("number", rows_per_s_max=100000, clip_bytes=0)["type"], "hello")
            count, text, done = 12000, "x" * 4000, []
            reading = threading.Thread(target=lambda: done.extend(self.read_until(other, count - 1)[0]))
            reading.start()
            for i in range(0, count, 200):
                server.ingest([{"msg": f"number {k} {text}"} for k in range(i, i + 200)])
            reading.join(timeout=60)
            self.assertEqual(done, list(range(count)))
            rows, missed, gaps = [], 0, []
            while not rows or rows[-1] < count - 1 and len(rows) + missed < count:
                frame = slow.receive()
                rows += numbers(frame)
                if frame["type"] == "gap":
                    self.assertEqual(frame["reason"], "slow_reader")
                    missed += frame["count"]
                    gaps.append({"from_cursor": frame["from_cursor"], "to_cursor": frame["to_cursor"]})
            self.assertGreater(missed, 0)
            self.assertEqual(len(rows) + missed, count)
            loaded = set()
            for gap in gaps:
                call = {"query": "number", "gap": gap, "limit": 0, "clip_bytes": 64}
                status, _, body = server.request("POST", "/api/v1/query", json.dumps(call).encode())
                self.assertEqual(status, 200, body)
                found = [json.loads(line) for line in body.splitlines()]
                loaded |= {int(row["body"].split()[1]) for row in found if "body" in row}
            self.assertEqual(loaded, set(range(count)) - set(rows))

    def test_a_stopping_server_says_so_first(self):
        server = Server(data=self.data)
        tail, waiting = self.connect(server), self.connect(server)
        tail.start("*")
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        for reader in (tail, waiting):
            frame = reader.receive()
            self.assertEqual((frame["type"], frame["reason"], frame["retry_after_ms"]), ("end", "shutdown", 1000))
            self.assertEqual(reader.receive(), ("close", 1012))
            reader.send(struct.pack(">H", 1012), opcode=8)
        stopping.join(timeout=30)
        self.assertEqual(server.process.returncode, 0)

    def test_bad_calls_of_the_command(self):
        with Server(data=self.data) as server:
            code, _, errors = run("tail", "--server", server.url, "severity:=")
            self.assertEqual((code, "400" in errors), (2, True))
            code, _, errors = run("tail", "--server", server.url, "* | sort by (body)")
            self.assertEqual((code, "cannot be followed" in errors), (2, True), errors)
        self.assertEqual(run("tail", "--server", server.url)[0], 1)
        self.assertEqual(run("tail", "-o", "csv")[0], 2)


if __name__ == "__main__":
    unittest.main()
