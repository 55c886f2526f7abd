"""Real logs: what dendro answers of nezha and zeek over HTTP equals what jq and ripgrep say of the files."""
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from dendro_process import CORPORA, Server, run


def corpus(name):
    path = CORPORA / name
    if path.exists():
        return path
    if os.environ.get("DENDRO_REQUIRE_CORPORA"):
        raise AssertionError(f"{path} is missing, and DENDRO_REQUIRE_CORPORA is set")
    raise unittest.SkipTest(f"the corpora are not beside this checkout ({path})")


def shell(command, path):
    return subprocess.run(["sh", "-c", command, "sh", str(path)], check=True, capture_output=True, text=True).stdout


class Corpora(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.plain = {}
        for name in ("nezha", "zeek"):
            packed = corpus(name + ".ndjson.zst")
            cls.plain[name] = Path(cls.folder.name, name + ".ndjson")
            subprocess.run(["zstd", "-dq", "--long=27", str(packed), "-o", str(cls.plain[name])], check=True)
        cls.server = Server()
        cls.addClassCleanup(cls.server.__exit__, None)
        # One corpus each by the two ways in: the packed file through the CLI, plain bodies by hand.
        code, out, err = run("ingest", "--server", cls.server.url, corpus("nezha.ndjson.zst"), timeout=600)
        assert (code, out.split()[0], err) == (0, "292794", ""), (code, out, err)
        code, out, err = run("ingest", "--server", cls.server.url, "--time-field", "ts", "--resource", "corpus=zeek", cls.plain["zeek"], timeout=600)
        assert (code, out.split()[0], err) == (0, "158439", ""), (code, out, err)

    def jq_count(self, corpus_name, condition):
        return int(shell(f"jq -c 'select({condition})' \"$1\" | wc -l", self.plain[corpus_name]))

    def rg_count(self, corpus_name, pattern, *flags):
        return int(shell(f"rg -c {' '.join(flags)} -- '{pattern}' \"$1\" || true", self.plain[corpus_name]).strip() or 0)

    def test_counts_of_everything(self):
        self.assertEqual(self.server.count("pod:*"), 292_794)
        self.assertEqual(self.server.count("corpus:=zeek"), 158_439)
        self.assertEqual(self.server.count("*"), 292_794 + 158_439)
        self.assertEqual(self.server.count("dendro.source:dead_letter"), 0)

    def test_words_equal_ripgrep(self):
        for word in ("INFO", "error", "ERROR", "exception"):
            with self.subTest(word=word):
                expected = int(shell(f"jq -r ._msg \"$1\" | tr '\\000' ' ' | rg -c -a '(^|[^A-Za-z0-9_]){word}($|[^A-Za-z0-9_])'", self.nezha_bodies_by_line()))
                self.assertEqual(self.server.count(f"pod:* body:{word}"), expected)

    def nezha_bodies_by_line(self):
        """nezha with the line feeds inside bodies as blanks, so that a line is a record for ripgrep."""
        path = Path(self.folder.name, "bodies.ndjson")
        if not path.exists():
            with open(path, "w") as out:
                subprocess.run(["jq", "-c", '._msg |= gsub("\\n"; " ")', str(self.plain["nezha"])], stdout=out, check=True)
        return path

    def test_substrings_equal_jq(self):
        for text in ("ravelServ", "SpanID: 0", "zzqqxx_not_there"):
            with self.subTest(text=text):
                self.assertEqual(self.server.count(f'pod:* body:*"{text}"*'), self.jq_count("nezha", f'._msg | contains("{text}")'))

    def test_a_rare_id_is_found_by_field_and_as_text(self):
        trace = "2f182d58875095cc70b2a50fdda3e7cd"
        self.assertEqual(self.server.count(f'trace_id:="{trace}"'), 19)
        self.assertEqual(self.server.count(trace), self.rg_count("nezha", trace, "-F"))

    def test_field_filters_equal_jq(self):
        cases = [("corpus:=zeek _path:=dns", '._path=="dns"'), ("corpus:=zeek id.resp_p:=443", '."id.resp_p"==443'),
                 ("corpus:=zeek id.resp_p:>1000", '."id.resp_p">1000'),
                 ("corpus:=zeek id.resp_p:in(53, 80)", '."id.resp_p"==53 or ."id.resp_p"==80'),
                 ("corpus:=zeek -_path:=dns -_path:=conn", '._path!="dns" and ._path!="conn"'),
                 ("corpus:=zeek query:*oogl*", '(.query|type)=="string" and (.query|contains("oogl"))')]
        for query, condition in cases:
            with self.subTest(query=query):
                self.assertEqual(self.server.count(query), self.jq_count("zeek", condition))

    def test_a_time_range_equals_jq(self):
        expected = self.jq_count("nezha", '._time >= "2023-01-29T09" and ._time < "2023-01-29T10"')
        self.assertEqual(expected, 51_629)
        self.assertEqual(self.server.count("pod:* _time:2023-01-29T09"), expected)

    def test_counts_by_group_equal_jq(self):
        rows, _ = self.server.query("pod:* | stats by (pod) count() as n | sort by (n desc, pod) | limit 3")
        expected = shell("jq -r .pod \"$1\" | LC_ALL=C sort | uniq -c | sort -k1,1nr -k2 | head -n 3", self.plain["nezha"])
        self.assertEqual([f"{r['n']} {r['pod']}" for r in rows], [" ".join(line.split()) for line in expected.splitlines()])

    def test_the_newest_100_are_in_order_and_really_the_newest(self):
        rows, status = self.server.query("pod:*", limit=100)
        self.assertEqual(len(rows), 100)
        self.assertEqual(status["reason"], "limit")
        expected = shell("jq -r ._time \"$1\" | sed -E 's/Z$//; s/(\\.[0-9]+)$/\\1000000000/; s/(\\.[0-9]{9}).*/\\1Z/' | LC_ALL=C sort -r | head -n 100", self.plain["nezha"])
        self.assertEqual([r["_time"] for r in rows], expected.split())

    def test_paging_walks_an_hour_once(self):
        seen, cursor = set(), None
        while True:
            rows, status = self.server.query("_time:2023-01-29T09:00", limit=500, **({"cursor": cursor} if cursor else {}))
            ids = [r["_id"] for r in rows]
            self.assertEqual(ids, sorted(ids, reverse=True))
            self.assertFalse(seen & set(ids))
            seen |= set(ids)
            cursor = status.get("next_cursor")
            if not cursor:
                break
        self.assertEqual(len(seen), self.jq_count("nezha", '._time >= "2023-01-29T09:00" and ._time < "2023-01-29T09:01"'))

    def test_a_record_is_given_back_as_it_was_sent(self):
        rows, _ = self.server.query('corpus:=zeek _path:=dns id.resp_p:=53 query:*', limit=5)
        for row in rows:
            status, _, body = self.server.request("GET", "/api/v1/records/" + row["_id"])
            self.assertEqual(status, 200)
            raw = json.loads(body)["raw"]
            needle = json.loads(raw)["uid"]
            same = [json.loads(line) for line in shell(f"rg -F '{needle}' \"$1\"", self.plain["zeek"]).splitlines()]
            self.assertIn(json.loads(raw), same)

    def test_files_answer_as_the_server_does(self):
        for query in ("body:ERROR | stats count() as n", "_time:2023-01-29T09 | stats by (pod) count() as n"):
            with self.subTest(query=query):
                expected, _ = self.server.query("pod:* " + query)
                code, out, err = run("query", "-o", "ndjson", query, self.plain["nezha"], timeout=600)
                self.assertEqual((code, [json.loads(line) for line in out.splitlines()], err), (0, expected, ""))


if __name__ == "__main__":
    unittest.main()
