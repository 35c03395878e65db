#!/usr/bin/env python3
"""Whether a change made us slower: two builds of polaris, in turn on one machine.

    bench/alternate.py OLD_POLARIS NEW_POLARIS [--device cpu] [--rounds 7] [MODEL ...]

Each round benches every model once with each binary, old first in even rounds and new first in odd
ones, so that what else the machine does falls on both. Language models (.gguf) give prompt and
generation speed, all others their median time. Printed for each figure: the median over the rounds
of new speed over old speed (above 1 is faster) with the smallest and largest round, and both
medians; last the median of all ratios. Models: those given, or the ones in this repository and, if
POLARIS_SHARED names the folder, the ONNX models there that both can run."""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def default_models():
    models = sorted(ROOT.glob("models/**/*.gguf"))
    shared = os.environ.get("POLARIS_SHARED")
    if shared:
        found = sorted(Path(shared, "models").glob("**/*.onnx"))
        models += [m for m in found if 100_000 < m.stat().st_size < 64 << 20]
    return models


def figures(binary, model, args):
    """Name -> speed (higher is better), or nothing where the binary cannot run the model."""
    language_model = model.suffix == ".gguf"
    command = [binary, "bench", str(model), "--device", args.device, "--threads",
               str(args.threads), "--runs", str(args.runs), "--json"]
    if language_model:
        command += ["--llm"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        return None
    row = json.loads(done.stdout.strip().splitlines()[-1])
    if language_model:
        return {"prompt tokens/s": row["prompt_tokens_per_s"], "tokens/s": row["tokens_per_s"]}
    return {"runs/s": 1000 / row["median_ms"]} if row["median_ms"] > 0 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_intermixed_args()
    speeds = {}  # (model, figure) -> [(old, new), ...]
    models = args.models or default_models()
    for number in range(args.rounds):
        order = (args.old, args.new) if number % 2 == 0 else (args.new, args.old)
        for model in list(models):
            measured = {binary: figures(binary, model, args) for binary in order}
            if None in measured.values():
                print(f"{model.name}: left out, one of the two does not run it", file=sys.stderr)
                models.remove(model)
                continue
            for name, old in measured[args.old].items():
                speeds.setdefault((model.name, name), []).append((old, measured[args.new][name]))
        print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
    rows = []
    for (model, name), pairs in sorted(speeds.items()):
        ratios = [new / old for old, new in pairs]
        rows.append({"model": model, "figure": name, "ratio": statistics.median(ratios),
                     "least": min(ratios), "most": max(ratios),
                     "old": statistics.median(p[0] for p in pairs),
                     "new": statistics.median(p[1] for p in pairs)})
    if not rows:
        sys.exit("alternate: no model that both binaries run")
    overall = statistics.median(row["ratio"] for row in rows)
    if args.json:
        print(json.dumps({"device": args.device, "rounds": args.rounds, "ratio": overall,
                          "rows": rows}))
        return
    for row in rows:
        print(f"{row['model']:36} {row['figure']:16} {row['ratio']:.3f} "
              f"({row['least']:.3f} to {row['most']:.3f})  old {row['old']:.5g}  "
              f"new {row['new']:.5g}")
    print(f"median of {len(rows)} ratios: {overall:.3f}")


if __name__ == "__main__":
    main()
