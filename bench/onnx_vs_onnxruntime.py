#!/usr/bin/env python3
"""Times ONNX models on the cpu device against onnxruntime's CPU provider, on one machine.

    pip install onnx onnxruntime && make build
    bench/onnx_vs_onnxruntime.py --threads 1,2
    bench/onnx_vs_onnxruntime.py resnet50 depthwise_144x56 squeezenet.onnx --threads 1
    bench/onnx_vs_onnxruntime.py --passes --devices cpu,vulkan:llvmpipe

Models are files, or names of --list: those of the folder --models, and those that
bench/onnx_models.py makes with random weights. Their answers are compared once, within 1e-3 of the
largest value (float16: 1e-2). Then the two run in turn, round after round, so that what else the
machine does falls on both; who begins alternates. A round gives one figure of each: the median of
--runs runs after a warm-up. Printed: the median of the rounds' ratios (onnxruntime's time by ours:
above 1 is faster than onnxruntime), by the clock and by processor time, the least of both sides,
what memory values share and what is alive at once, the peaks of two processes that run the model
once (onnxruntime's is an interpreter of Python with onnxruntime in it; what that takes before it
has a model is given too); last the geometric mean of the ratios.

--nodes gives the sum of what each node took at least, of both, in runs that profile: where other
work takes the processor now and then, it meets some nodes of a run and seldom the same twice.
--passes compares no peer, but our own runs with passes and without them."""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

from onnx_models import FILES, MADE, USUAL, find_model, inputs_of

ROOT = Path(__file__).resolve().parent.parent
MIB = 1 << 20
# Runs a model once, and says what the process had at most before it had one, and after.
PEER_ONCE = """
import sys, numpy, onnxruntime
def peak():
    line = next(l for l in open("/proc/self/status") if l.startswith("VmHWM:"))
    return line.split()[1]
before = peak()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads, options.inter_op_num_threads = int(sys.argv[2]), 1
session = onnxruntime.InferenceSession(sys.argv[1], options, ["CPUExecutionProvider"])
session.run(None, dict(numpy.load(sys.argv[3])))
print(before, peak())
"""
# Runs a command from a small process: a child's peak counts what its parent had when it was forked.
SMALL_PARENT = """
import os, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), used.ru_maxrss)
"""


class Peer:
    """onnxruntime with its default settings and so many threads."""

    def __init__(self, path, threads, profile=None):
        options = onnxruntime.SessionOptions()
        if profile is not None:
            options.enable_profiling, options.profile_file_prefix = True, str(profile)
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self.path, self.threads = path, threads
        self.session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        self.inputs = None

    def run_ms(self, runs, warmup):
        """Medians by the clock and of processor time."""
        wall, cpu = [], []
        for _ in range(warmup + runs):
            begun, start = time.process_time(), time.perf_counter()
            self.session.run(None, self.inputs)
            wall.append(1e3 * (time.perf_counter() - start))
            cpu.append(1e3 * (time.process_time() - begun))
        return statistics.median(wall[warmup:]), statistics.median(cpu[warmup:])

    def peaks_mib(self, folder):
        inputs = folder / "inputs.npz"
        np.savez(inputs, **self.inputs)
        done = subprocess.run([sys.executable, "-c", PEER_ONCE, str(self.path), str(self.threads),
                               str(inputs)], capture_output=True, text=True, check=True)
        return [int(kib) / 1024 for kib in done.stdout.split()]


class Ours:
    def __init__(self, args, path, inputs, folder, threads, device="cpu", more=()):
        self.folder, self.polaris = folder, args.polaris
        self.common = [str(path), "--device", device, "--threads", str(threads)]
        for i, (name, value) in enumerate(inputs.items()):
            file = folder / f"in{i}.npy"
            np.save(file, value)
            self.common += ["-i", f"{name}={file}"]
        self.more = list(more)

    def output(self):
        return [np.load(o["file"]) for o in self._json("run", "-o", str(self.folder))["outputs"]]

    def run_ms(self, runs, warmup):
        self.last = self._json("bench", "--runs", str(runs), "--warmup", str(warmup), *self.more)
        return self.last["median_ms"], self.last["cpu_ms"]

    def peak_mib(self):
        command = [self.polaris, "run", *self.common, "-o", str(self.folder), "-q"]
        done = subprocess.run([sys.executable, "-S", "-c", SMALL_PARENT, *command],
                              capture_output=True, text=True, check=True)
        status, kib = done.stdout.split()[-2:]
        if status != "0":
            raise RuntimeError(f"polaris run ended with {status}")
        return int(kib) / 1024

    def _json(self, command, *more):
        done = subprocess.run([self.polaris, command, *self.common, *more, "--json"],
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        return json.loads(done.stdout.strip().splitlines()[-1])


def difference(ours, theirs):
    worst = 0.0
    for a, b in zip(ours, theirs, strict=True):
        a, b = a.astype(np.float64), b.astype(np.float64)
        worst = max(worst, float(np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-30)))
    return worst


def runs_of(args, once_ms):
    """Small models run more often: a round is at least 0.2 s."""
    return max(args.runs, min(1000, int(200 / max(once_ms, 1e-3))))


def compare(args, name, path, shapes, threads, folder):
    peer = Peer(path, threads)
    peer.inputs = inputs_of(peer.session, shapes, dict(args.dim))
    ours = Ours(args, path, peer.inputs, folder, threads)
    theirs = peer.session.run(None, peer.inputs)
    off = difference(ours.output(), theirs)
    allowed = 1e-2 if any(y.dtype == np.float16 for y in theirs) else 1e-3
    if not off <= allowed:
        raise RuntimeError(f"answers differ by {off:.2g} of the largest")
    runs = runs_of(args, peer.run_ms(3, 1)[0])
    pairs = []
    for number in range(args.rounds):
        order = (ours, peer) if number % 2 == 0 else (peer, ours)
        taken = {side: side.run_ms(runs, 3) for side in order}
        pairs.append((taken[ours], taken[peer]))
    row = {"model": name, "threads": threads, "difference": off, "runs": runs}
    for at, clock in ((0, ""), (1, "cpu_")):
        ratios = [b[at] / a[at] for a, b in pairs]
        row |= {clock + "ratio": statistics.median(ratios), clock + "least": min(ratios),
                clock + "most": max(ratios)}
        for side, who in ((0, "polaris_"), (1, "onnxruntime_")):
            times = [pair[side][at] for pair in pairs]
            row |= {f"{who}{clock}ms": statistics.median(times),
                    f"{who}{clock}least_ms": min(times)}
    before, peak = peer.peaks_mib(folder)
    row |= {"arena_bytes": ours.last["arena_bytes"], "live_bytes": ours.last["live_bytes"],
            "polaris_peak_mib": ours.peak_mib(), "onnxruntime_peak_mib": peak,
            "onnxruntime_empty_mib": before}
    return row


def compared_line(row):
    live = row["arena_bytes"] / row["live_bytes"] if row["live_bytes"] else 1
    return (f"{row['model']:20} {row['threads']} thr  {row['ratio']:.2f} ({row['least']:.2f} to "
            f"{row['most']:.2f})  cpu time {row['cpu_ratio']:.2f}  {row['polaris_ms']:.3f} : "
            f"{row['onnxruntime_ms']:.3f} ms (least {row['polaris_least_ms']:.3f} : "
            f"{row['onnxruntime_least_ms']:.3f})  arena {row['arena_bytes'] / MIB:.2f} MiB, "
            f"{live:.2f} of what lives  peak {row['polaris_peak_mib']:.0f} : "
            f"{row['onnxruntime_peak_mib']:.0f} MiB ({row['onnxruntime_empty_mib']:.0f} empty)")


def compare_nodes(args, name, path, shapes, threads, folder):
    """The least of each node over all rounds of both, summed."""
    inputs = inputs_of(Peer(path, threads).session, shapes, dict(args.dim))
    ours = Ours(args, path, inputs, folder, threads, more=("--profile",))
    least = ({}, {})
    for _ in range(args.rounds):
        ours.run_ms(max(args.runs, 5), 2)
        peer = Peer(path, threads, folder / "profile")
        peer.inputs = inputs
        peer.run_ms(3 * args.runs, 2)
        file = Path(peer.session.end_profiling())
        # What stands for its subgraphs would count them twice.
        events = [e for e in json.loads(file.read_text()) if e.get("cat") == "Node" and
                  e.get("args", {}).get("op_name") not in ("If", "Loop", "Scan")]
        file.unlink()
        times = ([((node["node"], node["op"]), node["us"]) for node in ours.last["profile"]],
                 [(e["name"], e["dur"]) for e in events if e["name"].endswith("_kernel_time")])
        for side, nodes in zip(least, times):
            for key, us in nodes:
                side[key] = min(side.get(key, us), us)
    mine, theirs = (sum(side.values()) / 1e3 for side in least)
    return {"model": name, "threads": threads, "ratio": theirs / mine, "polaris_ms": mine,
            "onnxruntime_ms": theirs}


def nodes_line(row):
    return (f"{row['model']:20} {row['threads']} thr  {row['ratio']:.2f}  nodes at least "
            f"{row['polaris_ms']:.3f} : {row['onnxruntime_ms']:.3f} ms")


def compare_passes(args, name, path, shapes, device, folder):
    """With the default passes and with none, in turn."""
    inputs = inputs_of(Peer(path, 1).session, shapes, dict(args.dim))
    threads = int(args.threads.split(",")[0])
    sides = [Ours(args, path, inputs, folder, threads, device, ("--passes", passes))
             for passes in ("default", "none")]
    off = difference(sides[0].output(), sides[1].output())
    runs = max(args.runs, min(1000, int(200 / max(sides[0].run_ms(1, 1)[0], 1e-3))))
    times = [[], []]
    for number in range(args.rounds):
        for side in ((0, 1), (1, 0))[number % 2]:
            times[side].append(sides[side].run_ms(runs, 2)[0])
    row = {"model": name, "device": device, "threads": threads, "difference": off,
           "latency": statistics.median(a / b for a, b in zip(*times))}
    for side, which in ((0, "on"), (1, "off")):
        last = sides[side].last
        row[which] = {key: last[key] for key in ("nodes", "launches", "bytes")}
        row[which] |= {"arena_bytes": last["arena_bytes"], "ms": statistics.median(times[side])}
    return row


def passes_line(row):
    on, off = row["on"], row["off"]
    return (f"{row['model']:20} {row['device']:16} nodes {off['nodes']} to {on['nodes']}  launches "
            f"{off['launches']} to {on['launches']} ({on['launches'] / off['launches'] - 1:+.0%})  "
            f"moved {off['bytes'] / MIB:.1f} to {on['bytes'] / MIB:.1f} MiB  arena "
            f"{off['arena_bytes'] / MIB:.2f} to {on['arena_bytes'] / MIB:.2f} MiB  "
            f"{off['ms']:.3f} to {on['ms']:.3f} ms ({row['latency'] - 1:+.0%})")


def named_dim(text):
    name, _, size = text.rpartition("=")
    if not name or not size.isdecimal():
        raise argparse.ArgumentTypeError(f"got {text!r}, wanted NAME=N")
    return name, int(size)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="model", help="files, or names of --list")
    shared = Path(os.environ.get("POLARIS_SHARED", ROOT.parent / "shared"))
    parser.add_argument("--models", type=Path, default=shared / "models",
                        help="the folder of the files of --list; else that of POLARIS_SHARED")
    parser.add_argument("--polaris", default=str(ROOT / "build/release/polaris"))
    parser.add_argument("--threads", default="1,2", help="with --passes the first alone")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=5, help="of a round, at least")
    parser.add_argument("--dim", type=named_dim, action="append", default=[], metavar="NAME=N",
                        help="the size of a free dim; without it 1")
    parser.add_argument("--nodes", action="store_true", help="the least times of nodes, summed")
    parser.add_argument("--passes", action="store_true", help="our runs with passes and without")
    parser.add_argument("--devices", default="cpu", help="of --passes")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--save", type=Path, help="a folder for the models that are made")
    parser.add_argument("--json", action="store_true")
    return parser.parse_intermixed_args()


def main():
    args = parse()
    if args.list:
        print("\n".join([*FILES, *MADE]))
        return
    variants = args.devices.split(",") if args.passes else list(map(int, args.threads.split(",")))
    one, line = ((compare_passes, passes_line) if args.passes else
                 (compare_nodes, nodes_line) if args.nodes else (compare, compared_line))
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        kept = args.save or folder
        kept.mkdir(parents=True, exist_ok=True)
        for name in args.names or USUAL:
            for variant in variants:
                try:
                    path, shapes = find_model(name, args.models, kept)
                    row = one(args, Path(name).stem, path, shapes, variant, folder)
                except Exception as error:  # the peer throws what it likes
                    print(f"{name}: left out: {error}", file=sys.stderr)
                    continue
                rows.append(row)
                if not args.json:
                    print(line(row), flush=True)
    if not rows:
        sys.exit("onnx_vs_onnxruntime: no model that both run")
    if args.passes:
        if args.json:
            print(json.dumps({"rounds": args.rounds, "rows": rows}))
        return
    means = {threads: math.exp(statistics.mean(math.log(r["ratio"]) for r in rows
                                               if r["threads"] == threads))
             for threads in sorted({r["threads"] for r in rows})}
    if args.json:
        print(json.dumps({"peer": f"onnxruntime {onnxruntime.__version__}", "rounds": args.rounds,
                          "geometric_mean": means, "rows": rows}))
        return
    for threads, mean in means.items():
        print(f"geometric mean, {threads} threads: {mean:.2f} (onnxruntime "
              f"{onnxruntime.__version__}, {args.rounds} rounds)")


if __name__ == "__main__":
    main()
