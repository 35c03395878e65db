"""tools/soak: evidence counts only while nothing it covers has changed."""
import os
import random
import subprocess
import sys
import tempfile
import unittest
from types import SimpleNamespace

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools", "soak"))
import mutants  # noqa: E402
import mutate  # noqa: E402
from results import Results  # noqa: E402


class Mutants(unittest.TestCase):
    def test_every_patch_names_its_fault_and_changes_one_line_of_one_file(self):
        for path in mutants.patches(TOP):
            with open(os.path.join(TOP, path)) as file:
                text = file.read()
            with self.subTest(path):
                self.assertTrue(text.startswith("fault: "))
                self.assertIsNotNone(mutants.changed_file(text))
                self.assertEqual(text.count("\n@@ "), 1)
                done = subprocess.run(["git", "-C", TOP, "apply", "--check", path],
                                      capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_patch_of_another_folder_or_of_two_files_is_none(self):
        self.assertIsNone(mutants.changed_file("+++ b/src/ir/graph.cc\n"))
        self.assertIsNone(mutants.changed_file("+++ b/src/plan/a.cc\n+++ b/src/plan/b.cc\n"))
        self.assertEqual(mutants.changed_file("+++ b/src/pass/fold.cc\n"), "src/pass/fold.cc")


class Evidence(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = self.folder.name
        self.git("init", "-q")
        self.write("src/a.cc", "1\n")
        self.commit()
        self.shard = SimpleNamespace(name="fuzz.a", covers=["src"], seconds=60)

    def tearDown(self):
        self.folder.cleanup()

    def git(self, *args):
        subprocess.run(["git", "-C", self.root, "-c", "user.name=a", "-c", "user.email=a@b", *args],
                       check=True, capture_output=True)

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as file:
            file.write(text)

    def commit(self):
        self.git("add", "src", "docs") if os.path.isdir(self.root + "/docs") else \
            self.git("add", "src")
        self.git("commit", "-qm", "x")

    def results(self):
        return Results(self.root, os.path.join(self.root, "soak", "results.jsonl"))

    def test_a_pass_counts_until_a_covered_file_changes(self):
        self.assertFalse(self.results().counts(self.shard))
        self.results().add(self.shard, True, 1.0, "")
        self.assertTrue(self.results().counts(self.shard))
        self.write("docs/b.md", "1\n")
        self.commit()
        self.assertTrue(self.results().counts(self.shard))
        self.write("src/a.cc", "2\n")
        self.assertFalse(self.results().counts(self.shard))
        self.commit()
        self.assertFalse(self.results().counts(self.shard))

    def test_a_failure_or_a_shorter_run_does_not_count(self):
        self.results().add(self.shard, True, 1.0, "")
        longer = SimpleNamespace(name="fuzz.a", covers=["src"], seconds=61)
        self.assertFalse(self.results().counts(longer))
        self.results().add(self.shard, False, 1.0, "")
        self.assertFalse(self.results().counts(self.shard))


class Mutants(unittest.TestCase):
    def test_they_differ_from_the_file_and_are_the_same_for_a_seed(self):
        data = bytes(range(256)) * 8
        one = list(mutate.mutants(data, random.Random(7), 50))
        self.assertEqual(one, list(mutate.mutants(data, random.Random(7), 50)))
        self.assertGreater(sum(m != data for m in one), 45)
        self.assertTrue(all(len(m) <= len(data) for m in one))

    def test_verdicts(self):
        def done(code, error):
            return SimpleNamespace(returncode=code, stderr=error)
        self.assertIsNone(mutate.verdict(done(0, b"")))
        self.assertIsNone(mutate.verdict(done(1, b"polaris: error: [gguf] bad magic\n")))
        self.assertIn("exit -11", mutate.verdict(done(-11, b"")))
        self.assertIn("no clear line", mutate.verdict(done(1, b"oops\n")))
        self.assertIn("Sanitizer", mutate.verdict(done(1, b"ERROR: AddressSanitizer: x\n")))


if __name__ == "__main__":
    unittest.main()
