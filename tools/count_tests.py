#!/usr/bin/env python3
"""Sums the reports of one test run: prints each skipped test with its reason, then 'N passed, N failed, N skipped'.

Usage: tools/count_tests.py FOLDER     reads *.xml (GoogleTest) and *.json (tests/run_unittest.py); exit 1 if any failed or none ran.
"""
import json
import sys
import xml.etree.ElementTree
from pathlib import Path


def main(folder):
    passed = failed = skipped = 0
    for report in sorted(Path(folder).glob("*.xml")):
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            skip = case.find("skipped")
            if case.find("failure") is not None:
                failed += 1
            elif skip is not None or case.get("result") == "skipped":
                skipped += 1
                reason = (skip.get("message") or "").strip() if skip is not None else ""
                print(f"skipped: {case.get('classname')}.{case.get('name')}: {reason}")
            elif case.get("status") == "run":
                passed += 1
    for report in sorted(Path(folder).glob("*.json")):
        counts = json.loads(report.read_text())
        passed += counts["passed"]
        failed += counts["failed"]
        skipped += len(counts["skipped"])
        for name, reason in counts["skipped"]:
            print(f"skipped: {name}: {reason}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
