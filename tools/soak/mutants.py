"""Seeded faults: each patch of tests/mutants changes src/plan, src/session or src/pass for the
worse in one place, and the suites of `make test` must notice. A fault that nobody notices shows
what no test holds.

A patch opens with `fault: what it does`. It is applied in a checkout of its own (build/mutants), so
that one incremental build and the suites, nearest first and until one fails, are the whole cost. A
test counts as having found the fault where it passes again once the fault is gone; one that hangs
fails when ctest's time for it is up.
"""
import glob
import os
import re
import subprocess
from typing import NamedTuple


class Suite(NamedTuple):
    label: str         # of ctest; <label>_tests is what to build
    pattern: str = "."  # names of its tests; an empty one matches none
    without: str = "^$"


# These run kernels by themselves.
UNIT = Suite("unit", without="unit.(vulkan|cpu|gcn)_")
ONNX_NODES = Suite("op", "conformance.onnx_node")
# The suites of `make test` that run code of a floor, nearest first.
SUITES = {
    "src/plan/": [Suite("unit", "unit.(plan|stage)_"), UNIT, Suite("e2e"), ONNX_NODES],
    "src/session/": [Suite("unit", "unit.(session|stage)_"), UNIT, Suite("e2e"), ONNX_NODES],
    # How control flow runs, for every op of it and every host, was the session's.
    "src/ir/control_run": [Suite("unit", "unit.(session|scan|while)_"), UNIT, Suite("e2e"),
                           ONNX_NODES],
    "src/pass/": [Suite("pass"), UNIT, Suite("e2e"), ONNX_NODES],
}


def patches(root):
    return sorted(glob.glob("tests/mutants/*.patch", root_dir=root))


def changed_file(text):
    """The one file that a patch changes; nothing where it is another kind of patch."""
    files = re.findall(r"^\+\+\+ b/(\S+)$", text, re.MULTILINE)
    return files[0] if len(files) == 1 and files[0].startswith(tuple(SUITES)) else None


def suites_of(path):
    return next(suites for folder, suites in SUITES.items() if path.startswith(folder))


def cpus():
    return str(len(os.sched_getaffinity(0)))


def tell(folder, *args, **env):
    done = subprocess.run(args, cwd=folder, capture_output=True, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, env=dict(os.environ, **env))
    return done.returncode, done.stdout + done.stderr


class Checkout:
    """build/mutants at the commit of `root`."""

    def __init__(self, root):
        self.tree = os.path.join(root, "build", "mutants")
        # As the tests of `root` find it.
        self.shared = os.environ.get("POLARIS_SHARED", os.path.join(root, "..", "shared"))
        self.commit = tell(root, "git", "rev-parse", "HEAD")[1].strip()
        self.root = root

    def open(self):
        """As committed, whatever an interrupted run left. Returns what went wrong, or nothing."""
        if not os.path.exists(os.path.join(self.tree, ".git")):
            tell(self.root, "git", "worktree", "prune")
            code, out = tell(self.root, "git", "worktree", "add", "--detach", self.tree,
                             self.commit)
            if code:
                return out
        code, out = tell(self.tree, "git", "reset", "--hard", self.commit)
        if code == 0:
            code, out = tell(self.tree, "git", "clean", "-fdq", "-e", "build")
        return out if code else ""

    def restore(self):
        tell(self.tree, "git", "reset", "--hard", "-q")

    def apply(self, patch):
        code, out = tell(self.tree, "git", "apply", patch)
        return out if code else ""

    def build(self, suite):
        code, out = 0, ""
        if not os.path.isfile(os.path.join(self.tree, "build", "release", "build.ninja")):
            code, out = tell(self.tree, "cmake", "--preset", "release")
        if code == 0:
            code, out = tell(self.tree, "cmake", "--build", "--preset", "release", "--parallel",
                             cpus(), "--target", suite.label + "_tests")
        return out if code else ""

    def failure(self, suite, pattern):
        """Name of the first test that fails, or nothing."""
        code, out = tell(self.tree, "ctest", "--preset", "release", "-L", f"^{suite.label}$", "-R",
                         pattern, "-E", suite.without, "--parallel", cpus(), "--stop-on-failure",
                         "--no-tests=error", POLARIS_SHARED=self.shared)
        failed = re.search(r"^\s*\d+ - (\S+) \(", out, re.MULTILINE)
        if failed:
            return failed.group(1)
        return f"ctest -L {suite.label} -R '{pattern}': {out.strip()[-300:]}" if code else ""


def judge(checkout, suites):
    for suite in suites:
        if error := checkout.build(suite):
            return False, "does not compile: " + error[-600:]
        test = checkout.failure(suite, suite.pattern)
        if not test:
            continue
        checkout.restore()
        if error := checkout.build(suite):
            return False, "does not compile without the fault: " + error[-600:]
        if checkout.failure(suite, f"^{re.escape(test)}$"):
            return False, f"{test} fails without the fault too"
        return True, f"found by {test}"
    return False, "SURVIVED"


def run(root, shard):
    name = shard.name.split(".", 1)[1]
    patch = os.path.join(root, "tests", "mutants", name + ".patch")
    with open(patch) as file:
        path = changed_file(file.read())
    if path is None:
        return False, "changes no one file of " + ", ".join(SUITES)
    checkout = Checkout(root)
    error = checkout.open() or checkout.apply(patch)
    if error:
        return False, "does not apply: " + error.strip()[-600:]
    try:
        return judge(checkout, suites_of(path))
    finally:
        checkout.restore()
