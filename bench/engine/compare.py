#!/usr/bin/env python3
"""dendro beside VictoriaLogs on the same machine in one run: loading, size at rest, queries (docs/benchmarks.md).

    cmake --preset bench && ninja -C build/bench dendro engine_load engine_scale_up
    VL_BIN=victoria-logs bench/engine/compare.py --dendro build/bench/dendro --out results/

One server at a time, each with its defaults and a fresh data folder, in alternation, --repeats times. Loading: NDJSON over
HTTP, 1 MiB bodies, --connections kept-alive connections. Then flush and merge by command, then every query of
queries.json: 1 cold (pages of the data dropped before), 5 hot over one kept-alive connection; the median of the hot ones
counts. Every answer, the cold one too, is compared with the truth: a wrong or cut answer is a failure, not a time. Of a
corpus scaled up (--times) the truth is known for the newest records only; there both servers must agree.
What dendro answers 501 to is printed as not built. Without --vl its quoted figures are printed, called so.
Raw figures: OUT/compare.json; the tables: OUT/compare.md and stdout. Exit code 1 if an answer was wrong.
"""
import argparse
import json
import math
import os
import re
import statistics
import sys
import time
from pathlib import Path

import harness
from harness import Client, RunFailed, say

HOT_RUNS = 5
QUICK_REPEATS = 1


# ---- truths ----

def time_key(text):
    """An RFC 3339 time in UTC with nine decimals."""
    base, _, fraction = text.rstrip("Z").partition(".")
    return base + "." + fraction.ljust(9, "0")


def newest_times(path, dataset, limit, word):
    """The times of the newest records (with a word in the body), falling, from the corpus itself."""
    pattern = re.compile(r"(?<![A-Za-z0-9_])%s(?![A-Za-z0-9_])" % re.escape(word)) if word else None
    times = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if word and word not in line:
                continue
            record = json.loads(line)
            if pattern is None or pattern.search(record.get(dataset["body"], "")):
                times.append(time_key(record[dataset["time"]]))
    return sorted(times, reverse=True)[:limit]


def answer_of(truth, rows):
    """What of an answer is compared: a number, a list, or sums of columns."""
    kind = truth["kind"]
    if kind == "count":
        return float(rows[0]["n"]) if len(rows) == 1 else "%d rows" % len(rows)
    if kind in ("rows", "unchecked"):
        return len(rows)
    if kind == "top":
        return [int(row["hits"]) for row in rows]
    if kind == "newest":
        return [time_key(row["_time"]) for row in rows]
    return {"rows": len(rows), **{column: math.fsum(float(row[column]) for row in rows) for column in truth.get("sums", {})}}


def differs(got, expected, tolerance):
    if isinstance(expected, dict):
        return any(abs(got[key] - value) > tolerance for key, value in expected.items())
    return got != expected


class Truths:
    """The right answers: those of queries.json at x1; the newest records at any size, computed from the corpus."""

    def __init__(self, times):
        self.times = times
        self.newest = {}

    def expected(self, query, dataset, path):
        """None: not known (a scaled corpus); then the two servers are compared with each other."""
        truth = query["truth"]
        if truth["kind"] == "newest":
            key = (str(path), truth["limit"], truth.get("word"))
            if key not in self.newest:
                self.newest[key] = newest_times(path, dataset, truth["limit"], truth.get("word"))
            return self.newest[key]
        if self.times > 1:
            return None
        if truth["kind"] == "top":
            return truth["hits"]
        if truth["kind"] == "table":
            return {"rows": truth["rows"], **truth.get("sums", {})}
        return truth["rows"] if truth["kind"] == "unchecked" else truth["value"]


def fault_between(got, expected, truth):
    """Empty if the answers agree."""
    if not differs(got, expected, truth.get("tolerance", 0)):
        return ""
    if isinstance(got, list):
        at = next((i for i, (a, b) in enumerate(zip(got, expected)) if a != b), min(len(got), len(expected)))
        return "entry %d of %d differs from the right one of %d" % (at + 1, len(got), len(expected))
    return "is %s, must be %s" % (got, expected)


def cross_check(runs, queries):
    """Of a scaled corpus the truth is not known: both servers must say the same. The fault is put on both."""
    by_server = {run["server"]: run["queries"] for run in runs if "queries" in run}
    if len(by_server) < 2:
        return
    for query in queries:
        mine, its = (by_server[name].get(query["name"], {}) for name in ("dendro", "VictoriaLogs"))
        if "ms" not in mine or "ms" not in its or query["truth"]["kind"] == "unchecked":
            continue
        tolerance = 1e-6 * abs(mine["answer"].get("total", 0)) if isinstance(mine["answer"], dict) else 0
        if differs(mine["answer"], its["answer"], tolerance):
            text = "the servers disagree: dendro %s, VictoriaLogs %s" % (str(mine["answer"])[:60], str(its["answer"])[:60])
            mine["failed"] = its["failed"] = text
            del mine["ms"], its["ms"]


# ---- one server ----

def load_once(server, dataset, path, options):
    loaded = harness.run_loader(options.loader, server, dataset, path, "--connections", options.connections,
                                *(["--batch-records", options.batch_records] if options.batch_records else []))
    at_ack = loaded["server_cpu_s"]
    server.wait_quiet()
    result = {"load": loaded, "cpu_to_ack_s": at_ack, "cpu_to_quiet_s": harness.cpu_s(server.pid),
              "peak_rss_load_mb": harness.memory_mb(server.pid)}
    result["settled"] = server.settle()
    result["cpu_to_settled_s"] = harness.cpu_s(server.pid)
    result["peak_rss_settled_mb"] = harness.memory_mb(server.pid)
    result["disk"] = server.disk()
    return result


def dendro_texts(query):
    """What to try, in order: the query itself, and the one that stands in until the language is whole."""
    yield query["dendro"], ""
    if "dendro_until_built" in query:
        yield query["dendro_until_built"], "as `%s`" % query["dendro_until_built"].split(" | ")[0]


def run_query(server, client, query, texts, truths, dataset, path):
    """Cold and hot times in ms, or why there are none."""
    missing = ", ".join(query["needs"])
    for text, remark in texts:
        target = server.query_target({"text": text, "params": query.get("dendro_params", {})})
        server.forget_pages()
        times = []
        for _ in range(1 + HOT_RUNS):
            status, body, seconds = client.get(target)
            if status == 501:
                break
            if status != 200:
                return {"failed": "answered %d: %s" % (status, body[:200].decode(errors="replace"))}
            try:
                answer = answer_of(query["truth"], server.rows_of(body))
                expected = truths.expected(query, dataset, path)
                fault = "" if expected is None else fault_between(answer, expected, query["truth"])
            except (RunFailed, KeyError, ValueError) as error:
                fault = "%s: %s" % (type(error).__name__, error)
            if fault:
                return {"failed": fault}
            times.append(seconds * 1e3)
        if times:
            return {"cold_ms": times[0], "hot_ms": times[1:], "ms": statistics.median(times[1:]), "bytes": len(body), "answer": answer,
                    "remark": remark}
    return {"skipped": "not built: " + (missing or "501")}


def run_queries(server, queries, truths, dataset, path):
    results = {}
    client = Client(server.port)
    for query in queries:
        texts = dendro_texts(query) if server.name == "dendro" else [(query["vl"], "")]
        result = run_query(server, client, query, texts, truths, dataset, path)
        results[query["name"]] = result
        if "ms" in result:
            shown = "%9.2f ms (cold %.2f)" % (result["ms"], result["cold_ms"])
        elif "failed" in result:
            shown = "WRONG: " + result["failed"]
        else:
            shown = "skipped, " + result["skipped"]
        say("    %-34s %s %s" % (query["name"], shown, result.get("remark", "")))
    client.close()
    return results


def run_server(make, options, name, dataset, queries, truths, path, with_queries):
    say("  %s, load %s" % (make(options, name).name, harness.load_average()))
    with make(options, name) as server:
        result = {"server": server.name, "dataset": name, "load_average": harness.load_average()}
        result.update(load_once(server, dataset, path, options))
        say("    %.0f MB/s, CPU %.2f s to 2xx, %.2f to quiet, %.2f settled; RSS %.0f MB; at rest %.2f MB (%s)" % (
            result["load"]["mb_per_s"], result["cpu_to_ack_s"], result["cpu_to_quiet_s"], result["cpu_to_settled_s"],
            result["peak_rss_settled_mb"], result["disk"]["at_rest_bytes"] / 1e6, result["settled"]))
        if with_queries:
            result["queries"] = run_queries(server, queries, truths, dataset, path)
        result["peak_rss_all_mb"] = harness.memory_mb(server.pid)
        server.stop()
        result["notes"] = server.notes
    for note in result["notes"]:
        say("    note: " + note)
    return result


# ---- the tables ----

MEASURES = [  # title, of one run, quoted key, more is better
    ("MB/s to the last 2xx", lambda r: r["load"]["mb_per_s"], "mb_per_s", True),
    ("ack p50 ms", lambda r: r["load"]["ack_p50_ms"], None, False),
    ("ack p99 ms", lambda r: r["load"]["ack_p99_ms"], None, False),
    ("CPU s to the last 2xx", lambda r: r["cpu_to_ack_s"], None, False),
    ("CPU s to quiet", lambda r: r["cpu_to_quiet_s"], "cpu_s", False),
    ("CPU s to flushed and merged", lambda r: r["cpu_to_settled_s"], None, False),
    ("peak RSS MB, loading and merging", lambda r: r["peak_rss_settled_mb"], "peak_rss_mb", False),
    ("MB at rest", lambda r: r["disk"]["at_rest_bytes"] / 1e6, "bytes_at_rest", False),
]


def middle(runs, read):
    return statistics.median(read(run) for run in runs) if runs else None


def number(value):
    """Three significant digits, more where they are whole."""
    if value is None:
        return "-"
    return "%.0f" % value if abs(value) >= 100 else "%.3g" % value


def load_table(name, dataset, ours, theirs):
    lines = ["| %s | dendro | VictoriaLogs | quoted | dendro / VictoriaLogs | better |" % name, "|---|---|---|---|---|---|"]
    for title, read, quoted_key, more_is_better in MEASURES:
        mine, its = middle(ours, read), middle(theirs, read)
        quoted = dataset.get("vl_quoted", {}).get(quoted_key)
        if quoted is not None and quoted_key == "bytes_at_rest":
            quoted /= 1e6
        peer = its if its is not None else quoted
        ratio = mine / peer if peer and mine is not None else None
        better = "" if not ratio else "dendro" if (ratio > 1) == more_is_better else "VictoriaLogs"
        lines.append("| %s | %s | %s | %s | %s | %s |" % (title, number(mine), number(its), number(quoted), number(ratio), better))
    return lines


def spread(runs):
    rates = sorted(run["load"]["mb_per_s"] for run in runs)
    return "%.0f-%.0f MB/s" % (rates[0], rates[-1]) if rates else "not run"


def cell(result, key):
    if result is None:
        return "-"
    if "failed" in result:
        return "**wrong**: " + result["failed"].replace("|", "\\|")[:80]
    if "skipped" in result:
        return result["skipped"]
    return number(result[key])


def query_table(queries, ours, theirs, ratios):
    """Appends the ratio of each comparable query to `ratios`: (ratio, name, whether another text stood in)."""
    lines = ["| query | dendro ms | cold | VictoriaLogs ms | cold | quoted ms | times as fast | |", "|---|---|---|---|---|---|---|---|"]
    for query in queries:
        mine, its, quoted = ours.get(query["name"]), theirs.get(query["name"]), query["vl_quoted_ms"]
        measured = its is not None and "ms" in its
        peer = its["ms"] if measured else quoted if not theirs else None
        ratio = peer / mine["ms"] if peer and mine and "ms" in mine else None
        remark = (mine or {}).get("remark", "")
        if query["truth"]["kind"] == "unchecked":
            remark = (remark + " unchecked, templates differ by design").strip()
        elif ratio:
            ratios.append((ratio, query["name"], bool(remark)))
        lines.append("| %s | %s | %s | %s | %s | %s | %s | %s |" % (
            query["name"].replace("|", "\\|"), cell(mine, "ms"), cell(mine, "cold_ms"), cell(its, "ms"), cell(its, "cold_ms"),
            number(quoted), number(ratio), remark.replace("|", "\\|")))
    return lines


def last_queries(runs):
    return next((run["queries"] for run in reversed(runs) if "queries" in run), {})


def report(raw, data, names):
    lines = ["Machine: %s, %d cores, Linux %s; %s; load at the start %s. %s against %s." % (
        raw["cpu"], raw["cores"], raw["kernel"], raw["date"], raw["load_average"], raw["dendro_version"],
        raw["vl_version"] or "quoted figures of VictoriaLogs 1.26 (another time; its binary was not given)"), ""]
    ratios = []
    for name in names:
        dataset = data["datasets"][name]
        runs = {kind: [run for run in raw["runs"] if run["dataset"] == name and run["server"] == kind]
                for kind in ("dendro", "VictoriaLogs")}
        lines += load_table(name, dataset, runs["dendro"], runs["VictoriaLogs"])
        lines += ["", "Medians of %d; spread: dendro %s, VictoriaLogs %s." % (
            len(runs["dendro"]), spread(runs["dendro"]), spread(runs["VictoriaLogs"]))]
        for run in runs["dendro"][-1:]:
            lines.append("dendro's journal apart: %.1f MB spare, %.1f MB live, everything flushed: %s; %s." % (
                run["disk"]["wal_spare_bytes"] / 1e6, run["disk"]["wal_live_bytes"] / 1e6, run["disk"]["all_flushed"], run["settled"]))
        lines += ["Note: %s." % note for note in sorted({note for kind in runs.values() for run in kind for note in run["notes"]})]
        queries = [query for query in data["queries"] if query["dataset"] == name]
        lines += [""] + query_table(queries, last_queries(runs["dendro"]), last_queries(runs["VictoriaLogs"]), ratios) + [""]
    if ratios:
        mean = math.exp(statistics.fmean(math.log(ratio) for ratio, *_ in ratios))
        slower = ["%s (%s)" % (name, number(ratio)) for ratio, name, _ in ratios if ratio < 1]
        lines.append("Geometric mean over %d comparable queries (%d of them by a substitute text): dendro is %s times as fast as "
                     "VictoriaLogs%s; slower in %d%s." % (
                         len(ratios), sum(substitute for *_, substitute in ratios), number(mean),
                         "" if raw["vl_version"] else " (quoted)", len(slower), ": " + "; ".join(slower) if slower else ""))
    skipped = [(run["dataset"], name) for run in raw["runs"] for name, result in run.get("queries", {}).items() if "skipped" in result]
    wrong = [(run["server"], run["dataset"], name) for run in raw["runs"] for name, result in run.get("queries", {}).items()
             if "failed" in result]
    lines.append("Not built, left out: %d. Wrong answers: %d%s." % (
        len(skipped), len(wrong), "".join("; %s %s: %s" % each for each in wrong)))
    return "\n".join(lines), wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_server_options(parser)
    parser.add_argument("--dataset", action="append", help="nezha, zeek or bsd-dmesg, repeatable; default: all")
    parser.add_argument("--repeats", type=int, default=3, help="of loading; queries run in the last")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--batch-records", type=int, default=0, help="records a body instead of 1 MiB")
    parser.add_argument("--no-queries", action="store_true")
    parser.add_argument("--query", action="append", help="only queries whose name holds this, repeatable")
    parser.add_argument("--quick", action="store_true", help="nezha only, loaded once")
    parser.add_argument("--out", default=".", help="folder for compare.json and compare.md")
    options = parser.parse_args()
    try:
        harness.settle_options(options)
        data = harness.read_queries()
        if options.query:
            wanted = [query for query in data["queries"] if any(part in query["name"] for part in options.query)]
            data["queries"] = wanted
        names = options.dataset or (["nezha"] if options.quick else list(data["datasets"]))
        repeats = QUICK_REPEATS if options.quick else options.repeats
        raw = {"date": time.strftime("%Y-%m-%d"), "cpu": harness.cpu_model(), "cores": os.cpu_count(), "kernel": os.uname().release,
               "load_average": harness.load_average(), "connections": options.connections, "batch_records": options.batch_records, "times": options.times,
               "dendro_version": harness.version_of(options.dendro, harness.Dendro),
               "vl_version": harness.version_of(options.vl, harness.VictoriaLogs) if options.vl else None, "runs": []}
        makers = [harness.make_dendro] + ([harness.make_vl] if options.vl else [])
        truths = Truths(options.times)
        for name in names:
            dataset = data["datasets"][name]
            path = harness.scaled_path(dataset, options)
            queries = [query for query in data["queries"] if query["dataset"] == name]
            if options.times > 1:  # what is quoted is of x1
                dataset.pop("vl_quoted", None)
                for query in queries:
                    query["vl_quoted_ms"] = None
            for turn in range(repeats):
                say("%s, turn %d of %d" % (name, turn + 1, repeats))
                harness.warm(path)
                for make in makers if turn % 2 == 0 else reversed(makers):
                    with_queries = turn + 1 == repeats and not options.no_queries
                    raw["runs"].append(run_server(make, options, name, dataset, queries, truths, path, with_queries))
            if options.times > 1:
                cross_check([run for run in raw["runs"] if run["dataset"] == name], queries)
    except RunFailed as error:
        sys.exit("bench/engine/compare.py: %s" % error)
    text, wrong = report(raw, data, names)
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "compare.json").write_text(json.dumps(raw, indent=1) + "\n")
    (out / "compare.md").write_text(text + "\n")
    print(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
