"""tools/isa_leak.py refuses an inline function that an AVX2 object shares with the baseline."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools"))
from isa_leak import leaks  # noqa: E402

SHARED = "inline int twice(int x) { return x + x; }\n"


class Leaks(unittest.TestCase):
    def objects(self, folder, sources):
        out = []
        for name, text in sources.items():
            path = pathlib.Path(folder, name)
            path.write_text(text)
            out.append(pathlib.Path(f"{path}.o"))
            subprocess.run(["g++", "-c", "-O0", str(path), "-o", str(out[-1])], check=True)
        return out

    def test_a_shared_inline_function(self):
        with tempfile.TemporaryDirectory() as folder:
            found = leaks(self.objects(folder, {
                "a.cc": SHARED + "int a(int x) { return twice(x); }\n",
                "a_avx2.cc": SHARED + "int b(int x) { return twice(x); }\n"}))
            self.assertEqual([name for _, name in found], ["twice(int)"])

    def test_code_of_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(leaks(self.objects(folder, {
                "a.cc": SHARED + "int a(int x) { return twice(x); }\n",
                "a_avx2.cc": "namespace {\n" + SHARED +
                             "}\nint b(int x) { return twice(x); }\n"})), [])


if __name__ == "__main__":
    unittest.main()
