"""The command line as a person meets it: help, version, wrong flags, missing files, exit codes, one clear line each."""
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from dendro_process import BINARY, Server, run

COMMANDS = ("serve", "ingest", "query", "tail", "patterns", "analyze", "admin", "token", "version", "completion", "man")


class Help(unittest.TestCase):
    def test_no_command_shows_the_overview_and_is_a_usage_error(self):
        code, out, err = run()
        self.assertEqual((code, out), (2, ""))
        self.assertIn("Usage: dendro COMMAND", err)

    def test_help_goes_to_stdout(self):
        for words in (["--help"], ["-h"], ["help"]):
            code, out, err = run(*words)
            self.assertEqual((code, err), (0, ""))
            for command in COMMANDS:
                self.assertIn(f"\n  {command} ", out)

    def test_every_command_has_help_with_examples(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                code, out, err = run(command, "--help")
                self.assertEqual((code, err), (0, ""))
                self.assertIn("Examples:", out)
                self.assertIn(f"dendro {command}", out)
                self.assertEqual(run("help", command)[1], out)

    def test_an_unknown_command_offers_the_nearest(self):
        code, out, err = run("sevre")
        self.assertEqual((code, out), (2, ""))
        self.assertEqual(err.count("\n"), 1)
        self.assertIn("did you mean 'serve'?", err)

    def test_an_unknown_flag_is_one_line_and_exit_2(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                code, out, err = run(command, "--no-such-flag")
                self.assertEqual((code, err.count("\n")), (2, 1), err)
                self.assertEqual(out, "")

    def test_version_names_what_is_built_in(self):
        code, out, err = run("version")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"^dendro \d+\.\d+\.\d+ \([0-9a-f]{12}(-dirty)?\)|^dendro \d+\.\d+\.\d+ \(unknown\)")
        self.assertIn("profiles   platform analytics ingest audit", out)
        self.assertEqual(run("--version")[1], out)

    def test_completion_is_valid_shell(self):
        for shell in ("bash", "zsh", "fish"):
            code, out, err = run("completion", shell)
            self.assertEqual((code, err), (0, ""))
            self.assertIn("analyze", out)
        with tempfile.NamedTemporaryFile("w", suffix=".bash") as script:
            script.write(run("completion", "bash")[1])
            script.flush()
            words = subprocess.run(["bash", "-c", f"source {script.name}; COMP_WORDS=(dendro analyze --thr); COMP_CWORD=2; _dendro; echo \"${{COMPREPLY[@]}}\""],
                                   capture_output=True, text=True, check=True)
        self.assertEqual(words.stdout.strip(), "--threshold")
        self.assertEqual(run("completion", "tcsh")[0], 2)

    def test_the_manual_page_holds_every_option(self):
        code, out, err = run("man")
        self.assertEqual((code, err), (0, ""))
        self.assertTrue(out.startswith(".TH DENDRO 1"))
        for option in ("threshold", "listen", "idempotency\\-key"):
            self.assertIn("\\-\\-" + option, out)

    def test_patterns_of_files(self):
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "app.log")
            log.write_text("".join(f'{{"level":"info","msg":"order {n} took {n * 3} ms"}}\n' for n in range(30)) +
                           '{"level":"error","msg":"disk full"}\n' * 2)
            code, out, err = run("patterns", "-o", "csv", log)
            self.assertEqual((code, err), (0, ""))
            lines = out.splitlines()
            self.assertEqual(lines[0], "hits,severity,template")
            self.assertTrue(lines[1].startswith("30,info,order"), lines)
            self.assertEqual(lines[2], "2,error,disk full")
            self.assertEqual(run("patterns", "-o", "csv", "--rare", "-n", "1", log)[1].splitlines()[1], lines[2])
            self.assertEqual(run("patterns", "-o", "csv", "--where", "severity:error", log)[1].splitlines()[1:], lines[2:])
            code, out, err = run("patterns", "-o", "csv", "--by", "severity", log)
            self.assertEqual((code, out.splitlines()[::2]), (0, ["hits,severity,template", "2,error,disk full"]), err)
            self.assertIn('"sample_ids"', run("patterns", "-o", "json", log)[1])
            self.assertEqual(run("patterns", "--where", "a | b", log)[0], 2)

    def test_started_as_analyze_it_is_analyze(self):
        with tempfile.TemporaryDirectory() as folder:
            link = Path(folder, "analyze")
            os.symlink(BINARY, link)
            log = Path(folder, "a.jsonl")
            log.write_text('{"level":"ERROR","service":"api"}\n')
            done = subprocess.run([link, "--file", log], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0)
        self.assertIn('"total": 1', done.stdout)


class Memory(unittest.TestCase):
    def test_analyze_of_an_endless_pipe_stays_small(self):
        line = b'{"ts":"2025-09-15T14:10:04Z","service":"api","level":"ERROR","msg":"upstream timed out","latency_ms":2081}\n'
        block = line * 40_000  # about 4.4 MB
        # Under AddressSanitizer freed memory waits in a quarantine, which is no memory of ours.
        env = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"}
        process = subprocess.Popen([BINARY, "analyze", "--file", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        for _ in range(60):
            process.stdin.write(block)
        process.stdin.close()
        out = process.stdout.read()
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual((process.returncode, json.loads(out)["total"]), (0, 60 * 40_000))
        self.assertLess(usage.ru_maxrss, 200 * 1024, "KiB")

    def test_querying_a_large_file_stays_small(self):
        line = b'{"_time":"2025-09-15T14:10:04Z","service":"api","level":"error","msg":"upstream timed out"}\n'
        env = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"}
        process = subprocess.Popen([BINARY, "query", "level:error | stats count() as n", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        for _ in range(30):
            process.stdin.write(line * 20_000)
        process.stdin.close()
        out = process.stdout.read()
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual((process.returncode, json.loads(out)), (0, {"n": 600_000}))
        self.assertLess(usage.ru_maxrss, 300 * 1024, "KiB")


class BadInput(unittest.TestCase):
    def test_a_missing_file_is_named(self):
        for args in (["ingest", "/no/such.log"], ["query", "*", "/no/such.log"], ["analyze", "--file", "/no/such.log"]):
            with self.subTest(args=args):
                code, out, err = run(*args)
                self.assertEqual((code, err.count("\n")), (2, 1), err)
                self.assertIn("/no/such.log", err)

    def test_no_server_is_one_line(self):
        code, _, err = run("ingest", "--server", "http://127.0.0.1:9", "--patience", "0", "-", input_bytes=b"x\n")
        self.assertEqual((code, err.count("\n")), (1, 1), err)
        self.assertIn("127.0.0.1:9", err)

    def test_a_truncated_gzip_fails_and_says_so(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "a.gz")
            path.write_bytes(subprocess.run(["gzip", "-c"], input=b'{"msg":"x"}\n' * 1000, capture_output=True, check=True).stdout[:-20])
            with Server() as server:
                code, _, err = run("ingest", "--server", server.url, path)
            self.assertEqual((code, err.count("\n")), (1, 1), err)
            self.assertIn(str(path), err)

    def test_a_port_in_use_is_one_line_and_exit_1(self):
        with Server() as server:
            code, out, err = run("serve", "--listen", server.addresses[0], "--data", server.data + "-other")
        self.assertEqual(code, 1, err)
        self.assertIn(server.addresses[0], err)

    def test_a_locked_folder_is_one_line_and_exit_1(self):
        with Server() as server:
            code, out, err = run("serve", "--listen", "127.0.0.1:0", "--data", server.data)
            self.assertEqual(code, 1, err)
            self.assertIn(server.data, err)
            code, out, err = run("query", "--data", server.data, "*")
            self.assertEqual((code, err.count("\n")), (1, 1), err)

    def test_configuration_errors_are_exit_2(self):
        cases = [(["--listen", "127.0.0.1:0=nonsense"], "platform"), (["--listen", "127.0.0.1:0=access"], "access"),
                 (["--listen", "127.0.0.1:7000", "--listen", "127.0.0.1:7000"], "127.0.0.1:7000"), (["--listen", "0.0.0.0:0"], "--insecure"),
                 (["--config", "/no/such.toml"], "/no/such.toml")]
        for args, named in cases:
            with self.subTest(args=args), tempfile.TemporaryDirectory() as folder:
                code, out, err = run("serve", "--data", folder, *args)
                self.assertEqual(code, 2, err)
                self.assertIn(named, err)

    def test_a_weak_secret_key_starts_nothing_and_is_not_shown(self):
        for secret in ("hunter2-hunter2", "dev_secret_key_change_in_production"):
            with self.subTest(secret=secret), tempfile.TemporaryDirectory() as folder:
                code, out, err = run("serve", "--data", folder, "--listen", "127.0.0.1:0", env={"SECRET_KEY": secret})
                self.assertEqual((code, out, err.count("\n")), (2, "", 1))
                self.assertIn("SECRET_KEY", err)
                self.assertNotIn(secret, err)

    def test_a_bad_query_points_at_the_place(self):
        code, out, err = run("query", "status=500", "-", input_bytes=b"{}\n")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("^", err)
        self.assertIn("status:=500", err)

    def test_binary_input_is_kept_as_bytes_and_nothing_breaks(self):
        with Server() as server:
            code, out, err = run("ingest", "--server", server.url, "-", input_bytes=bytes(range(256)) * 40)
            self.assertEqual(code, 0, err)
            self.assertGreater(server.count("*"), 0)


if __name__ == "__main__":
    unittest.main()
