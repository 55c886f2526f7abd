"""tools/services without its real servers: ports, state, downloads, and how servers of a few lines are started, watched and stopped."""
import contextlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from test_servers import catalog, command_line, fetching, java, ports, processes, state  # noqa: E402
from test_servers.fetching import Artifact, Cache, NotRun  # noqa: E402
from test_servers.server import Server, connects, http_answer  # noqa: E402
from test_servers.supervisor import MARK, Supervisor  # noqa: E402

# Serves what `http.server` does, on argv[1] and argv[2], after whatever the test puts in front.
PROGRAM = """
import http.server, os, signal, sys
{before}
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


class Small(Server):
    """A server that is there at once."""
    program = PROGRAM.format(before="")
    host = "127.0.0.1"

    def __init__(self, name="small", required=True, before="", after=(), host="127.0.0.1", fetch_problem=None):
        self.name, self.required, self.after, self.host, self.fetch_problem = name, required, after, host, fetch_problem
        self.variable = "DENDRO_TEST_" + name.upper()
        self.program = PROGRAM.format(before=before)

    def fetch(self, cache):
        if self.fetch_problem:
            raise NotRun(self.fetch_problem)

    def command(self, place):
        return [sys.executable, "-c", self.program, self.host, place.port]

    def answers(self, place):
        return http_answer(place.port, "/") is not None


class Ports(unittest.TestCase):
    def test_they_are_distinct_free_and_outside_the_range_of_clients(self):
        found = ports.pick(50)
        self.assertEqual(len(set(found)), 50)
        self.assertTrue(all(ports.LOWEST <= port < ports.ephemeral_low() for port in found))

    def test_one_that_is_taken_or_to_be_avoided_is_not_chosen(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.assertFalse(ports.is_free(port))
            with self.assertRaisesRegex(OSError, "only 0 of 1 ports are free"):
                ports.pick(1, low=port, high=port + 1)
        self.assertEqual(ports.pick(1, avoid={30000, 30001}, low=30000, high=30003, free=lambda port: True), [30002])


class Listeners(unittest.TestCase):
    LINES = [
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0 0 10 0",
        "   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1 0 100 0 0 10 0",
        "   2: 0100007F:0051 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 13 1 0 100 0 0 10 0",
        "   3: 00000000000000000000000001000000:0052 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 14 1",
        "   4: 0000000000000000FFFF00000100007F:0053 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 15 1",
        "   5: 00000000000000000000000000000000:0054 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 16 1",
    ]

    def test_the_kernels_table_is_read(self):
        found = list(processes.parse_listeners(self.LINES))
        self.assertEqual(found, [("127.0.0.1", 8080, "11"), ("0.0.0.0", 80, "12"), ("::1", 82, "14"), ("::ffff:7f00:1", 83, "15"),
                                 ("::", 84, "16")])
        self.assertEqual([processes.is_loopback(address) for address, _, _ in found], [True, False, True, True, False])

    def test_our_own_socket_is_found(self):
        with socket.create_server(("127.0.0.1", 0)) as mine:
            self.assertIn(("127.0.0.1", mine.getsockname()[1]), processes.listening([os.getpid()]))


class Processes(unittest.TestCase):
    def test_a_pid_counts_only_with_its_start(self):
        ticks = processes.start_ticks(os.getpid())
        self.assertTrue(processes.is_alive(os.getpid(), ticks))
        self.assertFalse(processes.is_alive(os.getpid(), ticks + 1))
        self.assertFalse(processes.is_alive(os.getpid(), None))

    def test_a_zombie_is_not_alive(self):
        child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
        ticks = processes.start_ticks(child.pid)
        self.assertTrue(processes.is_alive(child.pid, ticks))
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is not reaped
        self.assertFalse(processes.is_alive(child.pid, ticks))
        child.wait()


class States(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def test_what_was_saved_is_read_and_only_the_owner_may(self):
        one = state.State(self.folder.name)
        one.folder, one.servers = "/somewhere", {"moto": {"pid": 7}}
        one.save()
        self.assertEqual(one.path.stat().st_mode & 0o777, 0o600)
        other = state.State(self.folder.name).load()
        self.assertEqual((other.folder, other.servers), ("/somewhere", {"moto": {"pid": 7}}))
        other.clear()
        self.assertEqual(state.State(self.folder.name).load().servers, {})

    def test_a_second_one_waits_and_says_so(self):
        said, done = threading.Event(), threading.Event()

        def second():
            with state.State(self.folder.name).locked(said.set):
                done.set()

        with state.State(self.folder.name).locked():
            thread = threading.Thread(target=second)
            thread.start()
            self.assertTrue(said.wait(10))
            self.assertFalse(done.is_set())
        thread.join(10)
        self.assertTrue(done.is_set())

    def test_a_shell_reads_the_environment_as_it_was_written(self):
        file = Path(self.folder.name, "env")
        state.write_private(file, state.environment_text({"DENDRO_B": "it's $HOME `id`", "DENDRO_A": "postgresql://u:p@127.0.0.1:1/x"}))
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        out = subprocess.run(["sh", "-c", '. "$0" && printf "%s|%s" "$DENDRO_A" "$DENDRO_B"', str(file)], capture_output=True, text=True, check=True)
        self.assertEqual(out.stdout, "postgresql://u:p@127.0.0.1:1/x|it's $HOME `id`")


class JavaRuntimes(unittest.TestCase):
    def make(self, folder, name, version, compiler=True):
        home = Path(folder, name)
        (home / "bin").mkdir(parents=True)
        (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
        for program in ("java", "javac") if compiler else ("java",):
            (home / "bin" / program).touch(mode=0o755)
        return home

    def test_the_oldest_and_the_newest_that_will_do(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = os.path.realpath(folder)
            eight, eleven = self.make(folder, "a", "1.8.0_452"), self.make(folder, "b", "17.0.15", compiler=False)
            newer, newest = self.make(folder, "c", "21.0.1"), self.make(folder, "d", "25.0.3")
            os.symlink(newer, Path(folder, "default"))
            found = java.installed(folder)
            self.assertEqual([(jdk.major, jdk.home) for jdk in found], [(8, eight), (17, eleven), (21, newer), (25, newest)])
            self.assertEqual(java.oldest(found, 17).home, eleven)
            self.assertEqual(java.oldest(found, 17, compiler=True).home, newer)
            self.assertEqual(java.newest(found, 21).home, newest)
            self.assertIsNone(java.newest(found, 26))
        self.assertEqual(java.installed(folder), [])


class Downloads(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.made = []

    def artifact(self, pin="1", fail=False):
        def install(folder, run):
            self.made.append(pin)
            (folder / "part").write_text(pin)
            if fail:
                raise NotRun("no network")

        return Artifact("thing", (), (pin,), install)

    def test_it_is_made_once_for_each_pin(self):
        cache = Cache(self.folder.name)
        first = cache.get(self.artifact())
        self.assertEqual(cache.get(self.artifact()), first)
        self.assertNotEqual(cache.get(self.artifact("2")), first)
        self.assertEqual(self.made, ["1", "2"])
        self.assertEqual(json.loads((first / fetching.STAMP).read_text()), {"files": [], "pins": ["1"]})

    def test_one_that_was_not_finished_is_made_anew(self):
        cache = Cache(self.folder.name)
        with self.assertRaisesRegex(NotRun, "no network"):
            cache.get(self.artifact(fail=True))
        left, = Path(self.folder.name).glob("thing-*")
        (left / "rubbish").touch()
        self.assertEqual(cache.get(self.artifact()), left)
        self.assertFalse((left / "rubbish").exists())
        self.assertEqual(self.made, ["1", "1"])

    def test_two_at_once_make_it_once(self):
        begun, go_on, waited = threading.Event(), threading.Event(), threading.Event()

        def install(folder, run):
            self.made.append("slow")
            begun.set()
            self.assertTrue(go_on.wait(10))

        slow = Artifact("thing", (), ("1",), install)
        first = threading.Thread(target=lambda: Cache(self.folder.name).get(slow))
        first.start()
        self.assertTrue(begun.wait(10))
        second = threading.Thread(target=lambda: Cache(self.folder.name, lambda text: waited.set()).get(slow))
        second.start()
        self.assertTrue(waited.wait(10))
        go_on.set()
        first.join(10)
        second.join(10)
        self.assertEqual(self.made, ["slow"])

    def test_a_cache_that_cannot_be_written_is_a_reason(self):
        file = Path(self.folder.name, "file")
        file.touch()
        with self.assertRaisesRegex(NotRun, "cannot write the cache"):
            Cache(file / "below").get(self.artifact())

    def test_a_tool_that_fails_or_is_missing_or_too_slow_is_a_reason(self):
        with self.assertRaisesRegex(NotRun, "^no-such-tool is not installed$"):
            fetching.run("no-such-tool")
        with self.assertRaisesRegex(NotRun, r"^sh failed: cannot reach https://\*\*\*@host/x$"):
            fetching.run("sh", "-c", "echo 'cannot reach https://me:secret@host/x' >&2; exit 3")
        with self.assertRaisesRegex(NotRun, "^sh did not end within 0.2 s$"):
            fetching.run("sh", "-c", "sleep 60 & wait", seconds=0.2)
        self.assertEqual(fetching.run("echo", "well"), "well\n")

    def test_last_words_are_short_and_without_colours(self):
        self.assertEqual(fetching.last_words("a\nb\n\x1b[31mc\x1b[0m\n[ERROR] \nd\n"), "b / c / d")
        self.assertEqual(len(fetching.last_words("x" * 5000)), 403)
        maven = "[ERROR] no such host -> [Help 1]\n[ERROR] \n[ERROR] Re-run Maven using -X\n[ERROR] [Help 1] http://there\n"
        self.assertEqual(fetching.last_words(maven), "[ERROR] no such host -> [Help 1]")

    def test_every_pin_is_exact(self):
        for line in (fetching.HERE / "python" / "requirements.txt").read_text().splitlines():
            self.assertRegex(line, r"^(#.*|[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*)$")
        for pom in fetching.HERE.glob("java/*/pom.xml"):
            versions = re.findall(r"<version>([^<]*)</version>", pom.read_text())
            self.assertTrue(len(versions) > 1 and all(re.fullmatch(r"[0-9][0-9.]*", version) for version in versions), pom)


class Supervising(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.said = []

    def supervise(self, *servers, ready_seconds=30):
        supervisor = Supervisor(servers, Cache(Path(self.folder.name, "cache")), Path(self.folder.name, "state"), ready_seconds, say=self.said.append)
        self.addCleanup(supervisor.down)
        return supervisor

    def up(self, supervisor):
        return {one.name: one for one in supervisor.up(list(supervisor.servers))}

    def rows(self, supervisor):
        return {one.name: one for one in supervisor.status()}

    def test_up_status_and_down(self):
        supervisor = self.supervise(Small("one"), Small("two"))
        outcomes = self.up(supervisor)
        self.assertTrue(all(one.up and one.text.startswith("ready after ") for one in outcomes.values()), outcomes)
        rows = self.rows(supervisor)
        self.assertEqual({row.state for row in rows.values()}, {"up"})
        addresses = supervisor.variables()
        self.assertEqual(addresses, {"DENDRO_TEST_ONE": rows["one"].address, "DENDRO_TEST_TWO": rows["two"].address})
        folder = supervisor.state.folder
        self.assertEqual(processes.marked(MARK, folder), sorted(row.pid for row in rows.values()))
        self.assertEqual(supervisor.down(), [])
        self.assertEqual(processes.marked(MARK, folder), [])
        self.assertFalse(Path(folder).exists())
        self.assertEqual({row.state for row in self.rows(supervisor).values()}, {"absent"})
        self.assertEqual(supervisor.variables(), {})
        self.assertEqual(supervisor.down(), [])

    def test_a_second_up_starts_nothing_and_a_killed_one_comes_back_where_it_was(self):
        supervisor = self.supervise(Small("one"), Small("two"))
        self.up(supervisor)
        before = self.rows(supervisor)
        self.assertEqual({one.text for one in self.up(supervisor).values()}, {"runs already"})
        self.assertEqual(self.rows(supervisor), before)

        os.kill(before["one"].pid, signal.SIGKILL)
        os.waitpid(before["one"].pid, 0)
        self.assertEqual(self.rows(supervisor)["one"].state, "down")
        self.assertEqual(list(supervisor.variables()), ["DENDRO_TEST_TWO"])

        again = self.up(supervisor)
        self.assertEqual(again["two"].text, "runs already")
        self.assertRegex(again["one"].text, "^ready after ")
        after = self.rows(supervisor)
        self.assertEqual(after["one"].address, before["one"].address)
        self.assertNotEqual(after["one"].pid, before["one"].pid)

    def test_one_that_ends_is_told_with_its_log(self):
        supervisor = self.supervise(Small(before="print('no licence', flush=True); sys.exit(7)"))
        self.assertEqual(self.up(supervisor)["small"].text, "not run: it ended, exit code 7")
        self.assertEqual(self.said, ["small: not run: it ended, exit code 7\n    | no licence"])
        row = self.rows(supervisor)["small"]
        self.assertEqual((row.state, row.problem), ("absent", "it ended, exit code 7"))

    def test_one_that_never_answers_is_stopped(self):
        supervisor = self.supervise(Small(before="signal.pause()"), ready_seconds=0.5)
        self.assertEqual(self.up(supervisor)["small"].text, "not run: it did not answer within 0.5 s")
        self.assertEqual(processes.marked(MARK, supervisor.state.folder), [])

    def test_the_time_does_not_count_before_the_cores_are_free(self):
        free = Path(self.folder.name, "free")
        supervisor = self.supervise(Small(before="signal.pause()"), ready_seconds=0.2)
        supervisor.no_limit_before = free
        result = []
        thread = threading.Thread(target=lambda: result.extend(supervisor.up(["small"])))
        thread.start()
        thread.join(1)
        self.assertTrue(thread.is_alive())
        free.touch()
        thread.join(30)
        self.assertEqual([one.text for one in result], ["not run: it did not answer within 0.2 s"])

    def test_one_that_listens_off_loopback_is_stopped(self):
        supervisor = self.supervise(Small(host="0.0.0.0"))
        self.assertRegex(self.up(supervisor)["small"].text, r"^not run: it listens off loopback, on 0\.0\.0\.0:\d+$")
        self.assertEqual(processes.marked(MARK, supervisor.state.folder), [])

    def test_another_program_on_the_port_does_not_count_and_costs_one_more_try(self):
        with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            wanted, other = taken.getsockname()[1], free.getsockname()[1]
            free.close()
            threading.Thread(target=serve_http, args=(taken,), daemon=True).start()
            supervisor = self.supervise(Small())
            with mock.patch.object(ports, "pick", side_effect=[[wanted], [other]]):
                outcome = self.up(supervisor)["small"]
        self.assertTrue(outcome.up, outcome)
        self.assertEqual(supervisor.variables(), {"DENDRO_TEST_SMALL": f"http://127.0.0.1:{other}"})

    def test_what_cannot_be_fetched_is_named_and_the_others_run(self):
        supervisor = self.supervise(Small("one"), Small("two", fetch_problem="go is not installed"))
        outcomes = self.up(supervisor)
        self.assertEqual((outcomes["one"].up, outcomes["two"].text), (True, "not run: go is not installed"))
        self.assertEqual(self.rows(supervisor)["two"].problem, "go is not installed")

    def test_needs_come_first_and_what_needs_a_missing_one_is_not_run(self):
        seen = {}

        class Upper(Small):
            def prepare(self, place):
                seen.update(place.variables)

        supervisor = self.supervise(Small("base"), Upper("upper", after=("base",)))
        self.assertEqual([one.up for one in supervisor.up(["upper"])], [True, True])
        self.assertEqual(seen, {"DENDRO_TEST_BASE": self.rows(supervisor)["base"].address})

        broken = Supervisor([Small("base", fetch_problem="no network"), Upper("upper", after=("base",))], None, Path(self.folder.name, "other"))
        self.addCleanup(broken.down)
        self.assertEqual(broken.up(["upper"])[1].text, "not run: it needs base")

    def test_down_ends_one_that_ignores_sigterm_and_children_of_one_that_crashed(self):
        stubborn = Small("stubborn", before="signal.signal(signal.SIGTERM, signal.SIG_IGN)")
        parent = Small("parent", before="""
import subprocess
print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid, flush=True)""")
        supervisor = self.supervise(stubborn, parent)
        self.up(supervisor)
        rows = self.rows(supervisor)
        child = int(Path(rows["parent"].log).read_text().split()[0])
        os.kill(rows["parent"].pid, signal.SIGKILL)
        os.waitpid(rows["parent"].pid, 0)
        self.assertIsNotNone(processes.start_ticks(child))
        with mock.patch.object(processes.stop, "__defaults__", (0.3,)):
            self.assertEqual(supervisor.down(), ["stubborn"])
        self.assertIsNone(processes.start_ticks(child))

    def test_only_a_few_words_of_our_environment_reach_a_server(self):
        with mock.patch.dict(os.environ, {"AWS_SECRET_ACCESS_KEY": "mine", "JAVA_TOOL_OPTIONS": "-x"}):
            supervisor = self.supervise(Small(before="print(sorted(os.environ), flush=True)"))
            self.up(supervisor)
        first = Path(self.rows(supervisor)["small"].log).read_text().splitlines()[0]
        self.assertEqual(set(eval(first)) - {"LC_CTYPE"}, {"HOME", "LANG", "PATH", "TMPDIR", MARK})

    def test_an_interrupted_up_leaves_what_down_finds(self):
        code = f"""
import sys
sys.path[:0] = [{str(ROOT / 'tools')!r}, {str(ROOT / 'tests/tools')!r}]
from test_servers_test import Small
from test_servers.command_line import main
sys.exit(main(['up', '--state', {str(Path(self.folder.name, 'state'))!r}], [Small('quick'), Small('slow', before='signal.pause()')]))
"""
        tool = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
        self.assertRegex(tool.stderr.readline(), "^services: quick: ready after ")
        supervisor = self.supervise(Small("quick"), Small("slow"))
        while "pid" not in supervisor.state.load().servers.get("slow", {}):
            time.sleep(0.01)
        tool.send_signal(signal.SIGTERM)
        self.assertEqual(tool.wait(30), 128 + signal.SIGTERM)
        tool.stderr.close()
        folder = supervisor.state.folder
        self.assertGreaterEqual(len(processes.marked(MARK, folder)), 1)
        supervisor.down()
        self.assertEqual(processes.marked(MARK, folder), [])


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.addCleanup(lambda: self.call([], "down"))

    def call(self, servers, command, *arguments):
        """Exit code, stdout and stderr of one command."""
        out, err = io.StringIO(), io.StringIO()
        before = signal.getsignal(signal.SIGTERM)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = command_line.main([command, *arguments, "--state", self.folder.name] if command != "fetch" else [command, *arguments], servers)
            except SystemExit as end:
                code = end.code
        signal.signal(signal.SIGTERM, before)
        return code, out.getvalue(), err.getvalue()

    def test_a_missing_second_opinion_fails_only_when_named(self):
        servers = [Small("main"), Small("second", required=False, fetch_problem="refused")]
        code, out, err = self.call(servers, "up", "--env", "-")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"^export DENDRO_TEST_MAIN=http://127\.0\.0\.1:\d+\n$")
        self.assertIn("services: second: not run: refused\n", err)
        self.assertIn("services: 1 of 2 up after ", err)
        self.assertEqual(self.call(servers, "up", "second")[0], 1)
        self.assertEqual(self.call(servers, "up", "--required-only")[0], 0)
        self.assertNotIn("second", self.call(servers, "up", "--required-only")[2])
        self.assertEqual(self.call(servers, "fetch")[0], 0)

    def test_a_missing_required_one_fails_and_is_named(self):
        code, _, err = self.call([Small("main", fetch_problem="no network")], "up")
        self.assertEqual(code, 1)
        self.assertIn("0 of 1 up", err)
        self.assertIn("missing: main", err)

    def test_status_tells_by_its_exit_code_and_as_json(self):
        servers = [Small("main"), Small("second", required=False)]
        self.assertEqual(self.call(servers, "status")[:2], (1, "main            absent\nsecond          absent\n"))
        self.call(servers, "up", "main")
        code, out, _ = self.call(servers, "status", "--json")
        self.assertEqual(code, 0)
        found = json.loads(out)
        self.assertTrue(Path(found["folder"]).is_dir())
        self.assertEqual([(one["name"], one["required"], one["state"]) for one in found["servers"]],
                         [("main", True, "up"), ("second", False, "absent")])
        self.assertTrue(connects(int(found["servers"][0]["address"].rpartition(":")[2])))

    def test_passwords_do_not_show(self):
        self.assertEqual(command_line.public("postgresql://postgres:secret@127.0.0.1:1/postgres"), "postgresql://127.0.0.1:1/postgres")
        self.assertEqual(command_line.public("http://127.0.0.1:1"), "http://127.0.0.1:1")

    def test_wrong_usage_is_2(self):
        self.assertEqual(self.call([Small("main")], "up", "moot")[0], 2)
        self.assertEqual(self.call([Small("main")], "upp")[0], 2)

    def test_help_names_every_server_and_its_variable(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), self.assertRaises(SystemExit) as end:
            command_line.main(["--help"])
        self.assertEqual(end.exception.code, 0)
        for server in catalog.servers():
            self.assertIn(f"{server.name} ", out.getvalue())
            self.assertIn(server.variable, out.getvalue())


class Catalog(unittest.TestCase):
    def test_six_are_required_the_slow_one_first_and_needs_stand_before(self):
        servers = catalog.servers()
        self.assertEqual([server.name for server in servers if server.required],
                         ["opensearch", "moto", "dynamodb-local", "elasticmq", "mongodb", "postgres"])
        names = [server.name for server in servers]
        for server in servers:
            self.assertTrue(all(names.index(need) < names.index(server.name) for need in server.after))
        self.assertEqual(len({server.variable for server in servers}), len(servers))

    def test_without_java_the_reason_names_the_package(self):
        with tempfile.TemporaryDirectory() as empty, mock.patch.dict(os.environ, {"DENDRO_SERVICES_JVM_FOLDER": empty}):
            with self.assertRaisesRegex(NotRun, "openjdk-17-jdk-headless"):
                catalog.ElasticMq().fetch(Cache(Path(empty, "cache")))

    def test_without_java_21_opensearch_is_the_older(self):
        asked = []

        class Asked(Cache):
            def get(self, artifact):
                asked.append(artifact.name)
                return Path("/there")

        def fetch(runtimes, wanted=""):
            asked.clear()
            with mock.patch.object(java, "installed", return_value=runtimes), mock.patch.dict(os.environ, {"DENDRO_SERVICES_OPENSEARCH": wanted}):
                server = catalog.OpenSearch()
                server.fetch(Asked("/nowhere"))
                return asked[0], server.java

        seventeen, newer = java.Jdk(17, Path("/jvm/17")), java.Jdk(25, Path("/jvm/25"))
        self.assertEqual(fetch([seventeen, newer]), ("java-opensearch", newer.java))
        self.assertEqual(fetch([seventeen, newer], "2"), ("java-opensearch_2", seventeen.java))
        self.assertEqual(fetch([seventeen]), ("java-opensearch_2", seventeen.java))
        with self.assertRaisesRegex(NotRun, "no Java 21"):
            fetch([seventeen], "3")
        with self.assertRaisesRegex(NotRun, "not 2 or 3"):
            fetch([seventeen], "4")


def serve_http(listener):
    """Answers every request well, as the wrong server would."""
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client:
                client.recv(1000)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


if __name__ == "__main__":
    unittest.main()
