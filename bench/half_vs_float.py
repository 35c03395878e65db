#!/usr/bin/env python3
"""What 16-bit floats cost on the cpu: a model and its float32 twin, in turn on one machine.

    bench/half_vs_float.py MODEL.onnx [--type float16] [--polaris build/release/polaris]
                           [--threads 2] [--rounds 7] [--runs 10] [--limit RATIO] [--peer] [--json]

MODEL is float16 or float32; both twins of it are written to a temporary folder, one with every
float tensor as --type (float16 or bfloat16), one with every such tensor as float32. Each round
benches both, the narrow one first in even rounds and second in odd ones, so that what else the
machine does falls on both. Printed: the median over the rounds of narrow time over float32 time
with the least and the largest, both median times, the same ratio of processor time, which other
work on the machine hardly touches, and how many kernels run by the definition.
--peer compares the float16 output with onnxruntime's of the same file, over its largest value (both
on the same random inputs). Exits 1 above --limit. Needs Python's onnx; --peer needs onnxruntime."""
import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16}
TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16,
         "bfloat16": TensorProto.BFLOAT16}


def retype_tensor(tensor, to):
    if tensor.data_type not in FLOATS or tensor.data_type == to:
        return
    values = numpy_helper.to_array(tensor).astype(np.float32)
    if to == TensorProto.BFLOAT16:
        made = helper.make_tensor(tensor.name, to, tensor.dims, values.flatten())
    else:
        kind = np.float16 if to == TensorProto.FLOAT16 else np.float32
        made = numpy_helper.from_array(values.astype(kind), tensor.name)
    tensor.CopyFrom(made)


def retype(graph, to):
    for tensor in graph.initializer:
        retype_tensor(tensor, to)
    for value in [*graph.input, *graph.output, *graph.value_info]:
        if value.type.tensor_type.elem_type in FLOATS:
            value.type.tensor_type.elem_type = to
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i in FLOATS:
                attribute.i = to
            if attribute.type == onnx.AttributeProto.TENSOR:
                retype_tensor(attribute.t, to)
            if attribute.type == onnx.AttributeProto.GRAPH:
                retype(attribute.g, to)


def twin(model, to, path):
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    retype(copy.graph, TYPES[to])
    onnx.save(copy, path)
    return path


def bench(args, path, report, runs=None):
    command = [args.polaris, "bench", str(path), "--device", "cpu", "--threads",
               str(args.threads), "--runs", str(runs or args.runs), report]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    if done.returncode:
        sys.exit(f"half_vs_float: {done.stderr.strip()}")
    return done.stdout


def measure(args, path):
    """Median time of a run, and processor time of one: of many runs less that of few."""
    ms = json.loads(bench(args, path, "--json"))["median_ms"]
    used = []
    for runs in (args.runs, 5 * args.runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        bench(args, path, "--json", runs)
        used.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
    return ms, (used[1] - used[0]) * 1000 / (4 * args.runs)


def by_definition(args, path):
    """Kernels of a profiled run that no family served."""
    return bench(args, path, "--profile").count("generic_")


def peer_difference(args, path, folder):
    """Largest difference from onnxruntime on the same inputs, over its largest value."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(7)
    feeds, command = {}, [args.polaris, "run", str(path), "--device", "cpu", "-o", str(folder)]
    for value in session.get_inputs():
        shape = [d if isinstance(d, int) else 1 for d in value.shape]
        feeds[value.name] = random.uniform(-1, 1, shape).astype(np.float16)
        np.save(folder / f"in{len(feeds)}.npy", feeds[value.name])
        command += ["-i", f"{value.name}={folder}/in{len(feeds)}.npy"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    if done.returncode:
        sys.exit(f"half_vs_float: {done.stderr.strip()}")
    worst = 0.0
    for value, wanted in zip(session.get_outputs(), session.run(None, feeds)):
        name = "".join(c if c.isalnum() or c in "._-" else "_" for c in value.name)
        got = np.load(folder / f"{name}.npy").astype(np.float64)
        wanted = wanted.astype(np.float64)
        worst = max(worst, np.abs(got - wanted).max() / np.abs(wanted).max())
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--type", default="float16", choices=["float16", "bfloat16"])
    parser.add_argument("--polaris", default="build/release/polaris")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--limit", type=float)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    model = onnx.load(args.model)
    with tempfile.TemporaryDirectory() as folder:
        narrow = twin(model, args.type, Path(folder, "narrow.onnx"))
        wide = twin(model, "float32", Path(folder, "wide.onnx"))
        pairs = []
        for number in range(args.rounds):
            order = (narrow, wide) if number % 2 == 0 else (wide, narrow)
            times = {path: measure(args, path) for path in order}
            pairs.append((times[narrow], times[wide]))
        ratios = [a[0] / b[0] for a, b in pairs]
        row = {"model": args.model.name, "type": args.type, "ratio": statistics.median(ratios),
               "least": min(ratios), "most": max(ratios),
               "narrow_ms": statistics.median(a[0] for a, _ in pairs),
               "float32_ms": statistics.median(b[0] for _, b in pairs),
               "processor_ratio": statistics.median(a[1] / b[1] for a, b in pairs),
               "by_definition": by_definition(args, narrow)}
        if args.peer and args.type == "float16":
            row["of_largest"] = peer_difference(args, narrow, Path(folder))
    if args.json:
        print(json.dumps(row))
    else:
        print(f"{row['model']} {row['type']}: {row['ratio']:.2f} times float32 "
              f"({row['least']:.2f} to {row['most']:.2f}; {row['narrow_ms']:.2f} ms, "
              f"{row['float32_ms']:.2f} ms), {row['processor_ratio']:.2f} by processor time; "
              f"{row['by_definition']} kernels by the definition")
        if "of_largest" in row:
            print(f"onnxruntime: {row['of_largest']:.2e} of its largest value")
    sys.exit(1 if args.limit is not None and row["ratio"] > args.limit else 0)


if __name__ == "__main__":
    main()
