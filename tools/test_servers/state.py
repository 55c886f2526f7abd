"""What one checkout has started: a folder with a lock and one JSON file, readable by its owner only (it holds passwords of test servers)."""
import contextlib
import fcntl
import json
import os
import shlex
from pathlib import Path


class State:
    """`servers` maps a name to a record: pid, ticks, ports, variables, secrets, log, ready_s, problem. Not thread-safe."""

    def __init__(self, folder):
        self.path = Path(folder) / "state.json"
        self._lock_path = Path(folder) / "lock"
        self.folder = None  # of the running set: data and logs; None if nothing was started
        self.servers = {}

    @contextlib.contextmanager
    def locked(self, waiting=lambda: None):
        """Held by whoever starts or stops servers. `waiting` is called once if another one holds it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self._lock_path, "w", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(file, fcntl.LOCK_EX)
            yield self.load()

    def load(self):
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            content = {}
        self.folder = content.get("folder")
        self.servers = content.get("servers", {})
        return self

    def save(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_private(self.path, json.dumps({"folder": self.folder, "servers": self.servers}, indent=1) + "\n")

    def clear(self):
        self.folder, self.servers = None, {}
        self.path.unlink(missing_ok=True)


def environment_text(variables):
    """The lines a shell reads with `. FILE`, in order of names."""
    return "".join(f"export {name}={shlex.quote(str(value))}\n" for name, value in sorted(variables.items()))


def write_private(path, text):
    """Replaces the file in one step; only its owner may read it."""
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(beside, path)
