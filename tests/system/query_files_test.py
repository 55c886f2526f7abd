"""`dendro query` on files: their formats, packed files, folders, standard input, lines that are of no format."""
import gzip
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from dendro_process import BINARY, run

NDJSON = ('{"_time":"2026-11-20T10:00:00Z","level":"error","service":"api","msg":"timeout"}\n'
          '{"_time":"2026-11-20T10:00:01Z","level":"info","service":"api","msg":"ok"}\n')
KLOG = ("E1120 10:00:00.123456       1 server.go:56] it broke\n"
        "I1120 10:00:01.123456       1 server.go:57] it went on\n")
ACCESS = ('10.0.0.1 - - [20/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 503 12 "-" "curl/8"\n'
          '10.0.0.2 - - [20/Nov/2026:10:00:01 +0000] "GET /b HTTP/1.1" 200 7 "-" "curl/8"\n')
TRACE = "java.lang.IllegalStateException: x\n\tat a.b.C(C.java:5)"
LOG4J = ("2026-11-20 10:00:00,123 ERROR [main] a.b.C - it broke\n"
         f"{TRACE}\n"
         "2026-11-20 10:00:01,123 INFO [main] a.b.C - it went on\n")
SYSLOG = ("Nov 20 10:00:00 web1 sshd[12]: error: no key\n"
          "Nov 20 10:00:01 web1 CRON[13]: (root) CMD (x)\n")


def rows(*args, **kwargs):
    code, out, err = run("query", "-o", "ndjson", *args, **kwargs)
    return code, [json.loads(line) for line in out.splitlines()], err


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, name, text):
        path = Path(self.folder.name, name)
        path.parent.mkdir(exist_ok=True)
        data = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        if name.endswith(".zst"):
            path.write_bytes(subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout)
        return path


class Formats(Files):
    def test_files_of_several_formats_in_one_command(self):
        files = [self.file("app.ndjson", NDJSON), self.file("kube.log.gz", KLOG), self.file("access.log.zst", ACCESS),
                 self.file("app.log", LOG4J), self.file("more/auth.log", SYSLOG).parent]
        code, found, err = rows("severity:error | sort by (_time)", *files)
        self.assertEqual(code, 0, err)
        self.assertEqual(sorted(row["body"] if "body" in row else row["msg"] for row in found),
                         sorted([ACCESS.splitlines()[0], "it broke", "it broke\n" + TRACE, "timeout"]))
        self.assertTrue(all(row["_time"].startswith("2026-11-20T10:00:00") for row in found), found)
        code, found, _ = rows("service:sshd | fields host, process.pid, body", *files)
        self.assertEqual(found, [{"host": "web1", "process.pid": 12, "body": "error: no key"}])
        code, found, _ = rows("http.response.status_code:>=500 | fields url.path", *files)
        self.assertEqual(found, [{"url.path": "/a"}])

    def test_lines_that_are_not_of_the_format_are_kept_and_told_once(self):
        log = LOG4J.replace("2026-11-20 10:00:01", "-- MARK --\n** down **\n2026-11-20 10:00:01")
        log += LOG4J.splitlines(keepends=True)[-1] * 4
        files = [self.file("a.log", log), self.file("b.log", log)]
        code, found, err = rows("* | sort by (_time)", *files)
        self.assertEqual((code, len(found)), (0, 16))
        self.assertEqual(err, f"4 lines were kept as text: {files[0]} is log4j, and so in 1 other file\n")
        marks = [row for row in found if row["body"] == "** down **"]
        self.assertEqual([row["_time"] for row in marks], ["2026-11-20T10:00:00.123000000Z"] * 2)

    def test_stack_traces_join_their_record(self):
        python = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: no\n'
        go = "panic: gone\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:5 +0x1d\n"
        files = [self.file("java.log", LOG4J), self.file("plain.log", "starting\n" + python + "going on\n"),
                 self.file("go.log.gz", KLOG.replace("I1120", go + "I1120"))]
        code, found, err = rows("body:(IllegalStateException or ValueError or goroutine) | fields severity, body", *files)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(sorted((row.get("severity"), row["body"]) for row in found if row["body"] != python.rstrip()),
                         [("error", "it broke\n" + TRACE), ("error", "it broke\n" + go.rstrip("\n"))])
        self.assertIn(python.rstrip(), [row["body"] for row in found])

    def test_a_log_that_begins_with_a_bracket_is_no_json(self):
        log = self.file("app.log", "".join(f"[2026-11-20 10:00:0{i},123] ERROR in app: x{i}\n" for i in range(3)))
        code, found, err = rows("severity:error | fields body", log)
        self.assertEqual((code, err, len(found)), (0, "", 3), found)

    def test_explain_says_what_was_read(self):
        plain, packed = self.file("a.log", LOG4J), self.file("b.log.gz", KLOG)
        code, out, err = run("query", "--explain", "-o", "json", "severity:error | stats count() as n", plain, packed)
        self.assertEqual((code, err), (0, ""))
        explained = json.loads(out)
        self.assertEqual(explained["read"]["files"],
                         {"files": 2, "bytes": plain.stat().st_size + packed.stat().st_size,
                          "unpacked_bytes": len(LOG4J) + len(KLOG), "lines": 6})
        self.assertEqual([explained["read"][name] for name in ("records", "matched", "returned")], [4, 2, 1])
        self.assertEqual((explained["plan"]["steps"][0]["rows_in"], explained["plan"]["steps"][0]["rows_out"]), (2, 1))
        self.assertNotIn("segments", explained["plan"]["scan"])
        code, out, err = run("query", "--explain", "severity:error", plain)
        self.assertRegex(out, r"files   1, \d+ bytes, \d+ unpacked, 4 lines\n")
        code, out, err = run("query", "--explain=plan", "severity:error", plain)
        self.assertEqual((code, "read " in out, out.startswith("query   severity:error\n")), (0, False, True), out)
        code, _, err = run("query", "--explain=thoroughly", "severity:error", plain)
        self.assertEqual(code, 2)

    def test_text_among_json_is_kept(self):
        log = self.file("app.log", "starting up\n" + NDJSON + "panic: gone\n[main] down\n")
        code, found, err = rows("* | fields body", log)
        self.assertEqual((code, sorted(row["body"] for row in found if row)),
                         (0, ["[main] down", "ok", "panic: gone", "starting up", "timeout"]))
        self.assertIn("3 lines were kept as text", err)

    def test_a_named_format_is_believed(self):
        log = self.file("x.log", LOG4J)
        code, found, err = rows("* | stats count() as n, count(severity) as s", "--format", "text", log)
        self.assertEqual((code, found, err), (0, [{"n": 2, "s": 2}], ""))
        code, found, err = rows("* | stats count() as n", "--format", "klog", log)
        self.assertEqual((code, found), (0, [{"n": 2}]))
        self.assertEqual(err, f"2 lines were kept as text: {log} is klog\n")
        code, _, err = rows("*", "--format", "csv", log)
        self.assertEqual(code, 1)
        self.assertIn("not built yet", err)
        code, _, err = rows("*", "--format", "xml", log)
        self.assertEqual((code, err.count("\n")), (2, 1))
        self.assertIn("one of auto, json, text, logfmt", err)

    def test_years_come_from_the_file(self):
        log = self.file("auth.log", SYSLOG)
        os.utime(log, (1_577_880_000, 1_577_880_000))  # 2020-01-01
        _, found, _ = rows("* | fields _time | limit 1", log)
        self.assertEqual(found, [{"_time": "2019-11-20T10:00:01.000000000Z"}])

    def test_standard_input(self):
        for text, count in ((NDJSON, 1), (KLOG, 1), (ACCESS, 1), (LOG4J, 1), ("INFO plain\nERROR text\n", 1), ("", 0)):
            code, found, err = rows("severity:error", "-", input_bytes=text.encode())
            self.assertEqual((code, len(found)), (0, count), text + err)


if __name__ == "__main__":
    unittest.main()
