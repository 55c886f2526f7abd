#!/usr/bin/env python3
"""Compares `dendro analyze` with others on one file in one run: wall time, CPU seconds a GB, peak RSS.

    cmake --workflow --preset bench
    bench/analyze.py --dendro build/bench/dendro --simdjson build/bench/bench/analyze_simdjson_bench --write docs/benchmarks.md

The file is made deterministically (record shape of five-systems.md 2.5, about 130 bytes a record, one in fourteen an ERROR),
read once to warm the page cache, then every program runs --runs times in turns, so that a noisy moment hits all of them.
Needs GNU time (package `time`). DuckDB needs a Python with its package: --duckdb-python; what is absent is left out with its
reason. Raw figures go to
--raw (JSON lines). GB = 10^9 bytes.
"""
import argparse
import json
import os
import pathlib
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SERVICES = ["api", "auth", "billing", "search", "worker", "gateway", "cache", "mailer"]
MESSAGES = [
    "request completed", "connection reset by peer while reading response header from upstream", "payment accepted",
    "cache miss for key user:%d", "retrying after timeout (attempt %d of 5)", "user %d logged in",
    "slow query on table orders, %d rows examined", 'upstream answered "503 Service Unavailable" for /v1/items/%d',
    "disk usage at %d percent", "GET /v1/items/%d HTTP/1.1 200", "caf\u00e9 order %d shipped to Z\u00fcrich",
]
BLOCK_RECORDS = 200_000
BEGIN, END = "<!-- analyze: begin -->", "<!-- analyze: end -->"


def record(number, rng):
    message = rng.choice(MESSAGES)
    fields = {
        "ts": "2025-09-15T%02d:%02d:%02dZ" % (number // 3600 % 24, number // 60 % 60, number % 60),
        "service": rng.choice(SERVICES),
        "level": rng.choices(["INFO", "DEBUG", "WARN", "ERROR"], [70, 15, 8, 7])[0],
        "msg": message % rng.randrange(100_000) if "%d" in message else message,
        "latency_ms": rng.randrange(5000),
    }
    if rng.random() < 0.3:
        fields["user"] = {"id": rng.randrange(10**6), "plan": rng.choice(["free", "pro"])}
        fields["tags"] = [rng.choice(["eu", "us"]), rng.choice(["blue", "green"])]
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)


def make_file(path, size_bytes, seed):
    """One block of records, repeated. Returns the size."""
    rng = random.Random(seed)
    block = ("\n".join(record(i, rng) for i in range(BLOCK_RECORDS)) + "\n").encode()
    written = 0
    with open(path, "wb") as out:
        while written < size_bytes:
            out.write(block)
            written += len(block)
    return written


def run_once(command):
    """Wall seconds, CPU seconds, peak RSS in MiB of one run; stdout as text.

    A child's peak RSS as the kernel counts it begins with that of the process that forked it, and ours is large: GNU time,
    which is small, forks it instead.
    """
    with tempfile.TemporaryFile() as out, tempfile.NamedTemporaryFile("r") as peak:
        begin = time.monotonic()
        child = subprocess.Popen(["/usr/bin/time", "-q", "-f", "%M", "-o", peak.name, *command], stdout=out, stderr=subprocess.PIPE)
        error = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit("%s: exit %d: %s" % (command[0], child.returncode, error.decode(errors="replace")[:500]))
        out.seek(0)
        return {"wall_s": wall, "cpu_s": usage.ru_utime + usage.ru_stime, "rss_mib": int(peak.read()) / 1024,
                "out": out.read().decode()}


def duckdb_command(python, path):
    query = ("import duckdb; c = duckdb.connect(); c.execute('set threads to 2'); print(c.execute(\"select service, count(*) from "
             "read_json('%s', format='newline_delimited', columns={service: 'VARCHAR', level: 'VARCHAR'}) "
             "where level = 'ERROR' group by 1\").fetchall())" % path)
    return [python, "-c", query]


def contestants(options, path):
    """(name, command, most runs, what it does), and what is left out with its reason."""
    rows, absent = [], []
    rows.append(("dendro analyze", [options.dendro, "analyze", "--file", path], options.runs, "validates, counts by service"))
    rows.append(("bare simdjson", [options.simdjson, path], options.runs, "validates (DOM, a line at a time), counts lines"))
    if shutil.which("rg"):
        rows.append(("ripgrep -c", ["rg", "-c", '"level":"ERROR"', path], options.runs, "finds bytes, counts lines"))
    else:
        absent.append("ripgrep: not installed")
    if shutil.which("jq"):
        program = 'reduce (inputs | select(.level == "ERROR")) as $r ({}; .[$r.service] += 1)'
        rows.append(("jq", ["jq", "-n", program, path], 1, "parses, counts by service"))
    else:
        absent.append("jq: not installed")
    has_duckdb = options.duckdb_python and subprocess.run(
        [options.duckdb_python, "-c", "import duckdb"], capture_output=True).returncode == 0
    if has_duckdb:
        rows.append(("DuckDB", duckdb_command(options.duckdb_python, path), min(options.runs, 3), "reads two columns, counts by service"))
    else:
        absent.append("DuckDB: no Python with its package was given (--duckdb-python)")
    return rows, absent


def measure(rows, raw):
    results = {name: [] for name, *_ in rows}
    for turn in range(max(runs for _, _, runs, _ in rows)):
        for name, command, runs, _ in rows:
            if turn >= runs:
                continue
            result = run_once(command)
            results[name].append(result)
            raw.write(json.dumps({"name": name, "turn": turn, **result}) + "\n")
            print("%-16s %7.3f s wall %7.3f s CPU %8.1f MiB" % (name, result["wall_s"], result["cpu_s"], result["rss_mib"]))
    return results


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def report(rows, absent, results, size_bytes, options):
    gigabytes = size_bytes / 1e9
    simdjson_best = min(r["wall_s"] for r in results["bare simdjson"])
    lines = [
        BEGIN, "## analyze", "",
        "%.2f GB of NDJSON in the page cache (`bench/analyze.py`, seed %d), %s, %d cores, %s, load average at the start %.1f. Rates "
        "by the best run; the spread is from best to worst. `x simdjson` compares best runs of this table; 0.8 is the least asked."
        % (gigabytes, options.seed, cpu_model(), os.cpu_count(), time.strftime("%Y-%m-%d"), options.load), "",
        "| program | does | runs | best s | median s | worst s | GB/s | CPU s a GB | peak RSS MiB | x simdjson |",
        "|---|---|---|---|---|---|---|---|---|---|"]
    for name, _, _, does in rows:
        walls = sorted(r["wall_s"] for r in results[name])
        cpu = statistics.median(r["cpu_s"] for r in results[name]) / gigabytes
        lines.append("| %s | %s | %d | %.3f | %.3f | %.3f | %.2f | %.2f | %.0f | %.2f |" % (
            name, does, len(walls), walls[0], statistics.median(walls), walls[-1], gigabytes / walls[0], cpu,
            max(r["rss_mib"] for r in results[name]), simdjson_best / walls[0]))
    lines += [""] + ["Left out: %s." % reason for reason in absent] + ([""] if absent else [])
    command = "bench/analyze.py --dendro DENDRO --simdjson ANALYZE_SIMDJSON_BENCH --gb %g --runs %d --duckdb-python PYTHON" % (
        options.gb, options.runs)
    lines += ["Again: `cmake --workflow --preset bench`, then `%s --write docs/benchmarks.md`." % command, END]
    return "\n".join(lines)


def write_section(path, section):
    """Replaces our section of the page, or adds it."""
    page = pathlib.Path(path)
    text = page.read_text() if page.exists() else "# Benchmarks\n"
    if BEGIN in text:
        text = text[:text.index(BEGIN)] + section + text[text.index(END) + len(END):]
    else:
        text = text.rstrip("\n") + "\n\n" + section + "\n"
    page.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dendro", default="build/bench/dendro")
    parser.add_argument("--simdjson", default="build/bench/bench/analyze_simdjson_bench")
    parser.add_argument("--duckdb-python")
    parser.add_argument("--gb", type=float, default=2)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--folder", help="where the file is made; default: the system's temporary folder")
    parser.add_argument("--raw", default=os.devnull)
    parser.add_argument("--write", help="page whose section `analyze` is replaced")
    options = parser.parse_args()
    if not os.access("/usr/bin/time", os.X_OK):
        sys.exit("bench/analyze.py needs GNU time: apt-get install time")
    options.load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, open(options.raw, "w") as raw:
        path = os.path.join(folder, "analyze.ndjson")
        size_bytes = make_file(path, options.gb * 1e9, options.seed)
        subprocess.run(["cat", path], stdout=subprocess.DEVNULL, check=True)
        rows, absent = contestants(options, path)
        results = measure(rows, raw)
    section = report(rows, absent, results, size_bytes, options)
    print(section)
    if options.write:
        write_section(options.write, section)


if __name__ == "__main__":
    main()
