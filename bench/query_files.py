#!/usr/bin/env python3
"""Compares `dendro query` on an NDJSON file with ripgrep, jq, DuckDB and lnav in one run: wall time, CPU seconds a GB, ratios.

    cmake --workflow --preset bench
    bench/query_files.py --dendro build/bench/dendro --duckdb-python PYTHON nezha.ndjson

Each task is what people do with a log: count its lines, count a word that is rare, absent or in most lines, group the matches by a
field. Every answer is compared with jq's, or with the file's own lines where jq is left out: a fast wrong answer ends the run.
ripgrep and lnav know lines, not fields, so they do the text tasks only, on the whole line: where that gives another count it is said.
The file is read once to warm the page cache, then all programs of a task run --runs times in turns (jq and lnav once). What is not
installed is left out with its reason: apt-get install ripgrep jq lnav; pip install duckdb. Needs GNU time (package `time`).
GB = 10^9 bytes. Raw figures go to --raw (JSON lines).
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

import analyze

BEGIN, END = "<!-- query_files: begin -->", "<!-- query_files: end -->"


class Task:
    """One question. `word` alone: lines that hold it; `group`: how many of them a value of that field has."""

    def __init__(self, name, word=None, group=None):
        self.name, self.word, self.group = name, word, group

    def dendro(self, options):
        query = (self.word or "*") + (" | stats by (%s) count() as n" % self.group if self.group else " | stats count() as n")
        return [options.dendro, "query", "-o", "ndjson", query, options.file]

    def ripgrep(self, options):
        # Exit 1 says that nothing was found.
        return ["sh", "-c", 'rg -c --include-zero "$1" "$2"; [ $? -le 1 ]', "rg", r"\b%s\b" % self.word if self.word else "^",
                options.file]

    def jq(self, options):
        # The stored values by themselves, words by their boundaries: what a text filter means.
        test = '[.. | strings] | any(test("\\\\b%s\\\\b"))' % self.word if self.word else "true"
        step = '.[$r["%s"] // "null" | tostring] += 1' % self.group if self.group else '.n += 1'
        start = "{}" if self.group else '{"n":0}'
        return ["jq", "-nc", "reduce (inputs | select(%s)) as $r (%s; %s)" % (test, start, step), options.file]

    def duckdb(self, options):
        where = "where regexp_matches(%s, '\\b%s\\b')" % (options.text_field, self.word) if self.word else ""
        columns = {name for name in (self.group, options.text_field if self.word else None) if name} or {options.text_field}
        read = "read_json('%s', format='newline_delimited', columns={%s})" % (
            options.file, ", ".join("%s: 'VARCHAR'" % name for name in sorted(columns)))
        what = '"%s", count(*)' % self.group if self.group else "count(*)"
        sql = "select %s from %s %s %s" % (what, read, where, "group by 1" if self.group else "")
        return [options.duckdb_python, "-c",
                "import duckdb, json, sys; c = duckdb.connect(); c.execute('set threads to %d'); "
                "print(json.dumps(c.execute(sys.argv[1]).fetchall()))" % os.cpu_count(), sql]

    def lnav(self, options):
        return ["sh", "-c", 'lnav -n -c ":filter-in \\b$1\\b" "$2" | wc -l', "lnav", self.word, options.file]


def answer_of(program, task, text):
    """The count, or the counts by value, that a program's output states."""
    if program == "dendro":
        rows = [json.loads(line) for line in text.splitlines()]
        return {str(row[task.group]): row["n"] for row in rows} if task.group else rows[0]["n"]
    if program == "jq":
        return json.loads(text) if task.group else json.loads(text)["n"]
    if program == "DuckDB":
        rows = json.loads(text)
        return {str(value): count for value, count in rows} if task.group else rows[0][0]
    return int(text.strip() or 0)


def programs_of(task, options):
    """(name, command, runs) of those that can do it and are there."""
    rows = [("dendro", task.dendro(options), options.runs)]
    if task.group is None and "ripgrep" not in options.absent:
        rows.append(("ripgrep", task.ripgrep(options), options.runs))
    if "jq" not in options.absent:
        rows.append(("jq", task.jq(options), 1))
    if "DuckDB" not in options.absent:
        rows.append(("DuckDB", task.duckdb(options), min(options.runs, 3)))
    if task.group is None and task.word and "lnav" not in options.absent:
        rows.append(("lnav", task.lnav(options), 1))
    return rows


def look_around(options):
    """What is not there, and why."""
    absent = {name: "not installed: apt-get install " + name
              for name, binary in (("ripgrep", "rg"), ("jq", "jq"), ("lnav", "lnav")) if shutil.which(binary) is None}
    if not options.duckdb_python:
        absent["DuckDB"] = "no Python with its package was given (--duckdb-python; pip install duckdb)"
    else:
        tried = subprocess.run([options.duckdb_python, "-c", "import duckdb"], capture_output=True, text=True)
        if tried.returncode != 0:
            absent["DuckDB"] = "import duckdb failed: " + (tried.stderr.strip().splitlines() or ["no output"])[-1]
    return absent


def measure(task, options, raw):
    """Results by program; the answers are checked against jq's, and text tools' differences are said."""
    programs = programs_of(task, options)
    results = {name: [] for name, *_ in programs}
    answers = {}
    for turn in range(options.runs):
        for name, command, runs in programs:
            if turn >= runs:
                continue
            result = analyze.run_once(command)
            answers[name] = answer_of(name, task, result.pop("out"))
            results[name].append(result)
            raw.write(json.dumps({"task": task.name, "name": name, "turn": turn, **result}) + "\n")
    truth = answers.get("jq", answers["dendro"])
    if answers["dendro"] != truth:
        sys.exit("%s: dendro answers %s, jq %s" % (task.name, answers["dendro"], truth))
    notes = ["%s of %s: %s instead of %s" % (name, task.name, answer if isinstance(answer, int) else "other groups",
                                            truth if isinstance(truth, int) else "these")
             for name, answer in answers.items() if answer != truth]
    return results, notes


def report(tasks, measured, notes, options):
    gigabytes = options.size_bytes / 1e9
    lines = [
        BEGIN, "## query on files", "",
        "%s, %.0f MB of NDJSON in the page cache, %s, %d cores, %s, load average at the start %.1f. Best run of %d (jq and lnav: of one). "
        "`x` is how many times as long as dendro it takes, by wall time of the best runs." % (
            os.path.basename(options.file), options.size_bytes / 1e6, analyze.cpu_model(), os.cpu_count(),
            time.strftime("%Y-%m-%d"), options.load, options.runs), "",
        "| task | program | best s | median s | GB/s | GB/s a core | peak RSS MiB | x |", "|---|---|---|---|---|---|---|---|"]
    for task in tasks:
        ours = min(r["wall_s"] for r in measured[task.name]["dendro"])
        for name, results in measured[task.name].items():
            walls = sorted(r["wall_s"] for r in results)
            cpu = min(r["cpu_s"] for r in results)
            lines.append("| %s | %s | %.3f | %.3f | %.2f | %.2f | %.0f | %.2f |" % (
                task.name, name, walls[0], statistics.median(walls), gigabytes / walls[0], gigabytes / cpu if cpu else 0,
                max(r["rss_mib"] for r in results), walls[0] / ours))
    lines.append("")
    lines += ["- Left out: %s, %s." % item for item in sorted(options.absent.items())]
    lines += ["- Another count: %s." % note for note in notes]
    lines += ["- Again: `cmake --workflow --preset bench`, then `bench/query_files.py --dendro DENDRO --duckdb-python PYTHON --runs %d "
              "FILE --write docs/benchmarks.md`." % options.runs, END]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="NDJSON, an object a line")
    parser.add_argument("--dendro", default="build/bench/dendro")
    parser.add_argument("--duckdb-python")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rare", default="Exception")
    parser.add_argument("--absent-word", default="nosuchword")
    parser.add_argument("--frequent", default="INFO")
    parser.add_argument("--group", default="pod", help="field that matches are grouped by")
    parser.add_argument("--text-field", default="_msg", help="field that DuckDB looks for words in")
    parser.add_argument("--raw", default=os.devnull)
    parser.add_argument("--write", help="page whose section `query_files` is replaced")
    options = parser.parse_args()
    if not os.access("/usr/bin/time", os.X_OK):
        sys.exit("bench/query_files.py needs GNU time: apt-get install time")
    options.load = os.getloadavg()[0]
    options.size_bytes = os.path.getsize(options.file)
    options.absent = look_around(options)
    subprocess.run(["cat", options.file], stdout=subprocess.DEVNULL, check=True)
    tasks = [Task("count lines"), Task("absent word", options.absent_word), Task("rare word", options.rare),
             Task("frequent word", options.frequent), Task("group by %s" % options.group, None, options.group),
             Task("frequent word by %s" % options.group, options.frequent, options.group)]
    measured, notes = {}, []
    with open(options.raw, "w") as raw:
        for task in tasks:
            measured[task.name], more = measure(task, options, raw)
            notes += more
    analyze.BEGIN, analyze.END = BEGIN, END
    section = report(tasks, measured, notes, options)
    print(section)
    if options.write:
        analyze.write_section(options.write, section)


if __name__ == "__main__":
    main()
