"""What compare.py and rates.py share: servers of one run, a kept-alive client, /proc, the loader, the corpora."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

HERE = Path(__file__).resolve().parent
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
SCALE_SEED = 7
QUIET_CORES = 0.02  # a server that uses less than this of a core has finished


class RunFailed(Exception):
    """The run cannot go on; the text says why."""


def say(*words):
    print(*words, file=sys.stderr, flush=True)


# ---- /proc ----

def cpu_s(pid):
    """CPU seconds of a process so far, ended threads included; steps of 10 ms."""
    fields = Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def memory_mb(pid, key="VmHWM"):
    """Peak (VmHWM) or present (VmRSS) resident memory, 10^6 bytes."""
    for line in Path("/proc/%d/status" % pid).read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024 / 1e6
    return None


def load_average():
    return Path("/proc/loadavg").read_text().strip()


def cpu_model():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


# ---- HTTP ----

class Client:
    """One kept-alive connection. Its own few lines: http.client costs more than the fastest answers take."""

    def __init__(self, port, timeout_s=120):
        self.port = port
        self.timeout_s = timeout_s
        self.socket = None

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def get(self, target):
        """(status, body, seconds from the first byte sent to the last received)."""
        request = ("GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % (target, self.port)).encode()
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout_s)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begin = time.perf_counter()
        self.socket.sendall(request)
        data = bytearray()
        head_end = -1
        length = chunked = None
        while True:
            piece = self.socket.recv(1 << 20)
            if not piece:
                self.close()
                raise RunFailed("the server closed the connection within a reply")
            data += piece
            if head_end < 0:
                head_end = data.find(b"\r\n\r\n")
                if head_end < 0:
                    continue
                head = bytes(data[:head_end]).decode("latin-1").lower()
                chunked = "\r\ntransfer-encoding: chunked" in head
                found = re.search(r"\r\ncontent-length: *(\d+)", head)
                length = int(found.group(1)) if found else 0
            if chunked and data.endswith(b"\r\n0\r\n\r\n"):
                break
            if not chunked and len(data) >= head_end + 4 + length:
                break
        seconds = time.perf_counter() - begin
        body = bytes(data[head_end + 4:])
        if "\r\nconnection: close" in head:
            self.close()
        return int(head.split()[1]), join_chunks(body) if chunked else body, seconds


def join_chunks(body):
    parts, at = [], 0
    while True:
        eol = body.index(b"\r\n", at)
        size = int(body[at:eol].split(b";")[0], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(body[eol + 2:eol + 2 + size])
        at = eol + 2 + size + 2


# ---- servers ----

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One server over one fresh data folder. As a context manager it stops the process and deletes the folder."""
    name = ""

    def __init__(self, binary, data, extra=(), env=None):
        self.binary = str(binary)
        self.data = Path(data)
        self.log_path = Path(str(data) + ".log")
        self.extra = list(extra)
        self.env = env or {}
        self.process = None
        self.port = None
        self.notes = []

    def __enter__(self):
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True)
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)
        if kind is None:
            self.log_path.unlink(missing_ok=True)  # else it may say why

    def start(self):
        self.port = free_port()
        clean = {k: v for k, v in os.environ.items() if not k.startswith("DENDRO_")}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, env={**clean, **self.env})
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RunFailed("%s ended with %d at start; see %s" % (self.name, self.process.returncode, self.log_path))
            try:
                if Client(self.port, 2).get(self.health)[0] == 200:
                    return
            except (OSError, RunFailed):
                time.sleep(0.002)
        raise RunFailed("%s did not answer within 30 s" % self.name)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.notes.append("did not stop within 60 s of SIGTERM, killed")
                self.process.kill()
                self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    def wait_quiet(self, least_s=2.0, most_s=120.0):
        """Until the process uses next to no CPU for `least_s`. Returns whether it came to that."""
        deadline = time.monotonic() + most_s
        since, before = time.monotonic(), cpu_s(self.pid)
        while time.monotonic() < deadline:
            time.sleep(0.25)
            now = cpu_s(self.pid)
            elapsed = time.monotonic() - since
            if (now - before) > QUIET_CORES * max(elapsed, 1):
                since, before = time.monotonic(), now
            elif elapsed >= least_s:
                return True
        self.notes.append("still busy after %g s" % most_s)
        return False

    def du_bytes(self):
        done = subprocess.run(["du", "-sb", str(self.data)], capture_output=True, text=True, check=True)
        return int(done.stdout.split()[0])

    def forget_pages(self):
        """Asks the kernel to drop the data's cached pages, so that a cold query reads them again."""
        os.sync()
        for path in self.data.rglob("*"):
            if not path.is_file():
                continue
            try:
                fd = os.open(path, os.O_RDONLY)
            except OSError:
                continue  # merged away meanwhile
            try:
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(fd)


class Dendro(Server):
    name = "dendro"
    health = "/healthz"

    def __init__(self, *args, compact="", **named):
        super().__init__(*args, **named)
        self.compact = compact  # command line with {dendro} {url} {data}

    def command(self):
        return [self.binary, "serve", "--data", str(self.data), "--listen", "127.0.0.1:%d" % self.port, *self.extra]

    def load_target(self, dataset):
        return "/api/v1/ingest?" + dataset["dendro"]

    def query_target(self, query):
        return "/api/v1/query?" + urllib.parse.urlencode(
            {"query": query["text"], "cache": "false", "timeout_ms": 120000, **query.get("params", {})})

    def metric(self, name):
        status, body, _ = Client(self.port).get("/metrics")
        found = re.search(r"^%s(?:\{[^}]*\})? (\S+)$" % re.escape(name), body.decode(), re.M) if status == 200 else None
        return float(found.group(1)) if found else None

    def settle(self):
        """Everything into segments, merged. Returns what was done, in words."""
        if self.compact:
            command = self.compact.format(dendro=self.binary, url=self.url, data=self.data).split()
            done = subprocess.run(command, capture_output=True, text=True, timeout=600)
            if done.returncode == 0:
                self.wait_quiet()
                return "compacted by command"
            reason = (done.stderr.strip() or done.stdout.strip()).splitlines()
            self.notes.append("`%s` is not to be had (exit %d: %s): NOT compacted, only what the server flushed by itself"
                              % (" ".join(command[1:3]), done.returncode, reason[0][:160] if reason else "no text"))
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            left = self.metric("dendro_storage_memtable_records")
            if left == 0:
                self.wait_quiet()
                return "flushed by itself, not compacted"
            time.sleep(1)
        self.notes.append("records stayed in memory for 90 s: the size at rest counts its journal")
        return "not flushed, not compacted"

    def disk(self):
        """du -sb; apart: recycled journal files, and the live one, which holds nothing once all is flushed."""
        spare = live = 0
        for path in self.data.rglob("wal/*"):
            size = path.stat().st_size
            if path.name.startswith("spare"):
                spare += size
            else:
                live += size
        total = self.du_bytes()
        flushed = self.metric("dendro_storage_memtable_records") == 0
        return {"du_bytes": total, "wal_spare_bytes": spare, "wal_live_bytes": live, "all_flushed": flushed,
                "at_rest_bytes": total - spare - (live if flushed else 0)}

    def rows_of(self, body):
        rows, status = [], None
        for line in body.splitlines():
            row = json.loads(line)
            if len(row) == 1 and next(iter(row)) in ("_meta", "_progress", "_status"):
                status = row.get("_status", status)
            else:
                rows.append(row)
        if status is None:
            raise RunFailed("an answer without _status")
        if not status["complete"] and status["reason"] != "limit":
            raise RunFailed("an incomplete answer: " + status["reason"])
        return rows


class VictoriaLogs(Server):
    name = "VictoriaLogs"
    health = "/health"

    def command(self):
        return [self.binary, "-storageDataPath", str(self.data), "-httpListenAddr", "127.0.0.1:%d" % self.port,
                "-retentionPeriod=100y", *self.extra]

    def load_target(self, dataset):
        return "/insert/jsonline?" + dataset["vl"]

    def query_target(self, query):
        return "/select/logsql/query?" + urllib.parse.urlencode({"query": query["text"]})

    def settle(self):
        for path in ("/internal/force_flush", "/internal/force_merge"):
            status, body, _ = Client(self.port).get(path)
            if status != 200:
                self.notes.append("%s answered %d: %s" % (path, status, body[:100].decode(errors="replace")))
        self.wait_quiet()
        return "force_flush, force_merge"

    def disk(self):
        total = self.du_bytes()
        return {"du_bytes": total, "at_rest_bytes": total}

    def rows_of(self, body):
        return [json.loads(line) for line in body.splitlines() if line]


def version_of(binary, kind):
    command = [binary, "version"] if kind is Dendro else [binary, "-version"]
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout.strip() or done.stderr.strip()).splitlines()[0]


# ---- loading ----

def run_loader(loader, server, dataset, path, *options):
    """One run of engine_load against a server; its JSON line."""
    command = [str(loader), "--url", server.url + server.load_target(dataset), "--file", str(path),
               "--server-pid", str(server.pid), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True)
    if not done.stdout:
        raise RunFailed("engine_load: " + done.stderr.strip()[-400:])
    result = json.loads(done.stdout)
    if not result["complete"]:
        raise RunFailed("loading %s into %s: %s %s" % (path, server.name, result["statuses"], result["first_error"]))
    return result


def corpus_path(dataset, options):
    """The file to send. Text is turned into NDJSON with 1 ms steps from 2024-01-01, once, beside the cache."""
    source = Path(options.corpora, dataset["file"])
    if not source.exists():
        raise RunFailed("%s is missing: unpack it with zstd -d --long=27" % source)
    if source.stat().st_size != dataset["bytes"]:
        raise RunFailed("%s has %d bytes, the truths are of %d" % (source, source.stat().st_size, dataset["bytes"]))
    if dataset.get("convert") != "lines":
        return source
    target = Path(options.cache, source.stem + ".1ms.ndjson")
    if not target.exists():
        say("converting %s" % source.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        lines_to_ndjson(source, part)
        part.rename(target)
    return target


def scaled_path(dataset, options):
    """The corpus, or --times N times the corpus, made once."""
    path = corpus_path(dataset, options)
    if options.times == 1:
        return path
    target = options.cache / ("%s-x%d-seed%d.ndjson" % (path.stem, options.times, SCALE_SEED))
    if not target.exists():
        part = target.with_suffix(".part")
        say("making %s" % target.name)
        done = subprocess.run([options.scale_up, "--in", str(path), "--times", str(options.times), "--seed", str(SCALE_SEED),
                               "--out", str(part)], capture_output=True, text=True)
        if done.returncode != 0:
            raise RunFailed("engine_scale_up: " + done.stderr.strip())
        say(done.stderr.strip().splitlines()[-1])
        part.rename(target)
    return target


def warm(path):
    """Reads a file into the page cache."""
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(1 << 22)
        while file.readinto(buffer):
            pass


def lines_to_ndjson(source, target):
    day = None
    with open(source, "rb") as lines, open(target, "w", encoding="utf-8") as out:
        for number, line in enumerate(lines):
            ms = number % 86_400_000
            if day is None or ms == 0:
                day = time.strftime("%Y-%m-%d", time.gmtime(1704067200 + number // 1000))
            stamp = "%sT%02d:%02d:%02d.%03dZ" % (day, ms // 3_600_000, ms // 60_000 % 60, ms // 1000 % 60, ms % 1000)
            text = line.rstrip(b"\n").decode("utf-8", "replace")
            out.write('{"_time":"%s","_msg":%s}\n' % (stamp, json.dumps(text, ensure_ascii=False)))


def read_queries():
    with open(HERE / "queries.json", encoding="utf-8") as file:
        return json.load(file)


def add_server_options(parser):
    parser.add_argument("--dendro", default="build/bench/dendro", help="dendro's binary")
    parser.add_argument("--vl", default=os.environ.get("VL_BIN"), help="victoria-logs' binary; default $VL_BIN, else quoted figures")
    parser.add_argument("--loader", default="build/bench/bench/engine/engine_load")
    parser.add_argument("--times", type=int, default=1, help="scale the corpus up that often, with engine_scale_up")
    parser.add_argument("--scale-up", default="build/bench/bench/engine/engine_scale_up")
    parser.add_argument("--corpora", default="../shared/data/corpora", help="folder of the unpacked corpora")
    parser.add_argument("--cache", help="folder for what is converted or generated once; default: dendro-bench in the temporary folder")
    parser.add_argument("--scratch", help="folder for the data folders, on the disk to be measured; default: the temporary folder")
    parser.add_argument("--compact", default="{dendro} admin compact --all --server {url}",
                        help="command that flushes and compacts dendro; {dendro} {url} {data} are filled in; empty: none")
    parser.add_argument("--dendro-arg", action="append", default=[], help="a further argument of `dendro serve`, repeatable")
    parser.add_argument("--vl-arg", action="append", default=[], help="a further argument of victoria-logs, repeatable")
    parser.add_argument("--dendro-env", action="append", default=[], metavar="NAME=VALUE", help="a variable of `dendro serve`, repeatable")


def end_in_order(*_):
    """SIGTERM: `with` stops the servers and deletes their data; a second signal must not cut that short."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(143)


def settle_options(options):
    signal.signal(signal.SIGTERM, end_in_order)
    temporary = Path(tempfile.gettempdir())
    options.cache = Path(options.cache or temporary / "dendro-bench")
    options.scratch = Path(options.scratch or temporary)
    options.cache.mkdir(parents=True, exist_ok=True)
    needed = [options.dendro, options.loader] + ([options.scale_up] if options.times > 1 else [])
    for path in needed:
        if not os.access(path, os.X_OK):
            raise RunFailed("%s is not there; build it, or name it" % path)
    if options.vl and not os.access(options.vl, os.X_OK):
        raise RunFailed("%s is not there" % options.vl)


def make_dendro(options, label):
    env = dict(pair.split("=", 1) for pair in options.dendro_env)
    return Dendro(options.dendro, options.scratch / ("bench-dendro-%s-%d" % (label, os.getpid())), options.dendro_arg, env,
                  compact=options.compact)


def make_vl(options, label):
    return VictoriaLogs(options.vl, options.scratch / ("bench-vl-%s-%d" % (label, os.getpid())), options.vl_arg)
