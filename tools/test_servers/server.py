"""What the supervisor has to know of a server. One subclass a server, in catalog.py."""
import http.client
import os
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Place:
    """Where one server runs. The ports and secrets are the state's own: what a server puts there is kept."""
    folder: Path  # its own; empty at the first start, kept when it comes back after a crash
    ports: dict
    secrets: dict
    variables: dict = field(default_factory=dict)  # of the servers it depends on

    @property
    def port(self):
        return self.ports["main"]


class Server:
    name = ""
    title = ""  # what it is, its version
    variable = ""  # of its address
    required = True
    ports = ("main",)
    after = ()  # names of servers that must be ready first
    is_java = False  # slow to start: at most two at once
    stop_signal = signal.SIGTERM
    user = None  # of the process, when we are root

    def fetch(self, cache):
        """Downloads what it needs and remembers where; raises NotRun. Called in every process before the rest."""

    def prepare(self, place):
        """Before the start, each time."""

    def command(self, place):
        raise NotImplementedError

    def environment(self, place):
        """In addition to PATH, HOME, TMPDIR, LANG; nothing else of the caller's environment reaches a server."""
        return {}

    def answers(self, place):
        """Whether it serves: asked until it does."""
        return connects(place.port)

    def address(self, place):
        return f"http://127.0.0.1:{place.port}"

    def variables(self, place):
        """For the tests."""
        return {self.variable: self.address(place)}


def connects(port, seconds=2):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=seconds).close()
    except OSError:
        return False
    return True


def http_answer(port, path, seconds=2, method="GET"):
    """(status, body) of one request; None if there was no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request(method, path)
        reply = connection.getresponse()
        return reply.status, reply.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def ids_of(user):
    """Arguments of subprocess that make the child an unprivileged one; none when we are one already."""
    if not user or os.geteuid() != 0:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def run_briefly(command, seconds=60, **options):
    """A helper program to its end; raises OSError with its last line."""
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, text=True, **options)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise OSError(f"{Path(str(command[0])).name}: {lines[-1]}")
    return done.stdout
