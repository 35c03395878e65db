#!/usr/bin/env python3
"""Random small ONNX graphs through onnxruntime and libpolaris.so: one answer, or a reason.

    onnx_differential.py --library build/release/libpolaris.so --from 0 --count 20000
    onnx_differential.py --library ... --from 1234 --count 1 --keep DIR    (one graph, kept)

Values, element types, shapes and the places of NaN are compared. Graph number N is the same
wherever it is made. onnxruntime runs it with its graph optimizations off, and on where N is odd;
we run it on the cpu and reference devices, every 20th graph on --more devices too. What is no
fault is counted by its reason: both refuse; onnxruntime refuses a run that the definition allows;
or its own outputs jump when the inputs move by a rounding error. A fault names the first node of
the outermost graph whose result differs.
"""
import argparse
import collections
import json
import multiprocessing
import os
import queue
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import capi  # noqa: E402
import onnx_graphs  # noqa: E402

RTOL, ATOL = 1e-3, 1e-5


def peer(model, optimize):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    level = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimize else level.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options,
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
            with np.errstate(invalid="ignore"):
                near = np.isclose(g, w, RTOL, ATOL + 1e-6 * largest, equal_nan=True)
            if not near.all():
                return f"output {i}: {g[~near][:3]} for {w[~near][:3]}"
    return None


def is_unstable(session, feed, want):
    """Whether a rounding error in the inputs moves the peer's own answer as far."""
    rng = np.random.default_rng(0)
    for _ in range(3):
        moved = {k: (v * (1 + rng.uniform(-1e-6, 1e-6, v.shape))).astype(v.dtype)
                 for k, v in feed.items()}
        try:
            if difference(session.run(None, moved), want):
                return True
        except Exception:
            return True
    return False


def first_difference(model, feed, runtime, folder):
    """The first node of the outermost graph whose result differs, in words."""
    wide = onnx.ModelProto()
    wide.CopyFrom(onnx.shape_inference.infer_shapes(model))
    kinds = {v.name: v.type.tensor_type.elem_type for v in wide.graph.value_info}
    made = [(node, name) for node in wide.graph.node for name in node.output if kinds.get(name)]
    if not made:
        return ""
    del wide.graph.output[:], wide.graph.value_info[:]
    wide.graph.output.extend(onnx.helper.make_tensor_value_info(name, kinds[name], None)
                             for _, name in made)
    try:
        want = peer(wide, False).run(None, feed)
        # A file of its own: that of the model is mapped.
        path = os.path.join(folder, "wide.onnx")
        onnx.save(wide, path)
        ours = capi.Model(runtime, path)
        try:
            got = ours.run(feed)
        finally:
            ours.close()
            os.remove(path)
    except Exception as error:
        return f" (not narrowed down: {str(error)[:80]})"
    for (node, _), g, w in zip(made, got, want):
        wrong = difference([g], [w])
        if wrong:
            return f", first at {node.op_type}: {wrong}"
    return ""


class Checker:
    def __init__(self, library, devices, more):
        lib = capi.Library(library)
        self.runtimes = {d: capi.Runtime(lib, d) for d in devices}
        self.more = {d: capi.Runtime(lib, d) for d in more}
        self.folder = tempfile.mkdtemp(prefix="polaris-differential-")

    def graph(self, seed):
        """[(verdict, detail)]: one for each device and run."""
        model, feeds, _ = onnx_graphs.make(seed)
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
            try:
                ours = capi.Model(runtime, path)
            except capi.Failed as error:
                fine = all(isinstance(want, str) for want in wants)
                out.append(("both refuse" if fine else "REFUSED", f"{device}: {error}"))
                continue
            for turn, (feed, want) in enumerate(zip(feeds, wants)):
                verdict, detail = self.run(sessions[0], ours, feed, want,
                                           f"{device}, run {turn}: ")
                if verdict == "DIFFERENT":
                    detail += first_difference(model, feed, runtime, self.folder)
                out.append((verdict, detail))
            ours.close()
        os.remove(path)
        return out

    def run(self, session, ours, feed, want, label):
        try:
            got = ours.run(feed)
        except capi.Failed as error:
            return ("both refuse" if isinstance(want, str) else "REFUSED", label + str(error))
        if isinstance(want, str):
            return ("the peer refuses the run", label + want[:300])
        wrong = [difference(got, answer) for answer in want]
        if not any(wrong):
            return ("equal", "")
        if not all(wrong):
            return ("the peer differs from itself", label + str(wrong))
        if is_unstable(session, feed, want[0]):
            return ("unstable", label + wrong[0])
        return ("DIFFERENT", label + wrong[0])


def work(args, start, count, results):
    checker = Checker(args.library, args.devices.split(","),
                      [d for d in args.more.split(",") if d])
    for seed in range(start, start + count):
        results.put((seed, None))
        try:
            results.put((seed, checker.graph(seed)))
        except Exception as error:  # of the generator, or of this script
            results.put((seed, [("BROKEN", repr(error)[:300])]))
    results.put((start + count, "end"))


def sweep(args, report):
    """Runs the graphs in child processes, so that a crash costs one graph and is reported."""
    seed, stop = args.start, args.start + args.count
    while seed < stop:
        results = multiprocessing.Queue()
        count = min(args.batch, stop - seed)
        child = multiprocessing.Process(target=work, args=(args, seed, count, results))
        child.start()
        current, seed = seed, seed + count
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
                report(current, [("CRASH", f"exit {child.exitcode} or no answer in time")])
                seed = current + 1
                break
            if verdicts == "end":
                child.join()
                break
            if verdicts is not None:
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
            model, feeds, _ = onnx_graphs.make(seed)
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
