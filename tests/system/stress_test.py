"""Everything at once for a while: writers, readers, exports, deletions, compaction. Run under the sanitizers by CTest and,
with the binary users get, by tools/test.sh: optimised code has faults of its own (a cache that remembered by address once).

DENDRO_STRESS_SECONDS (default 8) says how long; DENDRO_SEED repeats the choices, not the timing.
"""
import json
import os
import random
import threading
import time
import unittest
from urllib.parse import urlencode

from dendro_process import Server

SECONDS = float(os.environ.get("DENDRO_STRESS_SECONDS", "8"))
WRITERS = 3
BATCH = 200
DOOMED_EVERY = 10  # of a batch, records that a deletion takes


class Worker(threading.Thread):
    """Calls `work(self)` until told to stop; keeps what it raised."""

    def __init__(self, stop, work):
        super().__init__(daemon=True)
        self.stop_, self.work, self.rounds, self.fault = stop, work, 0, None

    def run(self):
        try:
            while not self.stop_.is_set():
                self.work(self)
                self.rounds += 1
        except Exception as fault:  # handed to the test
            self.fault = fault
            self.stop_.set()


def record(writer, number, part):
    return {"message": f"request {number} of writer {writer} took {number * 7 % 1000} ms, part {part}", "writer": f"w{writer}",
            "number": number, "part": part, "doomed": part % DOOMED_EVERY == 0, "level": ["info", "warn", "error"][part % 3],
            "trace_id": f"{writer:02x}{number:010x}{part:04x}"}


class Stress(unittest.TestCase):
    def setUp(self):
        seed = int(os.environ.get("DENDRO_SEED", random.SystemRandom().randrange(2**32)))
        print(f"seed {seed}")
        self.chance = random.Random(seed)
        self.lock = threading.Lock()
        self.acknowledged = {}  # writer -> batches, all of which are there from then on

    def write(self, server, writer):
        def work(_):
            number = self.acknowledged.get(writer, 0)
            status, reply = server.ingest([record(writer, number, part) for part in range(BATCH)],
                                          **{"Idempotency-Key": f"{writer}-{number}"})
            if status == 429:
                time.sleep(0.05)
                return
            self.assertEqual(status, 200, reply)
            self.acknowledged[writer] = number + 1
        return work

    def read(self, server):
        """Each answer must hold at least what was acknowledged before it was asked for, and be whole."""
        queries = [
            lambda w, n: (f'writer:=w{w} doomed:=false number:<{n} | stats count() as n', lambda rows: rows[0]["n"]),
            lambda w, n: (f'writer:=w{w} doomed:=false number:<{n} | stats by (level) count() as n', lambda rows: sum(r["n"] for r in rows)),
            lambda w, n: (f'"of writer {w} took" doomed:=false number:<{n} | stats count_uniq(trace_id) as n', lambda rows: rows[0]["n"]),
            lambda w, n: (f'writer:=w{w} doomed:=false number:<{n} | sort by (number, part) | fields number, part', len),
        ]

        def work(_):
            with self.lock:
                writer, make = self.chance.randrange(WRITERS), self.chance.choice(queries)
            batches = self.acknowledged.get(writer, 0)
            if batches == 0:
                return
            query, count = make(writer, batches)
            rows, status = server.query(query, limit=0, clip_bytes=0)
            self.assertTrue(status["complete"], (query, status))
            self.assertEqual(count(rows), batches * (BATCH - BATCH // DOOMED_EVERY), query)
        return work

    def export(self, server):
        def work(_):
            writer = 0
            batches = self.acknowledged.get(writer, 0)
            query = urlencode({"query": f"writer:=w{writer} doomed:=false number:<{batches}", "format": "ndjson"})
            status, _, body = server.request("GET", "/api/v1/export?" + query)
            self.assertEqual(status, 200, body[:200])
            keys = {(r["number"], r["part"]) for r in map(json.loads, body.decode().splitlines())}
            self.assertEqual(len(keys), batches * (BATCH - BATCH // DOOMED_EVERY))
        return work

    def maintain(self, server):
        def work(worker):
            paths = [("/api/v1/admin/compact?wait=true", {}), ("/api/v1/admin/delete", {"query": "doomed:=true"})]
            path, body = paths[worker.rounds % 2]
            status, _, reply = server.request("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})
            self.assertIn(status, (200, 202, 409), reply)
            time.sleep(0.05)
        return work

    def test_answers_stay_whole_while_everything_moves(self):
        with Server(env={"DENDRO_MEMTABLE_BYTES_MAX": "512KiB", "DENDRO_MEMORY_LIMIT": "256MiB"}) as server:
            stop = threading.Event()
            works = [self.write(server, w) for w in range(WRITERS)] + [self.read(server)] * 3 + [self.export(server)] * 2
            workers = [Worker(stop, work) for work in works + [self.maintain(server)]]
            for worker in workers:
                worker.start()
            stop.wait(SECONDS)
            stop.set()
            for worker in workers:
                worker.join(timeout=120)
                self.assertFalse(worker.is_alive(), "a call hangs")
            for worker in workers:
                if worker.fault is not None:
                    raise worker.fault
            self.assertTrue(all(worker.rounds > 0 for worker in workers), [worker.rounds for worker in workers])
            for writer, batches in self.acknowledged.items():
                self.assertEqual(server.count(f"writer:=w{writer} doomed:=false"), batches * (BATCH - BATCH // DOOMED_EVERY))
            status, _, reply = server.request("GET", "/api/v1/admin/health")
            self.assertEqual(status, 200)
            print("batches", self.acknowledged, "rounds", [worker.rounds for worker in workers])


if __name__ == "__main__":
    unittest.main()
