"""What Linux tells about processes: alive or not, members of a session, ports they listen on. A pid alone is never trusted: it may
have been given to another process since, so every process is known by its pid and the time of its start."""
import ipaddress
import os
import re
import signal
import time
from pathlib import Path


def start_ticks(pid):
    """When the process began, in clock ticks since boot; None if there is none or only its zombie is left."""
    fields = _stat(pid)
    return int(fields[19]) if fields and fields[0] not in "ZX" else None


def is_alive(pid, ticks):
    return start_ticks(pid) == ticks is not None


def session_members(leader):
    """The living processes of the session that `leader` began, itself included."""
    members = []
    for pid in _all_pids():
        fields = _stat(pid)
        if fields and fields[0] not in "ZX" and int(fields[3]) == leader:
            members.append(pid)
    return members


def marked(variable, value):
    """The living processes that were started with this variable in their environment."""
    wanted = f"{variable}={value}".encode()
    found = []
    for pid in _all_pids():
        try:
            if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(pid)
        except OSError:
            continue
    return found


def listening(pids):
    """(address, port) of every TCP socket on which one of `pids` listens, as far as we may look."""
    inodes = set()
    for pid in pids:
        try:
            for entry in os.scandir(f"/proc/{pid}/fd"):
                match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(entry.path))
                if match:
                    inodes.add(match.group(1))
        except OSError:
            continue
    found = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        found.update((address, port) for address, port, inode in parse_listeners(lines) if inode in inodes)
    return sorted(found)


def parse_listeners(lines):
    """The listening sockets among the lines of /proc/net/tcp or tcp6: (address, port, inode)."""
    for line in lines:
        fields = line.split()
        if len(fields) > 9 and fields[3] == "0A":
            address, port = fields[1].split(":")
            yield _address(address), int(port, 16), fields[9]


def is_loopback(address):
    ip = ipaddress.ip_address(address)
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def stop(processes, patience_seconds=10):
    """Ends (pid, ticks, signal) in order of patience: each gets its signal, whoever is left after `patience_seconds` is killed with its session."""
    left = [(pid, ticks) for pid, ticks, _ in processes]
    for pid, ticks, number in processes:
        if is_alive(pid, ticks):
            _send(pid, number)
    deadline = time.monotonic() + patience_seconds
    while True:
        left = [(pid, ticks) for pid, ticks in left if is_alive(pid, ticks)]
        if not left or time.monotonic() > deadline:
            break
        time.sleep(0.02)
    for pid, _ in left:
        for member in session_members(pid):
            _send(member, signal.SIGKILL)
    return [pid for pid, _ in left]


def working_in(folder):
    """The living processes whose working directory is `folder` or below it."""
    top = os.path.realpath(folder)
    found = []
    for pid in _all_pids():
        try:
            at = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            continue
        if at == top or at.startswith(top + "/"):
            found.append(pid)
    return found


def kill_all(find, patience_seconds=5):
    """Kills what `find` gives, until it gives nothing: children of a server that has crashed, too. Returns who is left."""
    deadline = time.monotonic() + patience_seconds
    while True:
        left = [pid for pid in find() if pid != os.getpid()]
        if not left or time.monotonic() > deadline:
            return left
        for pid in left:
            _send(pid, signal.SIGKILL)
        time.sleep(0.02)


def _send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _stat(pid):
    """The fields of /proc/PID/stat behind the name, which may hold blanks and brackets: state, ppid, pgrp, session, ..."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _address(text):
    words = [bytes.fromhex(text[at:at + 8])[::-1] for at in range(0, len(text), 8)]  # each 32-bit word in host order
    return str(ipaddress.ip_address(b"".join(words)))
