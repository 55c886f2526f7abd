"""Starts, watches and stops the servers of one checkout.

1. A server is written into the state before anybody waits for it: whatever happens to us, `down` finds it.
2. A server is ready when its own process listens on its port and it answers its probe; another program on that port does not count.
3. A server that listens off loopback is stopped at once.
4. What `down` does not know by pid it knows by a mark in the environment or by its folder: children of a server that has crashed
   end, too.
"""
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Optional

from . import ports, processes
from .fetching import NotRun
from .server import Place, ids_of
from .state import State

MARK = "DENDRO_SERVICES_FOLDER"
JAVA_STARTS_MAX = 2  # more of them at once only take the cores from each other, and from the compiler
LOG_TAIL_LINES = 15


class Outcome(NamedTuple):
    name: str
    required: bool
    up: bool
    text: str  # "ready after 1.2 s", "runs already", "not run: why"


class Status(NamedTuple):
    name: str
    required: bool
    state: str  # "up", "silent" (alive, no answer), "down" (was started), "absent" (was not)
    pid: Optional[int]
    address: Optional[str]
    ready_s: Optional[float]
    log: Optional[str]
    problem: Optional[str]


class Supervisor:
    def __init__(self, servers, cache, state_folder, ready_seconds=90, no_limit_before=None, niceness_after=None,
                 say=lambda text: None):
        self.servers = {server.name: server for server in servers}
        self.cache = cache
        self.state = State(state_folder)
        self.ready_seconds = ready_seconds
        self.no_limit_before = no_limit_before  # a file: while it is not there, others need the cores, and the time does not count
        self.niceness_after = niceness_after  # of servers that are ready; None: as they were started
        self.say = say
        self._mutex = threading.Lock()  # guards self.state
        self._java_starts = threading.BoundedSemaphore(JAVA_STARTS_MAX)
        self._stopping = threading.Event()

    def names_with_needs(self, names):
        """In order of start, together with the servers that these need."""
        wanted = set(names)
        for name in names:
            wanted.update(self.servers[name].after)
        return [name for name in self.servers if name in wanted]

    def fetch(self, names):
        return [self._fetch(self.servers[name]) for name in self.names_with_needs(names)]

    def up(self, names):
        """Starts those that do not run; an Outcome each, in order of start. When interrupted, what was started stays for `down`."""
        with self.state.locked(self._waiting):
            self._make_run_folder()
            with ThreadPoolExecutor(max_workers=len(self.servers)) as pool:
                try:
                    pending = {}
                    for name in self.names_with_needs(names):
                        needs = [pending[need] for need in self.servers[name].after if need in pending]
                        fetched = self._fetch(self.servers[name])
                        pending[name] = pool.submit(self._bring_up, self.servers[name], needs) if fetched.up else fetched
                    return [outcome_of(one) for one in pending.values()]
                except BaseException:
                    self._stopping.set()
                    raise

    def down(self):
        """Ends everything that `up` started and removes its folder. Gives the names of servers that had to be killed."""
        with self.state.locked(self._waiting) as state:
            alive = [(record["pid"], record["ticks"], signal.Signals(record["stop_signal"])) for record in state.servers.values() if "pid" in record]
            killed = set(processes.stop(alive))
            if state.folder:
                left = processes.kill_all(lambda: processes.marked(MARK, state.folder) + processes.working_in(state.folder))
                if left:
                    raise OSError(f"processes {left} do not end")
                shutil.rmtree(state.folder, ignore_errors=True)
            names = [name for name, record in state.servers.items() if record.get("pid") in killed]
            state.clear()
            return names

    def status(self):
        """What runs now; waits for nobody who starts or stops servers meanwhile."""
        self.state.load()
        return [self._status_of(server, self.state.servers.get(server.name)) for server in self.servers.values()]

    def variables(self):
        """For the tests: of the servers that run and were ready."""
        found = {}
        for record in self.state.load().servers.values():
            if record.get("ready_s") is not None and processes.is_alive(record["pid"], record["ticks"]):
                found.update(record["variables"])
        return found

    # --- one server ---

    def _fetch(self, server):
        try:
            server.fetch(self.cache)
        except NotRun as reason:
            return self._not_run(server, str(reason))
        return Outcome(server.name, server.required, True, "there")

    def _bring_up(self, server, needs):
        for need in map(outcome_of, needs):
            if not need.up:
                return self._not_run(server, f"it needs {need.name}")
        record = self._record(server)
        if record and processes.is_alive(record["pid"], record["ticks"]) and self._wait_until_ready(server, record) is None:
            return self._report(Outcome(server.name, server.required, True, "runs already"))
        try:
            return self._start(server, record)
        except (NotRun, OSError, subprocess.TimeoutExpired) as reason:
            return self._not_run(server, str(reason))

    def _start(self, server, before):
        if before:
            self._stop(before)
            # PostgreSQL does not start beside what is left of a crashed one, and what is left carries no mark: it writes its title there.
            processes.kill_all(lambda: processes.working_in(Path(self.state.folder) / server.name))
        places = dict(before["ports"]) if before and all(map(ports.is_free, before["ports"].values())) else self._pick_ports(server)
        secrets = before["secrets"] if before else {}
        for attempt in (1, 2):
            slot = self._java_starts if server.is_java else threading.Lock()
            with slot:
                problem, record = self._start_once(server, places, secrets)
            if problem is None:
                return self._report(Outcome(server.name, server.required, True, f"ready after {record['ready_s']:.1f} s"))
            self._stop(record)
            if attempt == 2 or all(map(ports.is_free, places.values())):
                return self._not_run(server, problem, record["log"])
            places = self._pick_ports(server)  # somebody took one between our look and the server's bind
        raise AssertionError("not reached")

    def _start_once(self, server, places, secrets):
        if self._stopping.is_set():
            raise NotRun("interrupted")
        begin = time.monotonic()
        place = self._place(server, places, secrets)
        server.prepare(place)
        log = Path(self.state.folder) / f"{server.name}.log"
        with open(log, "ab") as output:
            process = subprocess.Popen([str(part) for part in server.command(place)], cwd=place.folder, env=self._environment(server, place),
                                       stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                                       **ids_of(server.user))
        record = {"pid": process.pid, "ticks": processes.start_ticks(process.pid), "stop_signal": int(server.stop_signal), "ports": places,
                  "secrets": secrets, "variables": {}, "address": server.address(place), "log": str(log), "ready_s": None}
        self._remember(server, record)
        problem = self._wait_until_ready(server, record, process)
        if problem is None:
            self._give_back_priority(process.pid)
            record["ready_s"] = round(time.monotonic() - begin, 2)
            record["variables"] = {name: str(value) for name, value in server.variables(place).items()}
            self._remember(server, record)
        return problem, record

    def _wait_until_ready(self, server, record, process=None):
        """None once it is; else why not."""
        place = self._place(server, record["ports"], record["secrets"])
        deadline = None
        while deadline is None or time.monotonic() < deadline:
            if deadline is None and not self._is_patient():
                deadline = time.monotonic() + self.ready_seconds
            if not processes.is_alive(record["pid"], record["ticks"]):
                code = process.wait() if process else None
                return "it ended" + ("" if code is None else f", exit code {code}" if code >= 0 else f", signal {-code}")
            heard = processes.listening(processes.session_members(record["pid"]))
            outside = [f"{address}:{port}" for address, port in heard if not processes.is_loopback(address)]
            if outside:
                return f"it listens off loopback, on {', '.join(outside)}"
            if any(port == place.port for _, port in heard) and server.answers(place):
                return None
            if self._stopping.wait(0.05):
                return "interrupted"
        return f"it did not answer within {self.ready_seconds} s"

    def _is_patient(self):
        return self.no_limit_before is not None and not Path(self.no_limit_before).exists()

    def _status_of(self, server, record):
        if not record:
            return Status(server.name, server.required, "absent", None, None, None, None, None)
        if "pid" not in record:
            return Status(server.name, server.required, "absent", None, None, None, record.get("log"), record["problem"])
        state = "down"
        if processes.is_alive(record["pid"], record["ticks"]):
            state = "up" if server.answers(self._place(server, record["ports"], record["secrets"])) else "silent"
        return Status(server.name, server.required, state, record["pid"] if state != "down" else None, record["address"], record["ready_s"],
                      record["log"], None)

    def _stop(self, record):
        processes.stop([(record["pid"], record["ticks"], signal.Signals(record["stop_signal"]))])
        for member in processes.session_members(record["pid"]):
            os.kill(member, signal.SIGKILL)

    # --- around it ---

    def _make_run_folder(self):
        if self.state.folder and Path(self.state.folder).is_dir():
            return
        self.state.clear()
        self.state.folder = tempfile.mkdtemp(prefix="dendro-services-")
        os.chmod(self.state.folder, 0o711)  # servers that run as another user pass through to their own folders
        self.state.save()

    def _place(self, server, places, secrets):
        folder = Path(self.state.folder) / server.name
        if not folder.exists():
            folder.mkdir(mode=0o700)
            if ids_of(server.user):
                os.chown(folder, server.user.pw_uid, server.user.pw_gid)
        with self._mutex:
            others = [self.state.servers[name]["variables"] for name in server.after if "variables" in self.state.servers.get(name, {})]
        return Place(folder, places, secrets, {name: value for variables in others for name, value in variables.items()})

    def _environment(self, server, place):
        plain = {"PATH": os.environ.get("PATH", os.defpath), "HOME": place.folder, "TMPDIR": place.folder, "LANG": "C.UTF-8",
                 MARK: self.state.folder}
        return {name: str(value) for name, value in {**plain, **server.environment(place)}.items()}

    def _pick_ports(self, server):
        with self._mutex:
            known = {port for record in self.state.servers.values() for port in record.get("ports", {}).values()}
            found = dict(zip(server.ports, ports.pick(len(server.ports), avoid=known)))
            self.state.servers.setdefault(server.name, {"problem": "it has not been started yet"})["ports"] = found
            return found

    def _record(self, server):
        with self._mutex:
            record = self.state.servers.get(server.name)
            return record if record and "pid" in record else None

    def _remember(self, server, record):
        with self._mutex:
            self.state.servers[server.name] = record
            self.state.save()

    def _give_back_priority(self, pid):
        if self.niceness_after is None:
            return
        try:
            os.setpriority(os.PRIO_PGRP, pid, self.niceness_after)  # all threads of its process group
        except PermissionError:
            pass  # only root may; it stays nicer

    def _not_run(self, server, reason, log=None):
        with self._mutex:
            if self.state.folder:
                self.state.servers[server.name] = {"problem": reason, **({"log": log} if log else {})}
                self.state.save()
        tail = log_tail(log) if log else ""
        return self._report(Outcome(server.name, server.required, False, f"not run: {reason}"), tail)

    def _report(self, outcome, tail=""):
        self.say(f"{outcome.name}: {outcome.text}{tail}")
        return outcome

    def _waiting(self):
        self.say(f"waiting for another tools/services that works on {self.state.path.parent}")


def outcome_of(pending):
    return pending if isinstance(pending, Outcome) else pending.result()


def log_tail(path):
    """The last lines of a server's log, indented, for the terminal."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:]
    except OSError:
        return ""
    return "".join(f"\n    | {line[:300]}" for line in lines)
