"""kill -9 while records arrive over HTTP: nothing acknowledged is lost, and a retry with its key stores nothing twice."""
import http.client
import json
import os
import random
import tempfile
import threading
import time
import unittest

from dendro_process import Server

ROUNDS = int(os.environ.get("DENDRO_KILL_ROUNDS", "6"))
WRITERS = 4


class Writer(threading.Thread):
    """Posts numbered batches with retry keys; remembers which were acknowledged and which are in doubt."""

    def __init__(self, server, name, first):
        super().__init__(daemon=True)
        self.server, self.name_, self.next = server, name, first
        self.acknowledged, self.doubtful = [], []

    def body(self, number):
        return "".join(json.dumps({"msg": "x", "batch": f"{self.name_}-{number}", "part": part}) + "\n" for part in range(number % 7 + 1)).encode()

    def post(self, connection, number):
        connection.request("POST", "/api/v1/ingest", self.body(number), {"Idempotency-Key": f"{self.name_}-{number}"})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())

    def run(self):
        connection = self.server.connect(timeout=20)
        while True:
            number, self.next = self.next, self.next + 1
            try:
                status, reply = self.post(connection, number)
            except (OSError, http.client.HTTPException):
                self.doubtful.append(number)
                return
            if status == 200:
                self.acknowledged.append(number)


class Kill(unittest.TestCase):
    def test_nothing_acknowledged_is_lost_and_nothing_is_doubled(self):
        seed = int(os.environ.get("DENDRO_SEED", random.SystemRandom().randrange(2**32)))
        print(f"seed {seed}")
        chance = random.Random(seed)
        with tempfile.TemporaryDirectory() as data:
            expected, nexts = {}, [0] * WRITERS
            for _ in range(ROUNDS):
                server = Server(data=data, env={"DENDRO_MEMTABLE_BYTES_MAX": "256KiB"})
                writers = [Writer(server, f"w{i}", nexts[i]) for i in range(WRITERS)]
                for writer in writers:
                    writer.start()
                time.sleep(chance.uniform(0.05, 0.8))  # the moment of the kill is the random part of the test
                server.kill()
                for writer in writers:
                    writer.join()
                server = Server(data=data)
                for i, writer in enumerate(writers):
                    for number in writer.acknowledged:
                        expected[f"{writer.name_}-{number}"] = number % 7 + 1
                    for number in writer.doubtful:  # a client that got no answer sends again
                        connection = server.connect()
                        status, reply = writer.post(connection, number)
                        connection.close()
                        self.assertEqual(status, 200, reply)
                        expected[f"{writer.name_}-{number}"] = number % 7 + 1
                    nexts[i] = writer.next
                rows, status = server.query("* | stats by (batch) count() as n")
                self.assertTrue(status["complete"], status)
                self.assertEqual({row["batch"]: row["n"] for row in rows}, expected)
                self.assertEqual(server.stop(), 0)
            self.assertGreater(len(expected), 50)


if __name__ == "__main__":
    unittest.main()
