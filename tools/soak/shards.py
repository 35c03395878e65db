"""What `make soak` runs, in parts that can be run, resumed and believed one by one."""
import glob
import json
import os
import pathlib
import re
import subprocess
import time
from typing import Callable, NamedTuple

import mutants
import mutate

# Of the floors that everything else runs through: what unit tests alone must reach.
COVERED_FLOORS = ["plan", "session"]
COVERED_PERCENT_MIN = 85
# Of one differential shard; ten of them are what counts as done.
GRAPHS = 2000
# Texts of one shard of many at once.
ARRIVALS = 10000
CORE = ["src", "tests/support", "CMakeLists.txt", "cmake"]


class Shard(NamedTuple):
    name: str
    covers: list   # paths whose change makes the evidence void
    seconds: int   # time wanted for the part that can run for ever
    run: Callable  # (root, shard) -> (ok, note)


def call(root, *args, timeout=7200, **env):
    done = subprocess.run(args, cwd=root, capture_output=True, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, timeout=timeout, env=dict(os.environ, **env))
    return done.returncode, done.stdout + done.stderr


def build(root, preset, *targets):
    code, out = call(root, "cmake", "--preset", preset)
    if code == 0:
        code, out = call(root, "cmake", "--build", "--preset", preset, "--target", *targets)
    return code == 0, out[-2000:]


def fuzz(root, shard):
    target = shard.name.split(".", 1)[1]
    ok, out = build(root, "fuzz", target)
    if not ok:
        return False, out
    corpus = os.path.join(root, "soak", "corpus", target)
    os.makedirs(corpus, exist_ok=True)
    seeds = os.path.join(root, "tests", "fuzz", "corpus", target[:-len("_fuzz")])
    code, out = call(root, f"build/fuzz/{target}", f"-max_total_time={shard.seconds}",
                     "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
                     f"-artifact_prefix=soak/{target}-", corpus,
                     *([seeds] if os.path.isdir(seeds) else []))
    found = code != 0
    executed = re.search(r"stat::number_of_executed_units: (\d+)", out)
    note = f"{executed.group(1) if executed else '?'} inputs"
    if target == "canary_fuzz":
        return found and "canary" in out, "found, as it must be" if found else "not found: " + note
    return not found, out[-600:] if found else note


def tsan(root, shard):
    ok, out = build(root, "tsan", "all")
    if not ok:
        return False, out
    code, out = call(root, "ctest", "--preset", "tsan", "-L", shard.name.split(".", 1)[1],
                     "--no-tests=error")
    summary = re.search(r"\d+% tests passed.*", out)
    return code == 0, summary.group(0) if summary else out[-600:]


def samples(root):
    """Small model files of every format: our own, and the shared ones where they are."""
    out = glob.glob(os.path.join(root, "models/**/*.*"), recursive=True)
    out += glob.glob(os.path.join(root, "tests/data/**/*.*"), recursive=True)
    shared = os.environ.get("POLARIS_SHARED", os.path.join(root, "..", "shared"))
    out += glob.glob(os.path.join(shared, "models/**/*.*"), recursive=True)
    return sorted(f for f in out if f.endswith((".gguf", ".onnx")) and
                  0 < os.path.getsize(f) < 16 << 20)


def mutations(root, shard):
    files = samples(root)
    if not files:
        return False, "no model file to mutate"
    ok, out = build(root, "asan", "polaris")
    if not ok:
        return False, out
    seed = int(shard.name.rsplit(".", 1)[1])
    cases, faults = mutate.run(os.path.join(root, "build/asan/polaris"), files, seed,
                               shard.seconds, time.monotonic)
    return not faults, "; ".join(faults)[:2000] or f"{cases} files, all answered"


def allocations(root, shard):
    """Every allocation of a load and a generation fails once; the quick test takes a sample."""
    ok, out = build(root, "release", "e2e_tests")
    if not ok:
        return False, out
    code, out = call(root, "build/release/e2e_tests", "-sf=*e2e/allocation_failure.cc",
                     POLARIS_ALLOC_STRIDE="1")
    told = re.findall(r"\d+ failures surfaced as errors", out)
    return code == 0 and bool(told), ", ".join(told) if code == 0 else out[-1000:]


def crowd(root, shard):
    """Texts that come, are cancelled and fail at random; odd ones with drafts and full contexts."""
    ok, out = build(root, "release", "unit_tests")
    if not ok:
        return False, out
    code, out = call(root, "build/release/unit_tests", "-sf=*unit/batcher_service_test.cc",
                     "-tc=*as many arrivals as are asked for",
                     POLARIS_CROWD_ARRIVALS=str(ARRIVALS),
                     POLARIS_CROWD_SEED=shard.name.rsplit(".", 1)[1])
    told = re.search(r"\d+ finished, .*", out)
    return code == 0 and bool(told), told.group(0) if code == 0 and told else out[-1000:]


def coverage(root, shard):
    """Lines of one floor that its unit tests run, with no other suite's help."""
    floor = shard.name.split(".", 1)[1]
    ok, out = build(root, "coverage", "unit_tests")
    if not ok:
        return False, out
    folder = os.path.join(root, "build", "coverage")
    tests = os.path.join(folder, "unit_tests")
    ran = tests + ".ran"  # one run serves all floors
    if not os.path.exists(ran) or os.path.getmtime(ran) < os.path.getmtime(tests):
        for counts in glob.glob(f"{folder}/**/*.gcda", recursive=True):
            os.remove(counts)
        code, out = call(root, tests)
        if code:
            return False, out[-1000:]
        pathlib.Path(ran).touch()
    objects = [os.path.join(folder, "CMakeFiles", name + ".dir")
               for name in (f"polaris_{floor}", "unit_tests")]
    # It leaves files where it runs.
    code, out = call(folder, "gcovr", "--root", root, "--filter", f"{root}/src/{floor}/",
                     "--json-summary", "--exclude-throw-branches", *objects)
    if code:
        return False, out[-1000:]
    # Warnings of gcovr stand before its answer.
    summary = json.loads(out[out.index("{"):out.rindex("}") + 1])
    worst = min(summary["files"], key=lambda f: f["line_percent"])
    return summary["line_percent"] >= COVERED_PERCENT_MIN, (
        f"{summary['line_covered']} of {summary['line_total']} lines, "
        f"{summary['line_percent']} %; least: {worst['filename']} {worst['line_percent']} %")


def differential(root, shard):
    """Random ONNX graphs against onnxruntime, GRAPHS of them a shard, always the same ones."""
    ok, out = build(root, "release", "polaris_shared")
    if not ok:
        return False, out
    python = os.environ.get("POLARIS_PYTHON", "python3")
    code, out = call(root, python, "tests/fuzz/onnx_differential.py", "--library",
                     "build/release/libpolaris.so", "--from",
                     str(GRAPHS * int(shard.name.rsplit(".", 1)[1])), "--count", str(GRAPHS),
                     "--keep", "soak/differential")
    return code == 0, out.strip()[-1000:]


def gcn_samples(root, shard):
    """All conformance samples, long axes too, and ONNX's node tests on POLARIS10's machine code."""
    ok, out = build(root, "release", "op_tests")
    if not ok:
        return False, out
    code, out = call(root, "build/release/op_tests",
                     "-sf=*op/*,*conformance/onnx_node_test.cc", POLARIS_DEVICES="gcn")
    rows = re.findall(r"^gcn +\S+ +(\d+) run, +(\d+) refused", out, re.MULTILINE)
    nodes = re.search(r"^gcn: ONNX node tests: (\d+) passed", out, re.MULTILINE)
    ran, refused = (sum(int(row[i]) for row in rows) for i in (0, 1))
    note = f"{ran} samples, {refused} refused, {nodes.group(1) if nodes else 'no'} node tests"
    return code == 0 and ran > 0, note if code == 0 else out[-1000:]


def gcn_decodes(root, shard):
    """Every shipped variant, disassembled by us as the driver does."""
    ok, out = build(root, "release", "gcn", "shaders")
    if not ok:
        return False, out
    code, out = call(root, "build/release/gcn", "check", "build/release/shaders/shaders.json")
    return code == 0, out.strip()[-1000:]


def bench(root, shard):
    ok, out = build(root, "release", "polaris")
    if not ok:
        return False, out
    model = sorted(glob.glob(os.path.join(root, "models/**/*.gguf"), recursive=True))
    if not model:
        return False, "no model"
    code, out = call(root, "build/release/polaris", "bench", model[0], "--llm", "--json",
                     "--device", shard.name.split(".", 1)[1])
    return code == 0, out.strip()[-1000:]


def scaling(root, shard):
    """Loading and compiling in time that grows no faster than a file's counts."""
    ok, out = build(root, "release", "polaris", "polaris_shared")
    if not ok:
        return False, out
    python = os.environ.get("POLARIS_PYTHON", "python3")
    code, out = call(root, python, "bench/scaling.py")
    slow = [line for line in out.splitlines() if "TOO SLOW" in line]
    return code == 0, "; ".join(slow) or out.strip()[-1000:]


def covered(root, path):
    """The `// covers:` line of a fuzz target, on top of the target itself and what all stand on."""
    with open(os.path.join(root, path)) as file:
        line = re.search(r"^// covers: (.*)$", file.read(), re.MULTILINE)
    return [path, "src/base", "src/tensor"] + (line.group(1).split() if line else ["src"])


def all_shards(root, seconds):
    out = []
    for path in sorted(glob.glob("tests/fuzz/*_fuzz.cc", root_dir=root)):
        name = "fuzz." + os.path.basename(path)[:-len(".cc")]
        out.append(Shard(name, covered(root, path), seconds, fuzz))
    out += [Shard(f"tsan.{label}", CORE + ["tests"], 0, tsan)
            for label in ("unit", "op", "pass", "e2e")
            if any(glob.glob(f"tests/{d}/*.cc", root_dir=root) for d in
                   (("op", "conformance") if label == "op" else (label,)))]
    out += [Shard(f"mutations.{seed}", ["src", "apps"], seconds, mutations) for seed in range(4)]
    out += [Shard(f"differential.{part}", ["src", "tests/fuzz"], 0, differential)
            for part in range(10)]
    out.append(Shard("allocations", ["src", "tests/e2e/allocation_failure.cc", "tests/support"], 0,
                     allocations))
    out += [Shard(f"crowd.{seed}", CORE + ["tests/unit/batcher_service_test.cc"], 0, crowd)
            for seed in range(6)]
    out += [Shard(f"coverage.{floor}", CORE + ["tests/unit"], 0, coverage)
            for floor in COVERED_FLOORS]
    machine_code = ["src", "tools/gcn", "tools/radv"]
    out.append(Shard("gcn.samples", machine_code + ["tests/op", "tests/conformance",
                                                    "tests/support"], 0, gcn_samples))
    out.append(Shard("gcn.decodes", machine_code, 0, gcn_decodes))
    for path in mutants.patches(root):
        name = os.path.basename(path)[:-len(".patch")]
        out.append(Shard(f"mutants.{name}", CORE + ["tests"], 0, mutants.run))
    out.append(Shard("scaling", ["src", "apps", "bench/scaling.py"], 0, scaling))
    out.append(Shard("bench.cpu", ["src", "apps", "models"], 0, bench))
    return out
