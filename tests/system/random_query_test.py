"""Random queries over real logs: the answer of a server whose records are in memory, in segments, in both, merged, with some of
them deleted, and of files, equals what naive_query.py finds by looking at each record.

DENDRO_SEED repeats a run (it is printed), DENDRO_RANDOM_QUERIES is how many queries a data set gets (default 50).
"""
import hashlib
import json
import os
import random
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from urllib.parse import urlencode

import naive_query
from dendro_process import CORPORA, Server, run
from naive_query import Numeral, Record, json_text, read_json, same_rows
from random_query import RandomQueries

QUERIES = int(os.environ.get("DENDRO_RANDOM_QUERIES", "50"))
RECORDS = int(os.environ.get("DENDRO_RANDOM_RECORDS", "3000"))
EXPORT_ROWS = int(os.environ.get("DENDRO_EXPORT_ROWS", "100000"))
LOGHUB = CORPORA.parent / "loghub"
SYSTEMS = ("Android", "Apache", "BGL", "HDFS", "HPC", "Hadoop", "Mac", "OpenSSH", "Proxifier", "Spark", "Windows", "Zookeeper")
START_NS = 1_762_000_000 * 10**9


def corpus(path):
    if path.exists():
        return path
    if os.environ.get("DENDRO_REQUIRE_CORPORA"):
        raise AssertionError(f"{path} is missing, and DENDRO_REQUIRE_CORPORA is set")
    raise unittest.SkipTest(f"the corpora are not beside this checkout ({path})")


def lines_of(name, chance):
    """Some of the lines of a packed corpus, in their order."""
    command = ["zstd", "-dcq", "--long=27", str(corpus(CORPORA / name))]
    lines = subprocess.run(command, check=True, capture_output=True).stdout.split(b"\n")
    # A part in one piece, so that values repeat, and single lines from everywhere.
    first = chance.randrange(max(1, len(lines) - RECORDS // 2))
    chosen = set(range(first, first + RECORDS // 2)) | set(chance.sample(range(len(lines)), RECORDS // 2))
    return [lines[i] for i in sorted(chosen) if i < len(lines) and lines[i]]


def decoded(lines):
    """Texts only: what is no UTF-8 is the matter of tests/filter."""
    for line in lines:
        try:
            text = line.decode().rstrip("\r")
        except UnicodeDecodeError:
            continue
        if text:
            yield text


class Source:
    """Records to be sent, and the same as naive_query sees them."""

    def __init__(self):
        self.lines, self.records = [], []

    def add(self, time_ns, body, attributes, labels, trace_id=None, severity=None):
        row = len(self.records)
        shown = {"_time": time_ns, "body": body, "row": Numeral(row)} | attributes | labels
        fields = {"row": Numeral(row)} | attributes | labels | ({"body": body} if body is not None else {})
        searched = [Numeral(row), *attributes.values(), *labels.values()] + ([body] if body is not None else [])
        number = 0
        if trace_id is not None:
            shown["trace_id"] = fields["trace_id"] = trace_id
            searched.append(trace_id)
        if severity is not None:
            word, number = severity
            shown["level"] = word
            searched.append(word)
        shown["_time"] = Numeral(time_ns)
        if body is None:
            del shown["body"]
        self.lines.append(json_text(shown))
        self.records.append(Record(row, time_ns, fields, labels, searched, number))


def nezha(chance):
    source = Source()
    levels = {"INFO": 9, "ERROR": 17, "WARN": 13, "DEBUG": 5}
    for i, line in enumerate(decoded(lines_of("nezha.ndjson.zst", chance))):
        sent = json.loads(line)
        word = next((w for w in levels if f" {w} " in sent["_msg"][:30]), "INFO")
        source.add(START_NS + i // 3 * 7 * 10**9, sent["_msg"], {"node": sent["node"], "pod": sent["pod"]},
                   {"container": sent["container"], "service.name": sent["pod"].rsplit("-", 2)[0]}, sent["trace_id"],
                   (word, levels[word]))
    return source


def zeek(chance):
    source = Source()
    for i, line in enumerate(decoded(lines_of("zeek.ndjson.zst", chance))):
        sent = {"z." + k: v for k, v in read_json(line).items() if k not in ("ts", "_write_ts")}
        source.add(START_NS + i * 10**9 + i % 1000, None, sent, {"host.name": f"sensor-{i % 4}"})
    return source


def dmesg(chance):
    source = Source()
    for i, text in enumerate(decoded(lines_of("bsd-dmesg.log.zst", chance))):
        device = text.split(":")[0]
        source.add(START_NS + i // 50 * 10**9, text, {"device": device, "size": Numeral(len(text))}, {"service.name": "kernel"})
    return source


def loghub(chance):
    source = Source()
    for system in SYSTEMS:
        path = corpus(LOGHUB / system / f"{system}_2k.log")
        lines = path.read_bytes().split(b"\n")
        step = max(1, 12 * 2000 // RECORDS)
        for i, text in enumerate(decoded(lines[chance.randrange(step)::step])):
            words = text.split()
            source.add(START_NS + i * 60 * 10**9, text, {"first": words[0] if words else "", "words": Numeral(len(words))},
                       {"service.name": system})
    return source


def invented(chance):
    """What the corpora lack: numbers as they may be written, empty values, null, booleans, lists, other scripts, nested bodies."""
    source = Source()
    words = ["error", "Error", "ERROR", "err", "straße", "STRASSE", "Ωmega", "ωMEGA", "日本語ログ", "naïve", "a_b", "a-b", "10ms", "x\ty",
             "K", "\u212a", "ſ", "quote\"s", "back\\slash", "${x}", "100%", "0x1f", "1e3", "-5", "1_000", "2Ki", "10.0.0.7", "fe80::1", "a.b.c"]
    numerals = ["0", "1", "-1", "12", "12.0", "1e3", "0.1", "9007199254740993", "18446744073709551615", "123456789012345678901", "-0", "2.5e-3"]

    def value():
        kind = chance.randrange(9)
        if kind < 3:
            return " ".join(chance.choice(words) for _ in range(chance.randrange(5)))
        if kind < 5:
            return Numeral(chance.choice(numerals))
        if kind == 5:
            return Numeral(chance.randrange(200))
        if kind == 6:
            return chance.choice((True, False))
        return [chance.choice((chance.choice(words), Numeral(chance.choice(numerals)), "", True)) for _ in range(chance.randrange(4))]

    levels = [("info", 9), ("WARNING", 13), ("error", 17), ("debug", 5), ("fatal", 21), ("trace", 1)]
    for i in range(RECORDS // 2):
        attributes = {n: value() for n in ("a", "b.c", "n", "Größe") if chance.randrange(3)} | {"m": Numeral(chance.randrange(500))}
        if chance.randrange(10) == 0:
            attributes["a"] = None
        body = None if chance.randrange(12) == 0 else " ".join(chance.choice(words) for _ in range(1 + chance.randrange(8)))
        labels = {"service.name": chance.choice(("api", "web", "Ωmega"))} | ({"host.name": f"h{chance.randrange(5)}"} if chance.randrange(4) else {})
        source.add(START_NS + chance.randrange(400) * 10**9, body, attributes, labels, None, chance.choice(levels))
    for record in source.records:
        record.fields = {n: v for n, v in record.fields.items() if v is not None}
        record.searched = [v for v in record.searched if v is not None]
    return source


class Asked:
    """One server with its records in a known state."""

    def __init__(self, server):
        self.server, self.alive = server, []

    def add(self, source, first, last):
        middle = (first + last) // 2  # two requests: two batches
        for low, high in ((first, middle), (middle, last)):
            body = "\n".join(source.lines[low:high]).encode()
            status, _, reply = self.server.request("POST", "/api/v1/ingest", body)
            assert status == 200 and json.loads(reply)["rejected"] == 0, reply
        self.alive += source.records[first:last]
        self.sort()

    def sort(self):
        # Newest first; of equal times the one sent last.
        self.alive.sort(key=lambda r: (-r.time_ns, -r.row))

    def delete(self, text, records):
        status, _, reply = self.server.request("POST", "/api/v1/admin/delete", json.dumps({"query": text}).encode())
        assert status in (200, 202), reply
        gone = {r.row for r in records}
        self.alive = [r for r in self.alive if r.row not in gone]

    def compact(self, everything):
        status, _, reply = self.server.request("POST", f"/api/v1/admin/compact?wait=true&all={'true' if everything else 'false'}")
        assert status == 200, reply

    def rows(self, query, **params):
        status, _, reply = self.server.request("POST", "/api/v1/query", json.dumps({"query": query, "exact": False, "progress": False, "clip_bytes": 0, **params}).encode())
        lines = [read_json(line) for line in reply.decode().splitlines()]
        if status != 200:
            raise AssertionError(f"{query}\nanswered {status}: {reply.decode()}")
        told = lines[-1]["_status"]
        return lines[1:-1], told

    def pages(self, query, size):
        """All rows by cursor."""
        rows, cursor = [], None
        while True:
            page, status = self.rows(query, limit=size, **({"cursor": cursor} if cursor else {}))
            rows += page
            cursor = status.get("next_cursor")
            if not cursor:
                return rows


class RandomQueryTest(unittest.TestCase):
    def setUp(self):
        self.seed = int(os.environ.get("DENDRO_SEED", random.SystemRandom().randrange(2**32)))
        print(f"seed {self.seed}", flush=True)
        self.chance = random.Random(self.seed)
        self.asked = 0

    def compare(self, told, query, alive, how):
        expected = query.rows(alive)
        self.asked += 1
        if same_rows(told, expected):
            return
        at = next((i for i, (a, b) in enumerate(zip(told, expected)) if not same_rows([a], [b])), min(len(told), len(expected)))
        self.fail(f"seed {self.seed}, {how}, {len(told)} rows for {len(expected)}, row {at}:\n  {query.text}\n"
                  f"  answered {told[at:at + 2]}\n  expected {expected[at:at + 2]}")

    def ask(self, asked, queries, how):
        for query in queries:
            told, status = asked.rows(query.text, limit=0)
            self.assertTrue(status["complete"], f"{how}: {query.text}: {status}")
            self.compare(told, query, asked.alive, how)
        for query in self.chance.sample(queries, max(1, len(queries) // 10)):
            expected = [{"row": r.get("row")} for r in query.matching(asked.alive)]
            told = asked.pages(query.filter + " | fields row", max(1, len(expected) // 4))
            self.assertTrue(same_rows(told, expected), f"seed {self.seed}, {how}: pages of {query.filter}")

    def deletion(self, queries, alive):
        """A filter that takes some of the records, not most of them."""
        for query in self.chance.sample(queries, len(queries)):
            found = query.matching(alive) if query.inner is None else alive
            if 0 < len(found) < len(alive) // 5:
                return query.filter, found
        return "row:<10", [r for r in alive if r.row < 10]

    def run_on(self, make):
        source = make(self.chance)
        make_query = RandomQueries(self.chance, source.records).query
        queries = [make_query() for _ in range(QUERIES)]
        began = time.monotonic()
        some = len(source.records) * 2 // 3
        with Server(env={"DENDRO_MEMTABLE_AGE_MAX": "24h", "DENDRO_COMPACTION": "false"}) as server:
            asked = Asked(server)
            asked.add(source, 0, some)
            self.ask(asked, queries, "in memory")
            asked.compact(False)
            asked.delete(*self.deletion(queries, asked.alive))
            self.ask(asked, queries, "in segments, some deleted")
            asked.add(source, some, len(source.records))
            self.ask(asked, queries, "in segments and in memory")
            asked.delete(*self.deletion(queries, asked.alive))
            asked.compact(False)
            asked.compact(True)
            self.ask(asked, queries, "merged")
        self.ask_files(source, queries)
        print(f"{make.__name__}: {len(source.records)} records, {self.asked} answers, {time.monotonic() - began:.1f} s")

    def ask_files(self, source, queries):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "records.ndjson")
            path.write_text("\n".join(source.lines))
            alive = sorted(source.records, key=lambda r: (-r.time_ns, -r.row))
            for query in self.chance.sample(queries, min(3, len(queries))):
                code, out, err = run("query", "-o", "ndjson", "--", query.text, path)
                self.assertEqual(code, 0, f"{query.text}: {err}")
                self.compare([read_json(line) for line in out.splitlines()], query, alive, "as a file")

    def test_plain_files(self):
        """Lines of a log as they are, without a server: the body is the line."""
        for system in self.chance.sample(SYSTEMS, 3):
            path = corpus(LOGHUB / system / f"{system}_2k.log")
            lines = list(decoded(path.read_bytes().split(b"\n")))
            records = [Record(i, 0, {"body": text}, {}, [text]) for i, text in enumerate(lines)]
            make = RandomQueries(self.chance, records)
            for _ in range(3):
                text, test = self.chance.choice((make.text_anywhere, make.expression, make.several_patterns, make.prefix))()
                code, out, err = run("query", "-o", "ndjson", "--format", "text", "--", text + " | stats count() as n, uniq_values(body) as bodies", path)
                self.assertEqual(code, 0, f"{text}: {err}")
                told, found = read_json(out), [r for r in records if test(r)]
                expected = {"n": len(found), "bodies": naive_query.aggregate("uniq_values", ["body"], found)}
                self.assertTrue(same_rows([told], [expected]), f"seed {self.seed}, {path}: {text}: {told['n']} for {expected['n']}")

    def test_an_export_equals_the_query(self):
        """Every row, in the same order and the same bytes, while records go on arriving."""
        with Server(env={"DENDRO_MEMTABLE_BYTES_MAX": "1MiB"}) as server:
            for first in range(0, EXPORT_ROWS, 10_000):
                lines = (f'{{"_time":{START_NS + row // 3},"row":{row},"body":"row {row} of {self.chance.randrange(1000)}"}}' for row in range(first, min(first + 10_000, EXPORT_ROWS)))
                self.assertEqual(server.request("POST", "/api/v1/ingest", "\n".join(lines).encode())[0], 200)
            digest, rows = hashlib.sha256(), 0
            connection = server.connect()
            connection.request("GET", "/api/v1/export?" + urlencode({"query": "row", "format": "ndjson"}))
            reply = connection.getresponse()
            for line in reply:
                digest.update(line)
                rows += 1
                if rows == 1:
                    self.assertEqual(server.ingest([{"_time": "2030-01-01T00:00:00Z", "body": "row later"}, {"_time": str(START_NS), "body": "row beside"}])[0], 200)
            connection.close()
            self.assertEqual(rows, EXPORT_ROWS)
            expected = hashlib.sha256()
            _, _, body = server.request("POST", "/api/v1/query", json.dumps({"query": "row -later -beside", "limit": 0, "clip_bytes": 0, "progress": False}).encode())
            for line in body.splitlines(keepends=True)[1:-1]:
                expected.update(line)
            self.assertEqual(digest.hexdigest(), expected.hexdigest())

    def test_nezha(self):
        self.run_on(nezha)

    def test_zeek(self):
        self.run_on(zeek)

    def test_dmesg(self):
        self.run_on(dmesg)

    def test_loghub(self):
        self.run_on(loghub)

    def test_invented(self):
        self.run_on(invented)


if __name__ == "__main__":
    unittest.main()
