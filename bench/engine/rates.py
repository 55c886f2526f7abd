#!/usr/bin/env python3
"""How dendro, and VictoriaLogs beside it, behave under load: rates, acknowledgements, memory (engine.md 1.1).

    bench/engine/rates.py singles   --dendro build/bench/dendro         single-record POSTs/s on 64 connections, p99 at half load
    bench/engine/rates.py half      ...                                 1 MiB bodies: p99 at half of the highest rate
    bench/engine/rates.py limit     ... --dendro-env NAME=512MiB --vl-arg=-memory.allowedBytes=512MiB --times 5
                                                                        peak RSS while five times the corpus comes in
    bench/engine/rates.py sustained ... --times 5                       rate over time, peak RSS, size at rest
    bench/engine/rates.py mixed     ...                                 8 concurrent queries while 50 MB/s come in
    bench/engine/rates.py restart   ... --times 2                       journal replay after kill -9, opening after a clean stop
    bench/engine/rates.py export    ...                                 every record as NDJSON, as it was stored

Each mode starts each server once, alone, over a fresh data folder. --times N needs engine_scale_up (--scale-up); what it
makes stays in the cache, with its hash. Latencies count from the intended send time. How dendro is told its memory limit
is passed through (--dendro-env, --dendro-arg), and whether it took it shows in its peak. One JSON document on stdout, text
for people on stderr.
"""
import argparse
import json
import statistics
import sys
import threading
import time

import harness
from harness import Client, RunFailed, say

SINGLES_CONNECTIONS = 64
MIXED_QUERIES = 8
MIXED_MB_A_SECOND = 50


class MemoryWatch:
    """Resident memory of a process every 200 ms, on a thread, between start and stop."""

    def __init__(self, pid):
        self.pid = pid
        self.samples_mb = []
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.done.wait(0.2):
            try:
                self.samples_mb.append(round(harness.memory_mb(self.pid, "VmRSS"), 1))
            except OSError:
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def load(server, dataset, path, options, *arguments):
    return harness.run_loader(options.loader, server, dataset, path, *arguments)


def brief(result):
    keys = ("mb_per_s", "requests_per_s", "ack_p50_ms", "ack_p99_ms", "ack_p999_ms", "ack_max_ms", "statuses", "retries",
            "reconnects", "wall_s", "loader_cpu_s", "server_cpu_s", "rate_mb", "rate_rps")
    return {key: result[key] for key in keys}


def singles(server, dataset, path, options):
    arguments = ["--connections", SINGLES_CONNECTIONS, "--batch-records", 1, "--requests", 10**9, "--seconds", options.seconds]
    most = load(server, dataset, path, options, *arguments)
    server.wait_quiet()
    half = load(server, dataset, path, options, *arguments, "--rate-rps", "%.0f" % (most["requests_per_s"] / 2))
    say("    %.0f single-record POSTs/s on %d connections, p99 %.2f ms; at half load %.0f/s, p50 %.2f ms, p99 %.2f ms" % (
        most["requests_per_s"], SINGLES_CONNECTIONS, most["ack_p99_ms"], half["requests_per_s"], half["ack_p50_ms"], half["ack_p99_ms"]))
    return {"most": brief(most), "half": brief(half)}


def half(server, dataset, path, options):
    arguments = ["--connections", options.connections, "--requests", 10**9, "--seconds", options.seconds]
    most = load(server, dataset, path, options, *arguments)
    server.wait_quiet()
    slower = load(server, dataset, path, options, *arguments, "--rate-mb", "%.1f" % (most["mb_per_s"] / 2))
    say("    at most %.0f MB/s, p99 %.1f ms; at half of it, %.0f MB/s, p50 %.2f ms, p99 %.2f ms" % (
        most["mb_per_s"], most["ack_p99_ms"], slower["mb_per_s"], slower["ack_p50_ms"], slower["ack_p99_ms"]))
    return {"most": brief(most), "half": brief(slower)}


def sustained(server, dataset, path, options):
    with MemoryWatch(server.pid) as watch:
        result = load(server, dataset, path, options, "--connections", options.connections, "--timeline-ms", 1000)
        peak_at_ack = harness.memory_mb(server.pid)
        server.wait_quiet()
    rates = result["timeline_mb"][1:-1] or result["timeline_mb"]  # the first and the last second are not whole
    settled = server.settle()
    out = {"load": brief(result), "mb_of_each_second": result["timeline_mb"], "rss_mb_each_200_ms": watch.samples_mb,
           "slowest_second_mb": min(rates), "median_second_mb": statistics.median(rates), "peak_rss_at_ack_mb": peak_at_ack,
           "peak_rss_mb": harness.memory_mb(server.pid), "cpu_to_settled_s": harness.cpu_s(server.pid), "settled": settled,
           "disk": server.disk()}
    say("    %.0f MB/s over %.1f s, seconds from %.0f to a median of %.0f MB; %d retries; peak RSS %.0f MB; at rest %.2f MB (%s)" % (
        result["mb_per_s"], result["wall_s"], min(rates), out["median_second_mb"], result["retries"], out["peak_rss_mb"],
        out["disk"]["at_rest_bytes"] / 1e6, settled))
    return out


def limit(server, dataset, path, options):
    if server.name == "dendro" and not (options.dendro_env or options.dendro_arg):
        server.notes.append("no limit was given to it (--dendro-env, --dendro-arg): its defaults")
    out = sustained(server, dataset, path, options)
    out["limit_mb"] = options.limit_mb
    out["within_limit"] = out["peak_rss_mb"] <= options.limit_mb
    say("    peak RSS %.0f MB, limit %.0f MB: %s" % (out["peak_rss_mb"], options.limit_mb, "kept" if out["within_limit"] else "EXCEEDED"))
    return out


def ask(server, query, times_ms, faults, stop):
    """Asks the same query until told to stop."""
    client = Client(server.port)
    texts = [query["dendro"], query.get("dendro_until_built")] if server.name == "dendro" else [query["vl"]]
    targets = [server.query_target({"text": text, "params": query.get("dendro_params", {})}) for text in texts if text]
    while targets and not stop.is_set():
        status, body, seconds = client.get(targets[0])
        if status == 501:
            targets.pop(0)
        elif status != 200:
            faults.append("%s: %d %s" % (query["name"], status, body[:100].decode(errors="replace")))
            return
        else:
            times_ms.append(seconds * 1e3)
    if not targets:
        faults.append(query["name"] + ": not built")
    client.close()


def mixed(server, dataset, path, options):
    """Answers grow while records come in, so they are not compared with a truth here."""
    load(server, dataset, path, options, "--connections", options.connections)
    server.settle()
    names = ["count", "word error", "absent substring", "substring ravelServ", "newest 100", "count by minute", "top 10 pod",
             "trace_id, rows"]
    queries = {query["name"]: query for query in harness.read_queries()["queries"] if query["dataset"] == "nezha"}
    chosen = [queries[name] for name in names]
    stop, faults = threading.Event(), []
    times = {query["name"]: [] for query in chosen}
    threads = [threading.Thread(target=ask, args=(server, query, times[query["name"]], faults, stop)) for query in chosen]
    for thread in threads:
        thread.start()
    result = load(server, dataset, path, options, "--connections", options.connections, "--requests", 10**9, "--seconds",
                  options.seconds, "--rate-mb", MIXED_MB_A_SECOND)
    stop.set()
    for thread in threads:
        thread.join()
    out = {"load": brief(result), "faults": faults, "queries": {}}
    for name, values in times.items():
        if values:
            values.sort()
            out["queries"][name] = {"answers": len(values), "p50_ms": statistics.median(values),
                                    "p99_ms": values[max(0, -(-len(values) * 99 // 100) - 1)], "max_ms": values[-1]}
            say("    %-24s %6d answers, p50 %8.2f ms, p99 %8.2f ms" % (
                name, len(values), out["queries"][name]["p50_ms"], out["queries"][name]["p99_ms"]))
    say("    meanwhile %.1f MB/s of %d, ack p99 %.1f ms%s" % (
        result["mb_per_s"], MIXED_MB_A_SECOND, result["ack_p99_ms"], "; left out: " + "; ".join(faults) if faults else ""))
    return out


def seconds_until_ready(server):
    since = time.monotonic()
    server.start()
    return time.monotonic() - since


def restart(server, dataset, path, options):
    """dendro only: nothing is flushed before the kill, so that all of it is replayed."""
    if server.name != "dendro":
        return {}
    server.env = {**server.env, "DENDRO_MEMTABLE_BYTES_MAX": "4GiB", "DENDRO_WAL_BACKLOG_BYTES_MAX": "4GiB",
                  "DENDRO_MEMTABLE_AGE_MAX": "1h", "DENDRO_MEMORY_LIMIT": "16GiB"}
    server.stop()
    server.start()
    result = load(server, dataset, path, options, "--connections", options.connections)
    records = server.metric("dendro_storage_memtable_records")
    server.process.kill()
    server.process.wait()
    replay_s = seconds_until_ready(server)
    replayed = server.metric("dendro_storage_memtable_records")
    server.env = {k: v for k, v in server.env.items() if "MEMTABLE" not in k and "BACKLOG" not in k}
    server.stop()
    server.start()
    server.settle()
    server.stop()
    ready_s = seconds_until_ready(server)
    for _ in range(4):
        server.stop()
        ready_s = min(ready_s, seconds_until_ready(server))
    out = {"mb": result["bytes"] / 1e6, "records_in_memory": records, "records_replayed": replayed, "replay_s": replay_s,
           "replay_mb_per_s": result["bytes"] / 1e6 / replay_s, "ready_after_clean_stop_s": ready_s}
    say("    replay of %.0f MB in %.2f s: %.0f MB/s, %d of %d records; ready %.0f ms after a clean stop" % (
        out["mb"], replay_s, out["replay_mb_per_s"], replayed, records, ready_s * 1e3))
    return out


def export(server, dataset, path, options):
    """The whole of it, record by record. Bytes of the answer and of what was sent, by the best of three."""
    load(server, dataset, path, options, "--connections", options.connections)
    server.settle()
    query = {"text": "*", "params": {"limit": 0, "clip_bytes": 0, "progress": "false"}}
    best = None
    for _ in range(3):
        cpu = harness.cpu_s(server.pid)
        client = Client(server.port, 300)
        status, body, seconds = client.get(server.query_target(query))
        client.close()
        if status != 200:
            raise RunFailed("export: %d %s" % (status, body[:200].decode(errors="replace")))
        run = {"s": seconds, "answer_mb": len(body) / 1e6, "rows": body.count(b"\n"), "server_cpu_s": harness.cpu_s(server.pid) - cpu}
        best = run if best is None or seconds < best["s"] else best
    raw_mb = path.stat().st_size / 1e6
    say("    %d rows in %.2f s: %.0f MB/s of the answer, %.0f MB/s of what was sent; CPU %.2f s" % (
        best["rows"], best["s"], best["answer_mb"] / best["s"], raw_mb / best["s"], best["server_cpu_s"]))
    return {**best, "raw_mb": raw_mb}


MODES = {"restart": restart, "export": export, "singles": singles, "half": half, "limit": limit, "sustained": sustained, "mixed": mixed}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=list(MODES))
    harness.add_server_options(parser)
    parser.add_argument("--dataset", default="nezha")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement of singles, half and mixed")
    parser.add_argument("--limit-mb", type=float, default=512 * 1024 * 1024 / 1e6, help="what `limit` holds the peak against")
    options = parser.parse_args()
    try:
        if options.mode == "mixed" and options.dataset != "nezha":
            raise RunFailed("mixed knows the queries of nezha only")
        harness.settle_options(options)
        dataset = harness.read_queries()["datasets"][options.dataset]
        path = harness.scaled_path(dataset, options)
        harness.warm(path)
        out = {"mode": options.mode, "date": time.strftime("%Y-%m-%d"), "cpu": harness.cpu_model(), "file": path.name,
               "dendro_env": options.dendro_env, "dendro_arg": options.dendro_arg, "results": []}
        for make in [harness.make_dendro] + ([harness.make_vl] if options.vl else []):
            before = harness.load_average()
            with make(options, options.mode) as server:
                say("%s, %s, load %s" % (options.mode, server.name, before))
                result = MODES[options.mode](server, dataset, path, options)
                server.stop()
                for note in server.notes:
                    say("    note: " + note)
                out["results"].append({"server": server.name, "load_average_before": before,
                                       "load_average_after": harness.load_average(), "notes": server.notes, **result})
    except RunFailed as error:
        sys.exit("bench/engine/rates.py: %s" % error)
    json.dump(out, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
