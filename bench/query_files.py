#!/usr/bin/env python3
"""Compares `dendro query` over NDJSON files with ripgrep, jq, DuckDB and lnav: CPU seconds a GB, wall time, memory.

    cmake --workflow --preset bench
    bench/query_files.py --dendro build/bench/dendro --duckdb-python PYTHON --corpora FOLDER

FOLDER holds nezha.ndjson.zst and zeek.ndjson.zst; each is unpacked and repeated to about --gb GB in a temporary folder. Each task
is what people do with a log: count its lines, count a word that is rare, absent or in most lines, count by the value of a field,
group the matches by a field. Every answer is compared with jq's (of the corpus once, times the repeats), or with DuckDB's where
jq is left out: a fast wrong answer ends the run. ripgrep and lnav know lines, not fields, so they do the text tasks only, on the whole
line: where that gives another count it is said.

The files are read once to warm the page cache, then all programs of a task run --runs times in turns; jq and lnav run once, over the
corpus once, and are reckoned up. `CPU s a GB` is user and system time of the best run: it counts where the machine is shared,
wall time where it is quiet. What is not installed is left out with its reason: apt-get install ripgrep jq lnav; pip install duckdb.
Needs GNU time (package `time`) and zstd. GB = 10^9 bytes. Raw figures go to --raw (JSON lines).
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import analyze

BEGIN, END = "<!-- query_files: begin -->", "<!-- query_files: end -->"


class Corpus:
    """A corpus once (`single`), and repeated to some size (`file`)."""

    def __init__(self, name, packed, folder, size_bytes):
        self.name = name
        self.single = Path(folder, name + "-1.ndjson")
        subprocess.run(["zstd", "-dqf", "--long=27", str(packed), "-o", str(self.single)], check=True)
        self.repeats = max(1, round(size_bytes / self.single.stat().st_size))
        self.file = Path(folder, name + ".ndjson")
        with open(self.file, "wb") as out:
            for _ in range(self.repeats):
                with open(self.single, "rb") as one:
                    shutil.copyfileobj(one, out, 1 << 20)
        self.gigabytes = self.file.stat().st_size / 1e9


class Task:
    """One question. `word`: lines in whose texts it stands; `field`, `value`: lines where it has that value; `group`: how many of them
    a value of that field has. `severity`: a filter that the others have no notion of, of dendro alone."""

    def __init__(self, corpus, name, word=None, field=None, value=None, group=None, severity=None, text_field=None):
        self.corpus, self.name, self.word, self.field, self.value = corpus, name, word, field, value
        self.group, self.severity, self.text_field = group, severity, text_field

    def query(self):
        parts = [self.word or "", '%s:="%s"' % (self.field, self.value) if self.field else "",
                 "severity:" + self.severity if self.severity else ""]
        by = "by (%s) " % self.group if self.group else ""
        return "%s | stats %scount() as n" % (" ".join(part for part in parts if part) or "*", by)

    def dendro(self, options):
        return [options.dendro, "query", "-o", "ndjson", self.query(), str(self.corpus.file)]

    def ripgrep(self, options):
        # Exit 1 says that nothing was found.
        pattern = r"\b%s\b" % self.word if self.word else '"%s": ?"%s"' % (self.field, self.value) if self.field else "^"
        return ["sh", "-c", 'rg -c --include-zero "$1" "$2"; [ $? -le 1 ]', "rg", pattern, str(self.corpus.file)]

    def jq(self, options):
        # The stored values by themselves, words by their boundaries: what a text filter means.
        test = '[.. | strings] | any(test("\\\\b%s\\\\b"))' % self.word if self.word else "true"
        if self.field:
            test = '.["%s"] == "%s"' % (self.field, self.value)
        step = '.[$r["%s"] // "null" | tostring] += 1' % self.group if self.group else '.n += 1'
        start = "{}" if self.group else '{"n":0}'
        return ["jq", "-nc", "reduce (inputs | select(%s)) as $r (%s; %s)" % (test, start, step), str(self.corpus.single)]

    def duckdb(self, options):
        where = "where regexp_matches(\"%s\", '\\b%s\\b')" % (self.text_field, self.word) if self.word else ""
        if self.field:
            where = "where \"%s\" = '%s'" % (self.field, self.value)
        columns = {name for name in (self.group, self.field, self.text_field if self.word else None) if name} or {self.text_field}
        read = "read_json('%s', format='newline_delimited', columns={%s})" % (
            self.corpus.file, ", ".join("'%s': 'VARCHAR'" % name for name in sorted(columns)))
        what = '"%s", count(*)' % self.group if self.group else "count(*)"
        sql = "select %s from %s %s %s" % (what, read, where, "group by 1" if self.group else "")
        return [options.duckdb_python, "-c",
                "import duckdb, json, sys; c = duckdb.connect(); c.execute('set threads to %d'); "
                "print(json.dumps(c.execute(sys.argv[1]).fetchall()))" % os.cpu_count(), sql]

    def lnav(self, options):
        return ["sh", "-c", 'lnav -n -c ":filter-in \\b$1\\b" "$2" | wc -l', "lnav", self.word, str(self.corpus.single)]

    def answer(self, program, text):
        """The count, or the counts by value, that a program's output states, as of the whole file."""
        times = self.corpus.repeats if program in ("jq", "lnav") else 1
        if program == "dendro":
            rows = [json.loads(line) for line in text.splitlines()]
            return {str(row.get(self.group, "null")): row["n"] for row in rows} if self.group else rows[0]["n"]
        if program == "jq":
            found = json.loads(text)
            return {value: count * times for value, count in found.items()} if self.group else found["n"] * times
        if program == "DuckDB":
            rows = json.loads(text)
            return {"null" if value is None else str(value): count for value, count in rows} if self.group else rows[0][0]
        return int(text.strip() or 0) * times

    def programs(self, options):
        """(name, command, runs) of those that can do it and are there."""
        rows = [("dendro", self.dendro(options), options.runs)]
        if self.severity:
            return rows
        if self.group is None and "ripgrep" not in options.absent:
            rows.append(("ripgrep", self.ripgrep(options), options.runs))
        if "jq" not in options.absent:
            rows.append(("jq", self.jq(options), 1))
        if "DuckDB" not in options.absent and not (self.word and not self.text_field):
            rows.append(("DuckDB", self.duckdb(options), min(options.runs, 3)))
        if self.group is None and self.word and "lnav" not in options.absent:
            rows.append(("lnav", self.lnav(options), 1))
        return rows


def tasks_of(corpora):
    """What is asked of each corpus."""
    tasks = []
    if "nezha" in corpora:
        nezha = corpora["nezha"]
        text = {"text_field": "_msg"}
        tasks += [Task(nezha, "count lines", **text), Task(nezha, "absent word", "nosuchword", **text),
                  Task(nezha, "rare word `Exception`", "Exception", **text), Task(nezha, "frequent word `INFO`", "INFO", **text),
                  Task(nezha, "`container` = server", field="container", value="server"),
                  Task(nezha, "count by `pod`", group="pod"), Task(nezha, "`INFO` by `pod`", "INFO", group="pod", **text),
                  Task(nezha, "`severity:error` by `service.name`", group="service.name", severity="error")]
    if "zeek" in corpora:
        zeek = corpora["zeek"]
        tasks += [Task(zeek, "count lines", text_field="_path"), Task(zeek, "`_path` = dns", field="_path", value="dns"),
                  Task(zeek, "word `NXDOMAIN`", "NXDOMAIN"), Task(zeek, "count by `_path`", group="_path"),
                  Task(zeek, "`proto` = udp by `_path`", field="proto", value="udp", group="_path")]
    return tasks


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
    for name in options.without:
        absent[name] = "left out by --without"
    return absent


def measure(task, options, raw):
    """Results by program; the answers are checked, and text tools' differences are said."""
    programs = task.programs(options)
    results = {name: [] for name, *_ in programs}
    answers = {}
    for turn in range(options.runs):
        for name, command, runs in programs:
            if turn >= runs:
                continue
            result = analyze.run_once(command)
            answers[name] = task.answer(name, result.pop("out"))
            if name in ("jq", "lnav"):
                result["wall_s"] *= task.corpus.repeats
                result["cpu_s"] *= task.corpus.repeats
            results[name].append(result)
            raw.write(json.dumps({"corpus": task.corpus.name, "task": task.name, "query": task.query(), "name": name, "turn": turn,
                                  "gb": task.corpus.gigabytes, **result}) + "\n")
            raw.flush()
    truth = answers.get("jq", answers.get("DuckDB", answers["dendro"]))
    if answers["dendro"] != truth:
        sys.exit("%s: dendro answers %s, the others %s" % (task.name, answers["dendro"], truth))
    notes = ["%s of %s, %s: %s instead of %s" % (name, task.corpus.name, task.name, answer if isinstance(answer, int) else "other groups",
                                                truth if isinstance(truth, int) else "these")
             for name, answer in answers.items() if answer != truth]
    return results, notes


def report(measured, notes, corpora, options):
    lines = [
        BEGIN, "## Queries over files", "",
        "%s in the page cache, %s, %d cores, %s, load average at the start %.1f. Best run of %d (DuckDB: of 3; jq and lnav: of one over the "
        "corpus once, reckoned up). GB/s a core is that of a CPU second, user and system. `x` is how many times the CPU time of dendro it takes." % (
            ", ".join("%s %.2f GB" % (corpus.name, corpus.gigabytes) for corpus in corpora.values()), analyze.cpu_model(),
            os.cpu_count(), time.strftime("%Y-%m-%d"), options.load, options.runs), "",
        "| corpus | task | program | CPU s a GB | GB/s a core | wall s | GB/s by wall | peak RSS MiB | x |", "|---|---|---|---|---|---|---|---|---|"]
    for task, results in measured:
        ours = min(r["cpu_s"] for r in results["dendro"])
        for name, runs in results.items():
            cpu, wall = min(r["cpu_s"] for r in runs), min(r["wall_s"] for r in runs)
            size = task.corpus.gigabytes
            lines.append("| %s | %s | %s | %.2f | %.2f | %.2f | %.2f | %.0f | %.2f |" % (
                task.corpus.name, task.name, name, cpu / size, size / cpu if cpu else 0, wall, size / wall,
                max(r["rss_mib"] for r in runs), cpu / ours))
    lines.append("")
    lines += ["- Left out: %s, %s." % item for item in sorted(options.absent.items())]
    lines += ["- Another count: %s." % note for note in notes]
    lines += ["- Again: `cmake --workflow --preset bench`, then `bench/query_files.py --dendro DENDRO --duckdb-python PYTHON --runs %d "
              "--gb %g --corpora FOLDER --write docs/benchmarks.md`." % (options.runs, options.gb), END]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", required=True, help="folder of nezha.ndjson.zst, zeek.ndjson.zst")
    parser.add_argument("--gb", type=float, default=1, help="size that each is repeated to, about")
    parser.add_argument("--dendro", default="build/bench/dendro")
    parser.add_argument("--duckdb-python")
    parser.add_argument("--without", nargs="*", default=[], help="programs to leave out: ripgrep jq DuckDB lnav")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--raw", default=os.devnull)
    parser.add_argument("--write", help="page whose section `query_files` is replaced")
    options = parser.parse_args()
    if not os.access("/usr/bin/time", os.X_OK):
        sys.exit("bench/query_files.py needs GNU time: apt-get install time")
    options.load = os.getloadavg()[0]
    options.absent = look_around(options)
    with tempfile.TemporaryDirectory(prefix="query-files-") as folder, open(options.raw, "w") as raw:
        packed = {name: Path(options.corpora, name + ".ndjson.zst") for name in ("nezha", "zeek")}
        corpora = {name: Corpus(name, path, folder, options.gb * 1e9) for name, path in packed.items() if path.exists()}
        if not corpora:
            sys.exit("%s holds neither nezha.ndjson.zst nor zeek.ndjson.zst" % options.corpora)
        measured, notes = [], []
        for corpus in corpora.values():
            subprocess.run(["cat", str(corpus.file)], stdout=subprocess.DEVNULL, check=True)
        for task in tasks_of(corpora):
            results, more = measure(task, options, raw)
            measured.append((task, results))
            notes += more
        section = report(measured, notes, corpora, options)
    analyze.BEGIN, analyze.END = BEGIN, END
    print(section)
    if options.write:
        analyze.write_section(options.write, section)


if __name__ == "__main__":
    main()
