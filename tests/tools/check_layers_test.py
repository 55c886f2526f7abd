"""tools/check_layers.py finds what it must find, and the repository itself is clean."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "check_layers.py"


class CheckLayers(unittest.TestCase):
    def run_on(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = Path(folder, "src", name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            done = subprocess.run([sys.executable, str(TOOL), folder], capture_output=True, text=True)
            return done.returncode, done.stdout

    def test_arrows_down_are_clean_also_over_several_layers(self):
        code, out = self.run_on({"base/a.h": "", "record/b.h": '#include "base/a.h"\n',
                                 "query/c.cc": '#include "record/b.h"\n#include "base/a.h"\n'})
        self.assertEqual((code, out), (0, ""))

    def test_an_arrow_up_is_named_with_its_line(self):
        code, out = self.run_on({"record/b.h": "", "base/a.h": '#pragma once\n#include "record/b.h"\n'})
        self.assertEqual(code, 1)
        self.assertIn("src/base/a.h:2: base must not include record", out)

    def test_siblings_without_an_arrow_are_refused(self):
        code, out = self.run_on({"io/b.h": "", "record/a.h": '#include "io/b.h"\n'})
        self.assertEqual(code, 1)
        self.assertIn("record must not include io", out)

    def test_a_cycle_within_a_layer_is_found(self):
        code, out = self.run_on({"base/a.h": '#include "base/b.h"\n', "base/b.h": '#include "base/a.h"\n'})
        self.assertEqual(code, 1)
        self.assertIn("cycle of includes: base/a.h -> base/b.h -> base/a.h", out)

    def test_vendor_headers_stay_behind_their_fence(self):
        code, out = self.run_on({"query/a.cc": "#include <boost/asio.hpp>\n", "server/b.h": "#include <boost/asio.hpp>\n",
                                 "server/c.cc": "#include <boost/asio.hpp>\n"})
        self.assertEqual(code, 1)
        self.assertIn("src/query/a.cc:1: vendor header <boost/asio.hpp> outside its fence", out)
        self.assertIn("src/server/b.h:1: vendor header <boost/asio.hpp> in a header file", out)
        self.assertNotIn("server/c.cc", out)

    def test_an_unknown_folder_and_a_missing_header_are_named(self):
        code, out = self.run_on({"utils/a.h": "", "base/b.h": '#include "base/none.h"\n'})
        self.assertEqual(code, 1)
        self.assertIn("folder 'utils' is not a layer", out)
        self.assertIn('"base/none.h" does not exist', out)

    def test_a_folder_without_sources_is_a_usage_error(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(subprocess.run([sys.executable, str(TOOL), folder], capture_output=True).returncode, 2)

    def test_this_repository_is_clean(self):
        done = subprocess.run([sys.executable, str(TOOL), str(ROOT)], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))


if __name__ == "__main__":
    unittest.main()
