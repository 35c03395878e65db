#!/usr/bin/env python3
"""Times ONNX models on the cpu device against onnxruntime's CPU provider, on one machine.

    pip install onnx onnxruntime && make build
    bench/onnx_vs_onnxruntime.py resnet50 mobilenetv2 depthwise_144x56 squeezenet.onnx --threads 1,2

Models are files, or names of those that the script makes with random weights (--list; without any,
all of them). Their answers are compared once, within 1e-3 of the largest value. Then the two run in
turn, round after round, so that what else the machine does falls on both; who begins alternates.
A round gives one figure of each: the median of --runs runs after a warm-up. Printed: the median of
the rounds' ratios (above 1 is faster than onnxruntime) and both medians; last the geometric mean of
the ratios."""
import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parent.parent


class Builder:
    """A graph of one input and one output, with random weights."""

    def __init__(self, shape):
        self.random = np.random.default_rng(1)
        self.nodes, self.weights, self.count = [], [], 0
        self.input = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)

    def weight(self, *shape, scale=None, value=None):
        name = f"w{len(self.weights)}"
        if value is None:
            fan_in = math.prod(shape[1:]) if len(shape) > 1 else 1
            scale = scale if scale is not None else math.sqrt(2 / fan_in)
            value = self.random.standard_normal(shape, dtype=np.float32) * np.float32(scale)
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def op(self, kind, *inputs, **attributes):
        self.count += 1
        name = f"v{self.count}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def conv(self, x, c, m, k, stride=1, groups=1, activation=None):
        pad = (k - 1) // 2
        y = self.op("Conv", x, self.weight(m, c // groups, k, k), self.weight(m, scale=0.1),
                    kernel_shape=[k, k], strides=[stride] * 2, pads=[pad] * 4, group=groups)
        if activation == "clip":
            low, high = (self.weight(value=np.float32(v)) for v in (0, 6))
            return self.op("Clip", y, low, high)
        return self.op(activation, y) if activation else y

    def linear(self, x, c, m):
        return self.op("Add", self.op("MatMul", x, self.weight(c, m, scale=c ** -0.5)),
                       self.weight(m, scale=0.1))

    def model(self, y):
        output = helper.make_tensor_value_info(y, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "made", [self.input], [output], self.weights)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        made.ir_version = 8
        return made


def resnet50():
    b = Builder([1, 3, 224, 224])
    x = b.conv("x", 3, 64, 7, 2, activation="Relu")
    x = b.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    c = 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        m = 64 << stage
        for block in range(blocks):
            stride = 2 if block == 0 and stage > 0 else 1
            y = b.conv(x, c, m, 1, activation="Relu")
            y = b.conv(y, m, m, 3, stride, activation="Relu")
            y = b.conv(y, m, 4 * m, 1)
            x = b.conv(x, c, 4 * m, 1, stride) if block == 0 else x
            x, c = b.op("Relu", b.op("Add", y, x)), 4 * m
            x = b.op("Mul", x, b.weight(value=np.float32(0.7)))  # keeps random nets in range
    x = b.op("Flatten", b.op("GlobalAveragePool", x))
    return b.model(b.op("Gemm", x, b.weight(1000, c), b.weight(1000), transB=1))


def mobilenetv2():
    b = Builder([1, 3, 224, 224])
    x, c = b.conv("x", 3, 32, 3, 2, activation="clip"), 32
    rows = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
            (6, 160, 3, 2), (6, 320, 1, 1))
    for expand, m, blocks, first in rows:
        for block in range(blocks):
            stride, wide = first if block == 0 else 1, c * expand
            y = b.conv(x, c, wide, 1, activation="clip") if expand > 1 else x
            y = b.conv(y, wide, wide, 3, stride, groups=wide, activation="clip")
            y = b.conv(y, wide, m, 1)
            x, c = b.op("Add", x, y) if stride == 1 and c == m else y, m
    x = b.op("Flatten", b.op("GlobalAveragePool", b.conv(x, c, 1280, 1, activation="clip")))
    return b.model(b.op("Gemm", x, b.weight(1000, 1280), b.weight(1000), transB=1))


def bert(layers, tokens=128, wide=768, heads=12):
    b = Builder([1, tokens, wide])
    split = b.weight(value=np.array([1, tokens, heads, wide // heads]))
    joined = b.weight(value=np.array([1, tokens, wide]))
    scale = b.weight(value=np.float32((wide // heads) ** -0.5))

    def norm(x):
        return b.op("LayerNormalization", x, b.weight(value=np.ones(wide, np.float32)),
                    b.weight(wide, scale=0.1), axis=-1)

    def head(x, perm):
        return b.op("Transpose", b.op("Reshape", b.linear(x, wide, wide), split), perm=perm)

    x = "x"
    for _ in range(layers):
        scores = b.op("MatMul", head(x, [0, 2, 1, 3]), head(x, [0, 2, 3, 1]))
        mix = b.op("Softmax", b.op("Mul", scores, scale), axis=-1)
        mixed = b.op("Transpose", b.op("MatMul", mix, head(x, [0, 2, 1, 3])), perm=[0, 2, 1, 3])
        x = norm(b.op("Add", x, b.linear(b.op("Reshape", mixed, joined), wide, wide)))
        y = b.linear(x, wide, 4 * wide)
        root, one, half = (b.weight(value=np.float32(v)) for v in (2 ** 0.5, 1, 0.5))
        erf = b.op("Add", b.op("Erf", b.op("Div", y, root)), one)
        y = b.op("Mul", b.op("Mul", y, erf), half)
        x = norm(b.op("Add", x, b.linear(y, 4 * wide, wide)))
    return b.model(x)


def one_conv(c, m, size, k, stride=1, groups=1):
    b = Builder([1, c, size, size])
    return b.model(b.conv("x", c, m, k, stride, groups))


def one_pool(kind, c, size, **attributes):
    b = Builder([1, c, size, size])
    return b.model(b.op(kind, "x", **attributes))


def recurrent(kind, gates, steps, batch, inputs, hidden):
    b = Builder([steps, batch, inputs])
    return b.model(b.op(kind, "x", b.weight(1, gates * hidden, inputs, scale=inputs ** -0.5),
                        b.weight(1, gates * hidden, hidden, scale=hidden ** -0.5),
                        b.weight(1, 2 * gates * hidden, scale=0.1), hidden_size=hidden))


POOL = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
MADE = {
    "resnet50": resnet50,
    "mobilenetv2": mobilenetv2,
    "bert_4_layers": lambda: bert(4),
    "depthwise_32x112": lambda: one_conv(32, 32, 112, 3, groups=32),
    "depthwise_96x112_s2": lambda: one_conv(96, 96, 112, 3, 2, groups=96),
    "depthwise_144x56": lambda: one_conv(144, 144, 56, 3, groups=144),
    "depthwise_384x14": lambda: one_conv(384, 384, 14, 3, groups=384),
    "depthwise_960x7": lambda: one_conv(960, 960, 7, 3, groups=960),
    "conv3x3_64x56": lambda: one_conv(64, 64, 56, 3),
    "conv3x3_128x56_s2": lambda: one_conv(128, 128, 56, 3, 2),
    "conv3x3_256x14": lambda: one_conv(256, 256, 14, 3),
    "conv1x1_64x56": lambda: one_conv(64, 256, 56, 1),
    "conv1x1_512x14": lambda: one_conv(512, 512, 14, 1),
    "maxpool_64x112_s2": lambda: one_pool("MaxPool", 64, 112, strides=[2, 2], **POOL),
    "averagepool_128x56": lambda: one_pool("AveragePool", 128, 56, **POOL),
    "globalpool_2048x7": lambda: one_pool("GlobalAveragePool", 2048, 7),
    "lstm_batch1": lambda: recurrent("LSTM", 4, 64, 1, 128, 128),
    "lstm_batch8": lambda: recurrent("LSTM", 4, 64, 8, 128, 256),
    "gru_batch8": lambda: recurrent("GRU", 3, 64, 8, 128, 256),
}


class Peer:
    """onnxruntime with its default settings and so many threads."""

    def __init__(self, path, inputs, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self.session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        self.inputs = inputs

    def median_ms(self, runs, warmup):
        times = []
        for _ in range(warmup + runs):
            start = time.perf_counter()
            self.session.run(None, self.inputs)
            times.append(1e3 * (time.perf_counter() - start))
        return statistics.median(times[warmup:])


class Ours:
    def __init__(self, args, path, inputs, folder, threads):
        self.folder = folder
        self.common = [str(path), "--device", "cpu", "--threads", str(threads)]
        for i, (name, value) in enumerate(inputs.items()):
            file = folder / f"in{i}.npy"
            np.save(file, value)
            self.common += ["-i", f"{name}={file}"]
        self.polaris = args.polaris

    def output(self):
        return [np.load(o["file"]) for o in self._json("run", "-o", str(self.folder))["outputs"]]

    def median_ms(self, runs, warmup):
        return self._json("bench", "--runs", str(runs), "--warmup", str(warmup))["median_ms"]

    def _json(self, command, *more):
        done = subprocess.run([self.polaris, command, *self.common, *more, "--json"],
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        return json.loads(done.stdout.strip().splitlines()[-1])


def random_inputs(session, dims):
    """Free dims are those of --dim, else 1."""
    random = np.random.default_rng(2)
    inputs = {}
    for port in session.get_inputs():
        shape = [d if isinstance(d, int) else dims.get(d, 1) for d in port.shape]
        if port.type not in ("tensor(float)", "tensor(float16)"):
            raise RuntimeError(f"input {port.name} is a {port.type}, wanted floats")
        dtype = np.float16 if port.type == "tensor(float16)" else np.float32
        inputs[port.name] = random.standard_normal(shape).astype(dtype)
    return inputs


def difference(ours, theirs):
    worst = 0.0
    for a, b in zip(ours, theirs, strict=True):
        a, b = a.astype(np.float64), b.astype(np.float64)
        worst = max(worst, float(np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-30)))
    return worst


def compare(args, name, path, threads, folder):
    peer = Peer(path, None, threads)
    peer.inputs = random_inputs(peer.session, dict(args.dim))
    ours = Ours(args, path, peer.inputs, folder, threads)
    off = difference(ours.output(), peer.session.run(None, peer.inputs))
    if not off <= 1e-3:
        raise RuntimeError(f"answers differ by {off:.2g} of the largest")
    # Small models run more often: a round is at least 0.2 s.
    runs = max(args.runs, min(1000, int(200 / max(peer.median_ms(3, 1), 1e-3))))
    pairs = []
    for number in range(args.rounds):
        order = (ours, peer) if number % 2 == 0 else (peer, ours)
        taken = {side: side.median_ms(runs, 3) for side in order}
        pairs.append((taken[ours], taken[peer]))
    ratios = [b / a for a, b in pairs]
    return {"model": name, "threads": threads, "ratio": statistics.median(ratios),
            "least": min(ratios), "most": max(ratios), "difference": off, "runs": runs,
            "polaris_ms": statistics.median(p[0] for p in pairs),
            "onnxruntime_ms": statistics.median(p[1] for p in pairs)}


def named_dim(text):
    name, _, size = text.rpartition("=")
    if not name or not size.isdecimal():
        raise argparse.ArgumentTypeError(f"got {text!r}, wanted NAME=N")
    return name, int(size)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", help="files, or names of --list")
    parser.add_argument("--polaris", default=str(ROOT / "build/release/polaris"))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=5, help="of a round, at least")
    parser.add_argument("--dim", type=named_dim, action="append", default=[], metavar="NAME=N",
                        help="the size of a free dim; without it 1")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--save", type=Path, help="a folder for the models that are made")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_intermixed_args()
    if args.list:
        print("\n".join(MADE))
        return
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        kept = args.save or folder
        kept.mkdir(parents=True, exist_ok=True)
        for name in args.models or MADE:
            path = Path(name)
            if name in MADE:
                path = kept / f"{name}.onnx"
                if not path.exists():
                    onnx.save(MADE[name](), path)
            for threads in map(int, args.threads.split(",")):
                try:
                    row = compare(args, path.stem, path, threads, folder)
                except Exception as error:  # the peer throws what it likes
                    print(f"{path.stem}: left out: {error}", file=sys.stderr)
                    continue
                rows.append(row)
                if not args.json:
                    print(f"{row['model']:22} {threads} thr  {row['ratio']:.2f} "
                          f"({row['least']:.2f} to {row['most']:.2f})  polaris "
                          f"{row['polaris_ms']:.3f} ms  onnxruntime "
                          f"{row['onnxruntime_ms']:.3f} ms", flush=True)
    if not rows:
        sys.exit("onnx_vs_onnxruntime: no model that both run")
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
