"""`dendro admin` on the files of a real server: inspect, verify, backup, restore, repair, compact."""
import json
import shutil
import tempfile
import time
import unittest
from pathlib import Path
from urllib.parse import urlencode

from dendro_process import Server, run

COMMANDS = ("inspect", "verify", "repair", "backup", "restore", "compact", "delete", "queries", "queues", "dead-letters", "user", "key", "role")


def records(count, first=0):
    return [{"_time": f"2025-09-{15 + i // 2000:02}T14:{i % 60:02}:{i // 60 % 60:02}Z", "service": f"s{i % 3}", "level": ("info", "error")[i % 7 == 0],
             "msg": f"GET /orders/{i * 7919} took {i % 90} ms from 10.0.0.{i % 250} for user{i % 5}"} for i in range(first, first + count)]


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def answers(data):
    """All that a server says about a folder: records in order, and counts."""
    with Server(data=data) as server:
        rows, status = server.query("*", limit=20000)
        assert status["complete"], status
        by_service, _ = server.query("level:error | stats by (service) count() as n | sort by (service)")
        return rows, by_service


class Admin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="dendro-admin-"))
        cls.original = cls.folder / "original"
        with Server(data=cls.original) as server:
            status, reply = server.ingest(records(3000))
            assert status == 200, reply
        # A compaction flushes: segments of two days; what comes behind stays in the journal.
        code, out, err = run("admin", "compact", "--data", cls.original)
        assert code == 0, err
        with Server(data=cls.original) as server:
            for i in range(20):
                assert server.ingest(records(10, 3000 + i * 10))[0] == 200
        cls.expected = answers(cls.original)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    def setUp(self):
        self.data = self.folder / self._testMethodName
        shutil.copytree(self.original, self.data)

    def tearDown(self):
        shutil.rmtree(self.data, ignore_errors=True)

    def files(self, pattern):
        return sorted(self.data.glob(pattern))

    def wal(self):
        """The live WAL files that hold frames."""
        return [f for f in self.files("wal/*.wal") if json.loads(run("admin", "inspect", "-o", "json", f)[1])["records"] > 0]

    def test_inspect(self):
        segments = self.files("t/default/*/*.seg")
        self.assertEqual(len(segments), 2)
        total = 0
        for segment in segments:
            code, out, err = run("admin", "inspect", segment)
            self.assertEqual((code, err), (0, ""))
            self.assertIn("slots: pool", out)
            code, out, err = run("admin", "inspect", "-o", "json", segment)
            self.assertEqual((code, err), (0, ""))
            told = json.loads(out)
            total += told["records"]
            stored = sum(c["stored_bytes"] for c in told["columns"]) + sum(p["stored_bytes"] for p in told["parts"].values()) + sum(s["stored_bytes"] for s in told["sections"])
            self.assertAlmostEqual(stored, segment.stat().st_size, delta=400)
            self.assertEqual(told["damage"], [])
        self.assertEqual(total, 3000)
        self.assertEqual(run("admin", "inspect", self.files("MANIFEST-*")[0])[0], 0)
        wal = json.loads(run("admin", "inspect", "-o", "json", self.wal()[0])[1])
        self.assertEqual((wal["kind"], wal["records"], len(wal["frames"])), ("wal", 200, 20))

    def test_inspect_while_the_server_runs(self):
        with Server(data=self.data):
            self.assertEqual(run("admin", "inspect", self.files("MANIFEST-*")[0])[0], 0)
            code, out, err = run("admin", "verify", "--data", self.data)
            self.assertEqual((code, out, err.count("\n")), (1, "", 1), err)
            self.assertIn("stop the server", err)

    def test_verify_and_damage(self):
        code, out, err = run("admin", "verify", "--data", self.data)
        self.assertEqual((code, out), (0, ""), err)
        self.assertIn("2 segments, 3,000 records in them", err)
        self.assertIn("200 records in the journal, 0 messages in queues: undamaged", err)
        segment = self.files("t/default/*/*.seg")[0]
        flip(segment, 200)
        code, out, err = run("admin", "verify", "--data", self.data)
        self.assertEqual((code, out.count("\n")), (1, 1), out)
        self.assertTrue(out.startswith(f"{segment}: "), out)
        self.assertIn("offset 64", out)
        code, out, err = run("admin", "inspect", segment)
        self.assertEqual(code, 1)
        self.assertIn("damaged: ", out)

    def test_backup_and_restore_answer_equal(self):
        backup, restored = self.data / "backup", self.folder / "restored"
        code, out, err = run("admin", "backup", "--data", self.data, "--to", backup)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(run("admin", "verify", "--backup", backup)[0], 0)
        code, out, err = run("admin", "restore", "--from", backup, "--data", restored)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(answers(restored), self.expected)
        code, out, err = run("admin", "restore", "--from", backup, "--data", restored)
        self.assertEqual((code, err.count("\n")), (2, 1))
        self.assertIn("not empty", err)
        shutil.rmtree(restored)
        flip(next(backup.glob("t/default/*/*.seg")), 99)
        code, out, err = run("admin", "restore", "--from", backup, "--data", restored)
        self.assertEqual((code, err.count("\n")), (1, 1))
        self.assertIn(".seg: checksum mismatch", err)
        self.assertFalse(restored.exists())

    def test_repair_of_the_journal(self):
        path = self.wal()[0]
        frames = json.loads(run("admin", "inspect", "-o", "json", path)[1])["frames"]
        flip(path, frames[5]["offset"] + 60)
        with self.assertRaises(RuntimeError) as refused:
            Server(data=self.data)
        self.assertIn(f"offset {frames[5]['offset']}", str(refused.exception))
        self.assertEqual(run("admin", "verify", "--data", self.data)[0], 1)
        code, out, err = run("admin", "repair", "--data", self.data)
        self.assertEqual((code, err.count("\n")), (1, 1))
        self.assertIn("--yes", err)
        code, out, err = run("admin", "repair", "--data", self.data, "--yes")
        self.assertEqual((code, err), (0, ""), out)
        first = frames[5]["first_sequence"]
        self.assertIn(f"records of sequence numbers {first} to {first + 9} (10 records) are lost", out)
        self.assertTrue(Path(f"{path}.damaged-1").exists())
        self.assertEqual(run("admin", "verify", "--data", self.data)[0], 0)
        rows, _ = answers(self.data)
        self.assertEqual(len(rows), 3190)
        kept = {row["_id"]: row for row in self.expected[0]}
        for row in rows:
            self.assertEqual(kept[row["_id"]], row)

    def test_repair_of_the_manifest(self):
        manifest = self.files("MANIFEST-*")[0]
        flip(manifest, 80)
        with self.assertRaises(RuntimeError):
            Server(data=self.data)
        code, out, err = run("admin", "repair", "--data", self.data, "--dry-run")
        self.assertEqual((code, err), (0, ""))
        self.assertIn(f"{manifest}: offset 64", out)
        code, out, err = run("admin", "repair", "--data", self.data, "--yes")
        self.assertEqual((code, err), (0, ""), out)
        self.assertEqual(answers(self.data), self.expected)
        self.assertTrue(Path(f"{manifest}.damaged-1").exists())

    def test_compact(self):
        code, out, err = run("admin", "compact", "--data", self.data, "--all")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(answers(self.data), self.expected)
        self.assertEqual(run("admin", "verify", "--data", self.data)[0], 0)

    def test_running_queries(self):
        with Server(data=self.data, env={"DENDRO_QUERY_SLOW_AFTER": "1ms"}) as server:
            def queries(*args):
                return run("admin", "queries", "--server", server.url, *args)
            self.assertEqual(queries(), (0, "no query runs\n", ""))
            connection = server.connect()  # its reader takes nothing: the answer stays unfinished
            connection.request("GET", "/api/v1/query?" + urlencode({"query": "*", "limit": 0, "clip_bytes": 0}),
                               headers={"X-Request-ID": "the-long-one"})
            for _ in range(600):  # until it has begun
                code, out, err = queries("-o", "json")
                self.assertEqual(code, 0, err)
                if json.loads(out) or b"the-long-one" in server.request("GET", "/api/v1/admin/queries")[2]:
                    break
                time.sleep(0.05)
            connection.getresponse().read()
            connection.close()
            code, out, err = queries("--slow", "-o", "json")
            self.assertIn("the-long-one", [query["id"] for query in json.loads(out)])
            self.assertIn("the-long-one", queries("--slow")[1])
            self.assertEqual(queries("--cancel", "nosuch")[0], 2)
            self.assertIn(b"dendro_queries_slow_total", server.request("GET", "/metrics")[2])
        self.assertTrue(any("slow query" in line and "the-long-one" in line for line in server.log), server.log[-3:])

    def test_a_running_server(self):
        backups = self.folder / "backups"
        backups.mkdir()
        with Server(data=self.data, env={"DENDRO_ADMIN_BACKUP_DIRECTORY": str(backups)}) as server:
            def admin(*args):
                return run("admin", *args, "--server", server.url)
            self.assertEqual(admin("verify")[0], 0)
            for command in (("verify",), ("compact",), ("backup", "--to", self.folder / "x"), ("delete", "*")):
                code, out, err = run("admin", command[0], "--data", self.data, *command[1:])
                self.assertEqual(code, 1)
                self.assertIn("--server URL", err)
            status, _, reply = server.request("POST", "/api/v1/saved", b'{"name":"mine","query":"service:=s1"}')
            self.assertEqual(status, 201, reply)
            self.assertEqual(server.count("$mine"), server.count("service:=s1"))
            code, out, err = admin("backup", "--to", "before")
            self.assertEqual(code, 0, err)
            self.assertIn(str(backups / "before"), out)
            code, out, err = admin("backup", "--to", "/etc/dendro")
            self.assertEqual(code, 1)
            self.assertIn("403", err)
            # A deletion: counted, refused without an answer, carried out, then out of the files.
            wanted = "service:=s1 error"
            count = server.count(wanted)
            self.assertGreater(count, 100)
            self.assertEqual(admin("delete", "--dry-run", wanted), (0, f"{count} records match\n", ""))
            code, out, err = admin("delete", wanted)
            self.assertEqual((code, out), (1, f"{count} records match\n"))
            self.assertEqual(server.count(wanted), count)
            code, out, err = admin("delete", "--yes", wanted)
            self.assertEqual(code, 0, err)
            self.assertEqual(server.count(wanted), 0)
            left = server.count("*")
            self.assertEqual(left, len(self.expected[0]) - count)
            code, out, err = admin("compact", "--all")
            self.assertEqual(code, 0, err)
            self.assertIn("after: ", out)
            status, _, reply = server.request("GET", "/api/v1/admin/deletions")
            self.assertEqual([item["state"] for item in json.loads(reply)["items"]], ["done"])
            self.assertEqual(server.count("*"), left)
            status, _, reply = server.request("GET", "/api/v1/admin/health")
            health = json.loads(reply)
            self.assertEqual((health["segments"]["records"], health["deletions"]["pending"], health["segments"]["damaged"]), (left, 0, 0))
            # Backups while records come: what was acknowledged before is in each.
            for i in range(3):
                sent = records(50, 10000 + i * 50)
                self.assertEqual(server.ingest(sent)[0], 200)
                self.assertEqual(admin("backup", "--to", f"while{i}")[0], 0)
            self.assertEqual(admin("verify")[0], 0)
        code, out, err = run("admin", "restore", "--from", backups / "before", "--data", self.folder / "as-before")
        self.assertEqual(code, 0, err)
        self.assertEqual(answers(self.folder / "as-before"), self.expected)
        with Server(data=self.folder / "as-before") as server:
            self.assertIn(b'"name":"mine"', server.request("GET", "/api/v1/saved")[2])
        for i in range(3):
            self.assertEqual(run("admin", "verify", "--backup", backups / f"while{i}")[0], 0)
            target = self.folder / f"as-while{i}"
            self.assertEqual(run("admin", "restore", "--from", backups / f"while{i}", "--data", target)[0], 0)
            with Server(data=target) as server:
                self.assertEqual(server.count("*"), left + 50 * (i + 1))
        with Server(data=self.data) as server:
            self.assertEqual(server.count("*"), left + 150)

    def test_rules_of_streams(self):
        config = self.folder / "rules.toml"
        config.write_text("[[retention.rules]]\nfilter = '{service=\"s1\"}'\ndays = 30\n")
        with Server("--config", config, data=self.data) as server:
            everything = server.count("*")
            gone = server.count('{service="s1"}')
            self.assertGreater(gone, 100)
            code, out, err = run("admin", "compact", "--wait", "--server", server.url)
            self.assertEqual(code, 0, err)
            self.assertEqual(server.count('{service="s1"}'), 0)
            self.assertEqual(server.count("*"), everything - gone)

    def test_help_completion_and_manual(self):
        for command in COMMANDS:
            code, out, err = run("admin", command, "--help")
            self.assertEqual((code, err), (0, ""))
            self.assertIn("Examples:", out)
            self.assertIn(f"dendro admin {command}", run("completion", "fish")[1] and out)
            self.assertIn(".SS dendro admin " + command.replace("-", "\\-") + "\n", run("man")[1])
            code, out, err = run("admin", command, "--no-such-flag")
            self.assertEqual((code, out, err.count("\n")), (2, "", 1), err)
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("verify", run("completion", shell)[1])

    def test_what_is_not_there(self):
        for args in (["verify", "--data", "/no/such"], ["repair", "--data", "/no/such"], ["backup", "--data", "/no/such", "--to", self.folder / "x"],
                     ["restore", "--from", "/no/such", "--data", self.folder / "x"], ["compact", "--data", "/no/such"], ["inspect", "/no/such"],
                     ["queues", "--data", "/no/such"], ["dead-letters", "list", "alerts", "--data", "/no/such"]):
            code, out, err = run("admin", *args)
            self.assertEqual((code, out, err.count("\n")), (2, "", 1), (args, err))
            self.assertIn("/no/such", err)


if __name__ == "__main__":
    unittest.main()
