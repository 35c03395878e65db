"""tools/soak: evidence counts only while nothing it covers has changed."""
import os
import random
import re
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


class FakeCheckout:
    """Tests that fail while the fault is in, and without it."""

    def __init__(self, with_fault=(), without=()):
        self.failing = set(with_fault) | set(without)
        self.without = set(without)
        self.built = []

    def build(self, suite):
        self.built.append(suite.label)
        return ""

    def restore(self):
        self.failing = self.without

    def failure(self, suite, pattern):
        names = sorted(n for n in self.failing if n.startswith(suite.label) and
                       re.search(pattern, n))
        return names[0] if names else ""


class Mutants(unittest.TestCase):
    def test_every_patch_names_its_fault_and_changes_one_place_of_one_file(self):
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

    def test_every_suite_has_tests(self):
        tests = {"unit": ["unit"], "pass": ["pass"], "e2e": ["e2e"], "op": ["op", "conformance"]}
        for suites in mutants.SUITES.values():
            for suite in suites:
                names = [f"{folder}.{re.sub(r'(_test)?[.]cc$', '', name)}"
                         for folder in tests[suite.label]
                         for name in os.listdir(os.path.join(TOP, "tests", folder))
                         if name.endswith(".cc")]
                with self.subTest(suite):
                    self.assertTrue(any(re.search(suite.pattern, name) for name in names))

    def test_a_fault_is_found_by_a_test_that_passes_without_it(self):
        suites = mutants.suites_of("src/session/session.cc")
        found = FakeCheckout(with_fault=["e2e.sharing"])
        self.assertEqual(mutants.judge(found, suites), (True, "found by e2e.sharing"))
        self.assertEqual(found.built[-2:], ["e2e", "e2e"])
        broken = FakeCheckout(without=["unit.os"])
        self.assertEqual(mutants.judge(broken, suites),
                         (False, "unit.os fails without the fault too"))
        self.assertEqual(mutants.judge(FakeCheckout(), suites), (False, "SURVIVED"))


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


class MutatedFiles(unittest.TestCase):
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
