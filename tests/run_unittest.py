"""Runs one file of Python tests and leaves its counts in $DENDRO_REPORTS for tools/count_tests.py, under the file's name
behind $DENDRO_REPORT_PREFIX.

Usage: python3 tests/run_unittest.py FILE [ARGS for unittest]
"""
import importlib.util
import json
import os
import sys
import unittest
from pathlib import Path


def main():
    path = Path(sys.argv[1]).resolve()
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    loader = unittest.defaultTestLoader
    names = sys.argv[2:]
    suite = loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    reports = os.environ.get("DENDRO_REPORTS")
    if reports:
        counts = {"passed": result.testsRun - failed - len(result.skipped), "failed": failed,
                  "skipped": [(str(test), reason) for test, reason in result.skipped]}
        Path(reports, os.environ.get("DENDRO_REPORT_PREFIX", "") + path.stem + ".json").write_text(json.dumps(counts))
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
