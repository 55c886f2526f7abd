"""Free ports on loopback, outside the range that the system gives to clients and to tests that bind port 0."""
import random
import socket
from pathlib import Path

LOWEST = 20000


def ephemeral_low():
    """The first port the system hands out by itself."""
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32768


def is_free(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of a server that was killed linger; servers bind beside them
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def pick(count, avoid=(), low=LOWEST, high=None, free=is_free):
    """`count` distinct free ports of [low, high), none of `avoid`. They are not held: a server that finds its port taken gets others.

    Random, so that two checkouts that start their servers at once rarely want the same one.
    """
    high = high or max(ephemeral_low(), low + 1000)
    candidates = [port for port in range(low, high) if port not in avoid]
    random.shuffle(candidates)
    found = []
    for port in candidates:
        if len(found) == count:
            return found
        if free(port):
            found.append(port)
    if len(found) == count:
        return found
    raise OSError(f"only {len(found)} of {count} ports are free between {low} and {high}")
