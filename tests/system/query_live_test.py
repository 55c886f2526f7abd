"""`dendro query` on a terminal: a table is shown while it is being made, and Ctrl-C ends it with what is known."""
import json
import os
import pty
import re
import select
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from dendro_process import BINARY, run

LINE = '{"_time":"2026-11-20T10:00:00Z","level":"%s","pod":"p%d","n":%d}\n'
QUERY = "* | stats by (pod) count() as n"


def lines(count):
    return "".join(LINE % ("error" if i % 10 == 0 else "info", i % 3, i) for i in range(count))


class Terminal:
    """The binary with a terminal as its standard output (and input, if nothing else); what it draws is gathered."""

    def __init__(self, *args, stdin=None):
        master, slave = pty.openpty()
        env = {k: v for k, v in os.environ.items() if not k.startswith("DENDRO_") and k != "NO_COLOR"} | {"TERM": "xterm"}
        self.process = subprocess.Popen([BINARY, *map(str, args)], stdin=subprocess.PIPE if stdin == "pipe" else slave, stdout=slave,
                                        stderr=subprocess.PIPE, env=env, start_new_session=True)
        os.close(slave)
        self.master, self.drawn, self.changed = master, b"", threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            try:
                piece = os.read(self.master, 65536)
            except OSError:  # the other side is closed
                piece = b""
            with self.changed:
                self.drawn += piece
                self.changed.notify_all()
            if not piece:
                return

    def wait_for(self, text, timeout=60):
        with self.changed:
            found = self.changed.wait_for(lambda: text in self.drawn.decode(errors="replace"), timeout)
        if not found:
            raise AssertionError(f"{text!r} was never drawn: {self.drawn!r}")

    def finish(self):
        if self.process.stdin:
            self.process.stdin.close()
        err = self.process.stderr.read().decode()
        self.process.stderr.close()
        code = self.process.wait(timeout=60)
        self.reader.join(timeout=60)
        os.close(self.master)
        return code, self.drawn.decode().replace("\r\n", "\n"), err


def shown(drawn):
    """What stands on the screen in the end: each frame begins by going up over the one before."""
    screen = []
    for part in re.split(r"(\x1b\[A|\r?\x1b\[J)", drawn):
        if part == "\x1b[A":
            screen = screen[:-1]
        elif not part.endswith("\x1b[J"):
            screen += part.splitlines()
    return "\n".join(screen) + "\n"


def wait_for_handler(process):
    """Until the process has said what it does with SIGINT."""
    while process.poll() is None:
        caught = next(line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if line.startswith("SigCgt:"))
        if int(caught.split()[1], 16) & (1 << (signal.SIGINT - 1)):
            return
        time.sleep(0.01)


class Live(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def test_the_table_is_drawn_while_it_is_made_and_the_last_one_is_that_of_no_live(self):
        text = lines(70_000)
        log = Path(self.folder.name, "a.ndjson")
        log.write_text(text)
        plain = Terminal("query", "--no-live", QUERY, log)
        code, expected, _ = plain.finish()
        self.assertEqual(code, 0)
        self.assertNotIn("\x1b", expected)
        self.assertEqual(expected.splitlines()[0].split(), ["pod", "n"])

        terminal = Terminal("query", "--live", QUERY, "-", stdin="pipe")
        # Steadily, until a table has been seen; then the rest at once.
        rest = text.encode()
        while b"records" not in terminal.drawn:
            self.assertTrue(rest, "no table was drawn while lines came in")
            terminal.process.stdin.write(rest[:200_000])
            terminal.process.stdin.flush()
            rest = rest[200_000:]
            with terminal.changed:
                terminal.changed.wait_for(lambda: b"records" in terminal.drawn, 0.3)
        terminal.process.stdin.write(rest)
        code, drawn, err = terminal.finish()
        self.assertEqual((code, err), (0, ""))
        self.assertIn("\x1b[A", drawn)
        self.assertEqual(shown(drawn), expected)

    def test_never_where_output_is_no_terminal(self):
        log = Path(self.folder.name, "a.ndjson")
        log.write_text(lines(200_000))
        code, out, err = run("query", "--live", "-o", "table", QUERY, log)
        self.assertEqual((code, err), (0, ""))
        self.assertNotIn("\x1b", out)

    def test_ctrl_c_gives_what_is_known_and_says_so(self):
        terminal = Terminal("query", "--live", QUERY, "-", stdin="pipe")
        feeder_stop = threading.Event()

        def feed():
            try:
                while not feeder_stop.is_set():
                    terminal.process.stdin.write(lines(2_000).encode())
                    terminal.process.stdin.flush()
            except (BrokenPipeError, ValueError):
                pass

        feeder = threading.Thread(target=feed)
        feeder.start()
        try:
            terminal.wait_for("records")
            terminal.process.send_signal(signal.SIGINT)
            code = terminal.process.wait(timeout=60)
        finally:
            feeder_stop.set()
            feeder.join(timeout=60)
            terminal.process.kill()
        _, drawn, err = terminal.finish()
        self.assertEqual(code, 130)
        self.assertRegex(err, r"^dendro query: the answer is partial: interrupted after \d+ records\n$")
        last = shown(drawn).splitlines()
        self.assertEqual(last[0].split(), ["pod", "n"])
        self.assertEqual([row.split()[0] for row in last[1:]], ["p0", "p1", "p2"])

    def test_ctrl_c_into_a_pipe(self):
        process = subprocess.Popen([BINARY, "query", "-o", "ndjson", "* | stats count() as n", "-"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        chunk = lines(20_000).encode()
        process.stdin.write(chunk)
        process.stdin.flush()
        wait_for_handler(process)
        process.send_signal(signal.SIGINT)
        try:
            process.stdin.write(chunk)  # if it waits for a read, the next one ends it
        except BrokenPipeError:
            pass
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        self.assertLessEqual(json.loads(out)["n"], 40_000)
        self.assertIn(b"the answer is partial", err)


if __name__ == "__main__":
    unittest.main()
