"""Seeded faults: each patch of tests/mutants changes one line of src/plan, src/session or src/pass
for the worse, and the suites of `make test` must notice. A fault that nobody notices shows what no
test holds.

A patch opens with `fault: what it does`. It is applied in a checkout of its own (build/mutants), so
that one incremental build and the suites, nearest first and until one fails, are the whole cost.
"""
import glob
import os
import re
import subprocess

# Suites by what a fault changes, nearest first: (ctest label, name pattern).
SUITES = {
    "src/plan/": [("unit", "plan_|stage_"), ("unit", ""), ("e2e", ""), ("op", "suite")],
    "src/session/": [("unit", "session_"), ("unit", ""), ("e2e", "")],
    "src/pass/": [("pass", ""), ("unit", ""), ("e2e", "")],
}
BUILD_TARGETS = ["unit_tests", "pass_tests", "e2e_tests", "op_tests"]


def patches(root):
    return sorted(glob.glob("tests/mutants/*.patch", root_dir=root))


def changed_file(text):
    """The one file that a patch changes; nothing where it is another kind of patch."""
    files = re.findall(r"^\+\+\+ b/(\S+)$", text, re.MULTILINE)
    return files[0] if len(files) == 1 and files[0].startswith(tuple(SUITES)) else None


def suites_of(path):
    return next(suites for folder, suites in SUITES.items() if path.startswith(folder))


def tell(root, *args):
    done = subprocess.run(args, cwd=root, capture_output=True, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, timeout=7200)
    return done.returncode, done.stdout + done.stderr


def checkout(root):
    """build/mutants at the commit of `root`, with nothing changed. Returns (folder, error)."""
    tree = os.path.join(root, "build", "mutants")
    commit = tell(root, "git", "rev-parse", "HEAD")[1].strip()
    if not os.path.isdir(os.path.join(tree, ".git")) and not os.path.isfile(
            os.path.join(tree, ".git")):
        code, out = tell(root, "git", "worktree", "add", "--detach", tree, commit)
        if code:
            return tree, out
    for args in (("reset", "--hard", commit), ("clean", "-fdq", "-e", "build")):
        code, out = tell(tree, "git", *args)
        if code:
            return tree, out
    return tree, ""


def compile_all(tree):
    code, out = tell(tree, "cmake", "--preset", "release")
    if code == 0:
        code, out = tell(tree, "cmake", "--build", "--preset", "release", "--target",
                         *BUILD_TARGETS)
    return code, out


def finder(tree, path):
    """Name of the first test that fails, or nothing."""
    for label, pattern in suites_of(path):
        code, out = tell(tree, "ctest", "--preset", "release", "-L", label, "-R", pattern,
                         "--parallel", str(os.cpu_count()), "--stop-on-failure")
        if code:
            failed = re.search(r"^\s*\d+ - (\S+) \(", out, re.MULTILINE)
            return failed.group(1) if failed else f"ctest -L {label} -R '{pattern}'"
    return ""


def run(root, shard):
    name = shard.name.split(".", 1)[1]
    patch = os.path.join(root, "tests", "mutants", name + ".patch")
    with open(patch) as file:
        text = file.read()
    path = changed_file(text)
    if path is None:
        return False, "changes no one file of " + ", ".join(SUITES)
    tree, error = checkout(root)
    if error:
        return False, error[-600:]
    code, out = tell(tree, "git", "apply", patch)
    if code:
        return False, "does not apply: " + out.strip()[-600:]
    try:
        code, out = compile_all(tree)
        if code:
            return False, "does not compile: " + out[-600:]
        found = finder(tree, path)
        return bool(found), f"found by {found}" if found else "SURVIVED"
    finally:
        tell(tree, "git", "reset", "--hard", "-q")
