"""The benchmark of the storage engine measures what it says: its generator, its loader, its table of queries, its checks."""
import http.server
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "bench" / "engine"
sys.path.insert(0, str(FOLDER))
import compare  # noqa: E402
import harness  # noqa: E402


def program(name, source, folder):
    """Built here, since only the bench preset builds it; DENDRO_ENGINE_BENCH names a folder where it is built already."""
    if os.environ.get("DENDRO_ENGINE_BENCH"):
        return Path(os.environ["DENDRO_ENGINE_BENCH"], name)
    compiler = shutil.which("clang++-19") or shutil.which("c++")
    if not compiler:
        raise unittest.SkipTest("no C++ compiler to build %s with" % name)
    path = Path(folder, name)
    subprocess.run([compiler, "-O0", "-std=c++20", str(FOLDER / source), "-o", str(path), "-pthread"], check=True)
    return path


def sample_records(count=200):
    """Shaped like container logs: a trace in several records, in a field and in the text; escapes; a route that stays."""
    rng = random.Random(5)
    traces = ["%032x" % rng.getrandbits(128) for _ in range(count // 8)]
    for i in range(count):
        trace = rng.choice(traces)
        yield {"_time": "2023-01-%02dT08:%02d:%02d.%09dZ" % (28 + i // 100, i % 60, i * 7 % 60, rng.randrange(1, 10**9)),
               "pod": "ts-travel-service-64469b5b48-25zj6", "trace_id": trace, "status": rng.choice([200, 200, 200, 500]),
               "took": rng.randrange(10, 100), "ratio": rng.random(), "peer": "10.0.%d.%d" % (rng.randrange(4), rng.randrange(250)),
               "uid": "C" + "".join(rng.choices("abcdefghijABCDEFGHIJ0123456789", k=17)),
               "_msg": "16:48:42.424 INFO TraceID: %s \"route\" d\u00e9j\u00e0\tvu cpu1 seat %d\\u0041bcdefghijkl1M" % (trace, rng.randrange(10**8, 10**9))}


class ScaleUp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.program = program("engine_scale_up", "scale_up.cc", cls.folder.name)
        cls.records = list(sample_records())
        cls.source = Path(cls.folder.name, "sample.ndjson")
        cls.source.write_text("".join(json.dumps(record, ensure_ascii=i % 2 == 0) + "\n" for i, record in enumerate(cls.records)))

    def run_program(self, *args):
        done = subprocess.run([self.program, *map(str, args)], capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, done.stderr.decode()

    def scaled(self, seed=7, times=5):
        return self.run_program("--in", self.source, "--times", times, "--seed", seed)

    def copies(self):
        records = [json.loads(line) for line in self.scaled()[0].splitlines()]
        return [records[i:i + 200] for i in range(0, 1000, 200)]

    def test_the_same_seed_gives_the_same_bytes_and_another_others(self):
        first, text = self.scaled()
        self.assertEqual((first, text), self.scaled())
        self.assertRegex(text, r"generator \d+, seed 7: 1000 records, \d+ bytes, xxh3 [0-9a-f]{16}")
        self.assertNotEqual(first, self.scaled(seed=8)[0])

    def test_every_line_is_json_with_the_same_fields_and_copy_0_is_the_input(self):
        copies = self.copies()
        self.assertEqual(copies[0], self.records)
        for copy in copies:
            self.assertEqual([list(record) for record in copy], [list(record) for record in self.records])
            self.assertEqual([type(record["ratio"]) for record in copy], [type(record["ratio"]) for record in self.records])

    def test_days_move_and_the_time_of_day_stays_to_the_millisecond(self):
        for k, copy in enumerate(self.copies()):
            for old, new in zip(self.records, copy):
                self.assertEqual(int(new["_time"][8:10]) + (31 if new["_time"][5:7] == "02" else 0), int(old["_time"][8:10]) + k)
                self.assertEqual(new["_time"][10:23], old["_time"][10:23])
                self.assertTrue(new["_msg"].startswith("16:48:42.424 INFO TraceID: "))

    def test_ids_are_fresh_and_one_id_stays_one_within_a_copy(self):
        seen = set()
        for copy in self.copies():
            fresh = {}
            for old, new in zip(self.records, copy):
                self.assertIn(new["trace_id"], new["_msg"])
                self.assertEqual(fresh.setdefault(old["trace_id"], new["trace_id"]), new["trace_id"])
            self.assertEqual(len(set(fresh.values())), len(fresh))
            for ids in (set(fresh.values()), {record["uid"] for record in copy}):
                self.assertFalse(seen & ids)
                seen |= ids

    def test_what_has_few_values_stays_and_numbers_are_those_seen(self):
        took = sorted(record["took"] for record in self.records)
        for copy in self.copies():
            self.assertEqual({record["pod"] for record in copy}, {self.records[0]["pod"]})
            self.assertEqual([record["status"] for record in copy], [record["status"] for record in self.records])
            self.assertLessEqual({record["took"] for record in copy}, set(took))
            self.assertLessEqual({record["peer"] for record in copy}, {record["peer"] for record in self.records})

    def test_text_lines_are_scaled_too(self):
        path = Path(self.folder.name, "lines.log")
        path.write_text("".join("disk%d: 0x%08x at 10.1.2.%d \\x %d\n" % (i % 3, i * 7919, i % 200, i) for i in range(300)))
        out, _ = self.run_program("--in", path, "--times", 3)
        lines = out.decode().splitlines()
        self.assertEqual(len(lines), 900)
        self.assertTrue(all(line.split(":")[0] in ("disk0", "disk1", "disk2") for line in lines))

    def test_synthetic_sets_are_json_of_the_size_asked_for(self):
        for name, fields in (("access", 10), ("wide300", 300), ("java", 6)):
            with self.subTest(name=name):
                out, _ = self.run_program("--synthetic", name, "--bytes", 300_000)
                self.assertEqual(out, self.run_program("--synthetic", name, "--bytes", 300_000)[0])
                self.assertTrue(300_000 <= len(out) < 330_000)
                self.assertEqual({len(json.loads(line)) for line in out.splitlines()}, {fields})
        self.assertTrue(any("\n\tat " in json.loads(line)["body"] for line in out.splitlines()))


class FakeIntake(http.server.BaseHTTPRequestHandler):
    """Busy at every fifth request; keeps the bodies it took."""
    protocol_version = "HTTP/1.1"

    refuses = False

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.guard:
            self.server.count += 1
            busy = self.server.count % 5 == 0
            if not busy:
                self.server.bodies.append(body)
                self.server.seen_headers.add(self.headers["X-Test"])
        self.send_response(400 if self.refuses else 429 if busy else 200)
        if busy:
            self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


class Load(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.program = program("engine_load", "load.cc", cls.folder.name)
        cls.source = Path(cls.folder.name, "lines.ndjson")
        cls.source.write_text("".join('{"n":%d}\n' % i for i in range(1000)))

    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeIntake)
        self.server.guard, self.server.count, self.server.bodies, self.server.seen_headers = threading.Lock(), 0, [], set()
        self.server.daemon_threads = True
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def load(self, *args):
        url = "http://127.0.0.1:%d/in?a=b" % self.server.server_address[1]
        done = subprocess.run([self.program, "--url", url, "--file", self.source, "--header", "X-Test: yes", *map(str, args)],
                              capture_output=True, timeout=60)
        return done.returncode, json.loads(done.stdout)

    def test_each_line_arrives_once_although_the_server_is_busy(self):
        for args in (["--batch-bytes", 777, "--connections", 4], ["--batch-records", 7], ["--batch-records", 100, "--connections", 8]):
            with self.subTest(args=args):
                self.server.bodies.clear()
                code, result = self.load(*args)
                self.assertEqual((code, result["failed"], result["complete"]), (0, 0, True))
                self.assertEqual(sorted(b"".join(self.server.bodies).splitlines()), sorted(self.source.read_bytes().splitlines()))
                self.assertEqual(result["bytes"], self.source.stat().st_size)
                self.assertEqual(result["statuses"]["200"], result["requests"])
                self.assertEqual(result["statuses"].get("429", 0), result["retries"])
                self.assertTrue(all(body.endswith(b"\n") for body in self.server.bodies))
        self.assertEqual(self.server.seen_headers, {"yes"})

    def test_a_rate_limit_is_kept(self):
        _, result = self.load("--batch-records", 10, "--rate-rps", 200, "--connections", 4)
        self.assertGreater(result["wall_s"], 0.45)

    def test_a_refusal_is_told(self):
        self.server.RequestHandlerClass = type("Refuses", (FakeIntake,), {"refuses": True})
        code, result = self.load("--batch-records", 500)
        self.assertEqual((code, result["complete"]), (1, False))
        self.assertEqual(result["failed"], 2)

    def test_the_sink_takes_everything(self):
        done = subprocess.run([self.program, "--sink", "--file", self.source, "--batch-records", "3"], capture_output=True, timeout=60)
        result = json.loads(done.stdout)
        self.assertEqual((done.returncode, result["requests"], result["bytes"]), (0, 334, self.source.stat().st_size))


class Queries(unittest.TestCase):
    def test_the_table_is_well_formed(self):
        data = harness.read_queries()
        names = set()
        for query in data["queries"]:
            with self.subTest(query=query["name"]):
                self.assertIn(query["dataset"], data["datasets"])
                self.assertNotIn((query["dataset"], query["name"]), names)
                names.add((query["dataset"], query["name"]))
                self.assertTrue(query["vl"] and query["dendro"])
                self.assertIn(query["truth"]["kind"], ("count", "rows", "table", "top", "newest", "unchecked"))
                # What the language lacks is named, so that leaving a query out is always visible.
                self.assertEqual("regex" in query["needs"], '~"' in query["dendro"])
                if "dendro_until_built" in query:
                    self.assertTrue(query["needs"])
        self.assertEqual({dataset for dataset, _ in names}, set(data["datasets"]))

    def test_wrong_answers_are_told(self):
        truth = {"kind": "table", "rows": 2, "sums": {"n": 5.0}, "tolerance": 0.001}
        expected = {"rows": 2, "n": 5.0}
        right = compare.answer_of(truth, [{"n": "2"}, {"n": 3.0005}])
        self.assertEqual(compare.fault_between(right, expected, truth), "")
        wrong = compare.answer_of(truth, [{"n": 2}, {"n": 4}])
        self.assertIn("must be", compare.fault_between(wrong, expected, truth))
        newest = {"kind": "newest", "limit": 2}
        got = compare.answer_of(newest, [{"_time": "2024-01-01T00:00:01.5Z"}, {"_time": "2024-01-01T00:00:01Z"}])
        self.assertEqual(got, ["2024-01-01T00:00:01.500000000", "2024-01-01T00:00:01.000000000"])
        self.assertIn("entry 1", compare.fault_between(list(reversed(got)), got, newest))
        self.assertIn("must be 7", compare.fault_between(compare.answer_of({"kind": "count"}, [{"n": 6}]), 7, {}))

    def test_text_becomes_ndjson_with_steps_of_a_millisecond(self):
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "a.log"), Path(folder, "a.ndjson")
            source.write_bytes(b'one "x"\n\n\ttwo\\\n')
            harness.lines_to_ndjson(source, target)
            records = [json.loads(line) for line in target.read_text().splitlines()]
        self.assertEqual([record["_msg"] for record in records], ['one "x"', "", "\ttwo\\"])
        self.assertEqual([record["_time"] for record in records], ["2024-01-01T00:00:00.%03dZ" % i for i in range(3)])


if __name__ == "__main__":
    unittest.main()
