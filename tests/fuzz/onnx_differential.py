#!/usr/bin/env python3
"""Random small ONNX graphs through onnxruntime and libpolaris.so: one answer, or a reason.

    onnx_differential.py --library build/release/libpolaris.so --from 0 --count 20000
    onnx_differential.py --library ... --from 1234 --count 1 --keep DIR    (one graph, kept)

Values, element types, shapes and the places of NaN are compared. Graph number N is the same
wherever it is made. onnxruntime runs it with its graph optimizations off, and on where N is odd;
we run it on the cpu and reference devices, every 20th graph on --more devices too. What is no
fault is counted by its reason: both refuse; onnxruntime refuses a run that the definition allows;
ONNX's own evaluator sides with us; or onnxruntime's own outputs jump when the inputs move by a
rounding error (docs/adr/0023). A fault names the first node of the outermost graph that differs by
itself.
"""
import argparse
import collections
import json
import multiprocessing
import os
import queue
import re
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import helper
from onnx.reference import ReferenceEvaluator

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import capi  # noqa: E402
import onnx_graphs  # noqa: E402
import onnx_ops  # noqa: E402
import onnx_peer  # noqa: E402
import onnx_wide  # noqa: E402

# Relative and absolute, by the type of the output.
TOLERANCES = {np.dtype(np.float16): (1e-2, 1e-3)}
TOLERANCE = (1e-3, 1e-5)
# What ONNX's evaluator raises of operands that do not fit; others are of its own gaps.
REFUSALS = (ValueError, IndexError, AssertionError)
# Whose code runs, should the process end.
OURS, PEER = 0, 1


def make(seed):
    """Shape arithmetic of float32, or every op and type: two graphs of each in turn."""
    return (onnx_wide if seed // 2 % 2 else onnx_graphs).make(seed)


def peer(model, optimize):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    level = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimize else level.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(onnx_peer.stand_in(model).SerializeToString(), options,
                                        providers=["CPUExecutionProvider"])


def difference(got, want):
    """What is wrong with the outputs, or None."""
    for i, (g, w) in enumerate(zip(got, want)):
        w = np.asarray(w)
        if g.dtype != w.dtype or g.shape != w.shape:
            return f"output {i}: {g.dtype}{list(g.shape)} for {w.dtype}{list(w.shape)}"
        if w.dtype.kind != "f":
            if not np.array_equal(g, w):
                return f"output {i}: {g.ravel()[:4]} for {w.ravel()[:4]}"
        elif not np.array_equal(np.isnan(g), np.isnan(w)):
            return f"output {i}: NaN at other places"
        else:
            # Sums that cancel are as good as what went in.
            largest = np.abs(w[np.isfinite(w)]).max(initial=0)
            rtol, atol = TOLERANCES.get(w.dtype, TOLERANCE)
            with np.errstate(all="ignore"):
                near = np.isclose(g.astype(np.float64), w.astype(np.float64), rtol,
                                  atol + rtol * 1e-3 * float(largest), equal_nan=True)
            if not near.all():
                return f"output {i}: {g[~near][:3]} for {w[~near][:3]}"
    return None


def rounding(array):
    """Relative, by the type: what is less than a unit in the last place moves nothing."""
    return max(1e-6, np.finfo(array.dtype).eps if array.dtype.kind == "f" else 0)


def is_unstable(session, feed, want):
    """Whether a rounding error in the inputs moves the peer's own answer as far."""
    rng = np.random.default_rng(0)
    for _ in range(3):
        moved = {k: (v * (1 + rounding(v) * rng.uniform(-1, 1, v.shape))).astype(v.dtype)
                 for k, v in feed.items()}
        try:
            if difference(session.run(None, moved), want):
                return True
        except Exception:
            return True
    return False


def scan_outputs(model):
    """The outputs of the model that Loops make of what they see in each trip."""
    return {name for node in model.graph.node if node.op_type == "Loop"
            for name in node.output[len(node.input) - 2:]}


def open_dims(model, got, want):
    """`got` in the shape of `want` where a scan output has no trip: only its dim 0 is defined; or
    no elements: the peer keeps dims that the graph's types have and no trip had."""
    scans = scan_outputs(model)
    out = []
    for info, g, w in zip(model.graph.output, got, want):
        w = np.asarray(w)
        free = info.name in scans and g.size == w.size == 0 and \
            g.shape[:1] == w.shape[:1] and g.dtype == w.dtype
        out.append(w if free else g)
    return out


def second_opinion(model, feed):
    """What ONNX's own evaluator makes of it: its outputs, or its error."""
    try:
        with np.errstate(all="ignore"):
            return ReferenceEvaluator(onnx_peer.for_evaluator(model)).run(None, feed)
    except Exception as error:
        return error


def refuses(model, feed, message):
    """ONNX's evaluator's error, where it refuses the graph, or alone the node that we refuse."""
    parts = re.search(r"scan output, got \w+\[(.*?)\] after \w+\[(.*?)\], wanted one", message)
    if parts and all("0" in dims.split(", ") for dims in parts.groups()):
        # "It is an error if the dimensions ... change across loop iterations": the peer does not
        # see it where there are no elements to stack.
        return ValueError("scan outputs of no elements change their dims")
    other = second_opinion(model, feed)
    if isinstance(other, REFUSALS):
        return other
    named = re.search(r"node '([^']+)'", message)
    node = next((n for n in model.graph.node if named and named[1] in n.output), None)
    if node is None:
        return None
    try:
        known, kinds = operands(model, feed)
        if node.op_type == "PRelu" and grows(*(known[name].shape for name in node.input)):
            return ValueError("the slope is broadcast to x, and not x to it")
        one = local_model(model, node, known, kinds)
        other = second_opinion(one, {v.name: known[v.name] for v in one.graph.input})
    except Exception:  # the peer cannot tell the operands
        return None
    return other if isinstance(other, REFUSALS) else None


def grows(shape, other):
    """Whether broadcasting both gives more than `shape`. ONNX's evaluator does not look."""
    return np.broadcast_shapes(shape, other) != shape


def operands(model, feed):
    """All values of the outermost graph by the peer, and their element types."""
    wide = onnx.ModelProto.FromString(model.SerializeToString())
    made = [name for node in wide.graph.node for name in node.output if name]
    del wide.graph.output[:]
    wide.graph.output.extend(onnx.ValueInfoProto(name=name) for name in made)  # the peer infers
    known = dict(feed, **{t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer})
    known.update(zip(made, map(np.asarray, peer(wide, False).run(None, feed))))
    kinds = {name: onnx_ops.ONNX[known[name].dtype] for name in made}
    return known, kinds


def local_model(model, node, feed, kinds):
    """One node by itself, what it reads from outside as inputs."""
    ins = [helper.make_tensor_value_info(name, onnx_ops.ONNX[feed[name].dtype], feed[name].shape)
           for name in sorted(onnx_wide.outer_names(node))]
    outs = [helper.make_tensor_value_info(name, kinds[name], None) for name in node.output if name]
    out = onnx.ModelProto.FromString(model.SerializeToString())
    out.graph.CopyFrom(helper.make_graph([node], "g", ins, outs))
    return out


class Checker:
    def __init__(self, library, devices, more):
        lib = capi.Library(library)
        self.runtimes = {d: capi.Runtime(lib, d) for d in devices}
        self.more = {d: capi.Runtime(lib, d) for d in more}
        self.folder = tempfile.mkdtemp(prefix="polaris-differential-")

    def graph(self, seed):
        """[(verdict, detail)]: one for each device and run."""
        model, feeds, _ = make(seed)
        path = os.path.join(self.folder, "g.onnx")
        onnx.save(model, path)
        runtimes = dict(self.runtimes, **(self.more if seed % 20 == 0 else {}))
        try:
            sessions = [peer(model, level) for level in ([False, True] if seed % 2 else [False])]
        except Exception as error:
            return [("the peer refuses the graph", str(error)[:200])]
        wants = []
        for feed in feeds:
            try:
                answers = [s.run(None, feed) for s in sessions]
                wants.append(answers)
            except Exception as error:
                wants.append(str(error))
        out = []
        for device, runtime in runtimes.items():
            self.turn[1] = OURS
            try:
                ours = capi.Model(runtime, path)
            except capi.Failed as error:
                fine = all(isinstance(want, str) for want in wants)
                other = None if fine else refuses(model, feeds[0], str(error))
                verdict = "both refuse" if fine else "REFUSED" if other is None else \
                    "onnx refuses it too"
                out.append((verdict, f"{device}: {error}"))
                continue
            for turn, (feed, want) in enumerate(zip(feeds, wants)):
                verdict, detail = self.run(model, sessions[0], ours, feed, want)
                if verdict == "DIFFERENT":
                    verdict, detail = self.narrow(model, runtime, sessions[0], feed, want, detail)
                out.append((verdict, f"{device}, run {turn}: {detail}"))
            ours.close()
        os.remove(path)
        return out

    def run(self, model, session, ours, feed, want):
        try:
            got = ours.run(feed)
        except capi.Failed as error:
            if isinstance(want, str):
                return "both refuse", ""
            other = refuses(model, feed, str(error))
            if other is not None:
                return "onnx refuses it too", f"{error}; {other}"
            return "REFUSED", str(error)
        if isinstance(want, str):
            return "the peer refuses the run", want[:300]
        wrong = [difference(open_dims(model, got, answer), answer) for answer in want]
        if not any(wrong):
            return "equal", ""
        if not all(wrong):
            return "the peer differs from itself", str(wrong)
        other = second_opinion(model, feed)
        if not isinstance(other, Exception) and not difference(got, other):
            return "onnx sides with us", wrong[0]
        return "DIFFERENT", wrong[0]

    def narrow(self, model, runtime, session, feed, want, detail):
        """The first node of the outermost graph that differs by itself, on the peer's operands."""
        path = os.path.join(self.folder, "local.onnx")
        explained = []
        try:
            self.turn[1] = PEER
            known, kinds = operands(model, feed)
            self.turn[1] = OURS
            for node in model.graph.node:
                one = local_model(model, node, known, kinds)
                onnx.save(one, path)
                ours = capi.Model(runtime, path)
                given = {v.name: known[v.name] for v in one.graph.input}
                self.turn[1] = PEER
                answer = peer(one, False).run(None, given)
                self.turn[1] = OURS
                try:
                    got = ours.run(given)
                    wrong = difference(open_dims(one, got, answer), answer)
                finally:
                    ours.close()
                    os.remove(path)
                if not wrong:
                    continue
                told = f"{node.op_type} {node.output[0]} alone: {wrong}"
                other = second_opinion(one, given)
                if isinstance(other, Exception) or difference(got, other):
                    return "DIFFERENT", f"{detail}, {told}; onnx: {other}"
                explained.append(told)
        except Exception as error:
            return "DIFFERENT", f"{detail} (not narrowed down: {str(error)[:200]})"
        if explained:
            return "onnx sides with us", "; ".join(explained)
        # Each node is right: an error of rounding has grown, or what differs is the graph as whole.
        if is_unstable(session, feed, want[0]):
            return "unstable", detail
        return "DIFFERENT", f"{detail}, though each node by itself does not"


def work(args, start, count, results, turn):
    checker = Checker(args.library, args.devices.split(","),
                      [d for d in args.more.split(",") if d])
    checker.turn = turn
    for seed in range(start, start + count):
        turn[0], turn[1] = seed, PEER
        try:
            results.put((seed, checker.graph(seed)))
        except Exception as error:  # of the generator, or of this script
            results.put((seed, [("BROKEN", repr(error)[:300])]))
    results.put((start + count, "end"))


def sweep(args, report):
    """Runs the graphs in child processes, so that a crash costs one graph and is reported."""
    seed, stop = args.start, args.start + args.count
    while seed < stop:
        results, turn = multiprocessing.Queue(), multiprocessing.Array("q", 2)
        count = min(args.batch, stop - seed)
        child = multiprocessing.Process(target=work, args=(args, seed, count, results, turn))
        child.start()
        seed += count
        waited = 0.0
        while True:
            try:
                current, verdicts = results.get(timeout=1)
                waited = 0.0
            except queue.Empty:
                waited += 1
                if child.is_alive() and waited < args.timeout:
                    continue
                child.kill()
                child.join()
                report(turn[0], [("CRASH" if turn[1] == OURS else "the peer ends the process",
                                  f"exit {child.exitcode}, or no answer in time")])
                seed = turn[0] + 1
                break
            if verdicts == "end":
                child.join()
                break
            report(current, verdicts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--library", required=True, help="libpolaris.so")
    parser.add_argument("--from", dest="start", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--devices", default="cpu,reference")
    parser.add_argument("--more", default="", help="devices for every 20th graph")
    parser.add_argument("--batch", type=int, default=200, help="graphs a process")
    parser.add_argument("--timeout", type=float, default=120, help="seconds a graph may take")
    parser.add_argument("--keep", help="a folder for the graphs that differ")
    args = parser.parse_args()
    totals, faults = collections.Counter(), []

    def report(seed, verdicts):
        bad = [(v, d) for v, d in verdicts if v.isupper()]
        totals.update(v for v, _ in verdicts)
        totals["graphs"] += 1
        for verdict, detail in bad[:1]:
            faults.append(seed)
            print(f"{seed}: {verdict}: {detail}", flush=True)
        if args.keep and (bad or args.count == 1):
            os.makedirs(args.keep, exist_ok=True)
            model, feeds, _ = make(seed)
            onnx.save(model, os.path.join(args.keep, f"{seed}.onnx"))
            for i, feed in enumerate(feeds):
                np.savez(os.path.join(args.keep, f"{seed}.{i}.npz"), **feed)
        if args.count == 1:
            print("\n".join(f"{v}: {d}" for v, d in verdicts))

    sweep(args, report)
    print(json.dumps(dict(totals, faults=len(faults))))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
