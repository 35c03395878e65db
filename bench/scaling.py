#!/usr/bin/env python3
"""How long loading and compiling take as a file's counts grow: each doubling should double it.

    scaling.py [--build build/release] [--most 100000] [--limit 2.0] [FAMILY...]

For each family of graphs (the number is of nodes, inputs or symbols, whatever it has many of) at a
quarter, a half and all of --most: CPU seconds of `polaris inspect` (a process), of
polaris_program_load (loading and compiling, in this process) and of `polaris run` (planning and one
run too), so that what else the machine does counts little. The ratio is that of the last two rows.
Exits 1 where inspect or compile take more than --limit seconds, or more than 0.1 seconds grow by
more than 2.7. Needs Python's onnx.
"""
import argparse
import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

F = TensorProto.FLOAT
LEAST = 0.1  # seconds of which a ratio says something


def value(name, dims):
    return helper.make_tensor_value_info(name, F, dims)


def free_inputs(n):
    inputs = [value(f"i{k}", [f"d{k}"]) for k in range(n)]
    return [helper.make_node("Relu", ["i0"], ["y"])], inputs, [value("y", ["d0"])], []


def symbols(n):
    inputs = [value(f"i{k}", [f"d{8 * k + j}" for j in range(8)]) for k in range(n // 8)]
    return [helper.make_node("Relu", ["i0"], ["y"])], inputs, [value("y", [None] * 8)], []


def chain(n):
    ops = ("Relu", "Sigmoid", "Neg", "Tanh")
    names = ["x"] + [f"v{i}" for i in range(n - 1)] + ["y"]
    nodes = [helper.make_node(ops[i % 4], [names[i]], [names[i + 1]]) for i in range(n)]
    return nodes, [value("x", [4])], [value("y", [4])], []


def kept_chain(n):
    """As chain, of ops that do not fuse."""
    names = ["x"] + [f"v{i}" for i in range(n - 1)] + ["y"]
    nodes = [helper.make_node("Softmax", [names[i]], [names[i + 1]]) for i in range(n)]
    return nodes, [value("x", [4])], [value("y", [4])], []


def linears(n):
    """Each node becomes another: MatMul by a constant is made a Linear."""
    names = ["x"] + [f"v{i}" for i in range(n - 1)] + ["y"]
    nodes = [helper.make_node("MatMul", [names[i], "w"], [names[i + 1]]) for i in range(n)]
    return nodes, [value("x", [1, 2])], [value("y", [1, 2])], \
        [numpy_helper.from_array(np.eye(2, dtype=np.float32), "w")]


def identities(n):
    """Every second node goes."""
    ops = ("Softmax", "Identity")
    names = ["x"] + [f"v{i}" for i in range(n - 1)] + ["y"]
    nodes = [helper.make_node(ops[i % 2], [names[i]], [names[i + 1]]) for i in range(n)]
    return nodes, [value("x", [4])], [value("y", [4])], []


def fan_out(n):
    n //= 2
    nodes = [helper.make_node("Softmax" if i % 2 else "Relu", ["x"], [f"v{i}"], name=f"n{i}")
             for i in range(n)]
    nodes += [helper.make_node("Add", [f"v{i}", "c"], [f"w{i}"]) for i in range(n)]
    nodes.append(helper.make_node("Concat", [f"w{i}" for i in range(n)], ["y"], axis=0))
    return nodes, [value("x", ["n", 4])], [value("y", None)], \
        [numpy_helper.from_array(np.ones(4, np.float32), "c")]


def small_chains(n):
    nodes = []
    for i in range(n // 4):
        names = ["x"] + [f"v{i}.{j}" for j in range(3)] + [f"y{i}"]
        for j, op in enumerate(("Relu", "Neg", "Exp", "Sigmoid")):
            nodes.append(helper.make_node(op, [names[j]], [names[j + 1]]))
    return nodes, [value("x", [4])], [value(f"y{i}", [4]) for i in range(n // 4)], []


def outputs(n):
    nodes = [helper.make_node("Softmax", ["x"], [f"y{i}"]) for i in range(n)]
    return nodes, [value("x", [4])], [value(f"y{i}", [4]) for i in range(n)], []


def dead(n):
    nodes = [helper.make_node("Neg", ["x"], [f"v{i}"]) for i in range(n)]
    nodes.append(helper.make_node("Relu", ["x"], ["y"]))
    return nodes, [value("x", [4])], [value("y", [4])], []


def constants(n):
    nodes = [helper.make_node("Add", [f"c{i}", "one"], [f"v{i}"]) for i in range(n)]
    nodes.append(helper.make_node("Sum", ["x"] + [f"v{i}" for i in range(n)], ["y"]))
    weights = [numpy_helper.from_array(np.full(4, i, np.float32), f"c{i}") for i in range(n)]
    return nodes, [value("x", [4])], [value("y", [4])], \
        weights + [numpy_helper.from_array(np.ones(1, np.float32), "one")]


def shapes(n):
    """Shape -> Gather -> Concat -> Reshape, one after another."""
    nodes, last = [], "x"
    for i in range(n // 4):
        nodes += [helper.make_node("Shape", [last], [f"s{i}"]),
                  helper.make_node("Gather", [f"s{i}", "zero"], [f"g{i}"]),
                  helper.make_node("Concat", [f"g{i}", "turn"], [f"t{i}"], axis=0),
                  helper.make_node("Reshape", [last, f"t{i}"], [f"r{i}"])]
        last = f"r{i}"
    nodes.append(helper.make_node("Relu", [last], ["y"]))
    return nodes, [value("x", ["n", 2, 3])], [value("y", [None] * 3)], \
        [numpy_helper.from_array(np.array([0], np.int64), "zero"),
         numpy_helper.from_array(np.array([3, 2], np.int64), "turn")]


def ifs(n):
    """An If of two nodes a branch, each reading the last one's output from outside."""
    nodes, last = [], "x"
    for i in range(n // 5):
        sides = [helper.make_graph([helper.make_node(op, [last], [f"{op}{i}.a"]),
                                    helper.make_node("Relu", [f"{op}{i}.a"], [f"{op}{i}"])],
                                   op, [], [value(f"{op}{i}", None)]) for op in ("Neg", "Abs")]
        nodes.append(helper.make_node("If", ["c"], [f"v{i}"], then_branch=sides[0],
                                      else_branch=sides[1]))
        last = f"v{i}"
    nodes.append(helper.make_node("Relu", [last], ["y"]))
    return nodes, [value("x", ["n"]), helper.make_tensor_value_info("c", TensorProto.BOOL, [])], \
        [value("y", ["n"])], []


def captures(n):
    """One If that reads many outer values, half of them constants."""
    makes = [helper.make_node("Neg", ["x"], [f"v{i}"]) for i in range(n // 2)]
    weights = [numpy_helper.from_array(np.full(4, i, np.float32), f"c{i}") for i in range(n // 2)]
    names = [f"v{i}" for i in range(n // 2)] + [f"c{i}" for i in range(n // 2)]
    sides = [helper.make_graph([helper.make_node(op, names, [op])], op, [], [value(op, None)])
             for op in ("Sum", "Max")]
    makes.append(helper.make_node("If", ["c"], ["y"], then_branch=sides[0], else_branch=sides[1]))
    return makes, [value("x", [4]), helper.make_tensor_value_info("c", TensorProto.BOOL, [])], \
        [value("y", [4])], weights


FAMILIES = {f.__name__: f for f in (free_inputs, symbols, chain, kept_chain, linears, identities,
                                    fan_out, small_chains, outputs, dead, constants, shapes, ifs,
                                    captures)}


class Loader:
    """polaris_program_load on the cpu device."""

    class Options(ctypes.Structure):
        _fields_ = [("size", ctypes.c_size_t), ("devices", ctypes.c_char_p),
                    ("threads", ctypes.c_int32)]

    def __init__(self, path):
        self.so = ctypes.CDLL(path)
        self.so.polaris_program_load.restype = ctypes.c_void_p
        self.so.polaris_error_message.restype = ctypes.c_char_p
        self.runtime = ctypes.c_void_p()
        options = Loader.Options(ctypes.sizeof(Loader.Options), b"cpu", 1)
        self.so.polaris_runtime_create(ctypes.byref(options), ctypes.byref(self.runtime))

    def seconds(self, path):
        program = ctypes.c_void_p()
        start = time.process_time()
        error = self.so.polaris_program_load(self.runtime, path.encode(), None,
                                             ctypes.byref(program))
        took = time.process_time() - start
        if error:
            sys.exit(self.so.polaris_error_message(ctypes.c_void_p(error)).decode())
        self.so.polaris_program_free(program)
        return took


def process_seconds(*command):
    def used():
        times = resource.getrusage(resource.RUSAGE_CHILDREN)
        return times.ru_utime + times.ru_stime
    start = used()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    took = used() - start
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
    return took


def measure(make, n, args, loader, folder):
    nodes, inputs, outputs, weights = make(n)
    model = helper.make_model(helper.make_graph(nodes, "g", inputs, outputs, weights),
                              opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 8
    path = os.path.join(folder, "g.onnx")
    save(model, path)
    polaris = os.path.join(args.build, "polaris")
    best = lambda f: min(f() for _ in range(args.times))
    inspect = best(lambda: process_seconds(polaris, "inspect", path))
    load = best(lambda: loader.seconds(path))
    run = None
    if args.run:
        run = best(lambda: process_seconds(polaris, "run", path, "--random-inputs", "--device",
                                           "cpu", "-o", folder))
    return inspect, load, run


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--most", type=int, default=100000)
    parser.add_argument("--limit", type=float, default=2.0, help="CPU seconds")
    parser.add_argument("--times", type=int, default=2, help="runs, of which the best counts")
    parser.add_argument("--run", action="store_true", help="time `polaris run` too")
    parser.add_argument("families", nargs="*", metavar="FAMILY", default=list(FAMILIES))
    args = parser.parse_args()
    loader = Loader(os.path.join(args.build, "libpolaris.so"))
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name in args.families:
            rows = [measure(FAMILIES[name], n, args, loader, folder)
                    for n in (args.most // 4, args.most // 2, args.most)]
            for what, times in zip(("inspect", "compile", "run"), zip(*rows)):
                if None in times:
                    continue
                ratio = times[2] / times[1]
                grows = times[1] > LEAST and ratio > 2.7
                bad = what != "run" and (times[2] > args.limit or grows)
                failed |= bad
                print(f"{name:14} {what:8}" + "".join(f"{t:8.2f} s" for t in times) +
                      f"   x{ratio:.2f}{'   TOO SLOW' if bad else ''}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
