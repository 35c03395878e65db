#!/usr/bin/env python3
"""Times generation against llama.cpp on one GGUF file and one machine.

    tools/setup.sh build peers && make build
    bench/generate_vs_llama_cpp.py models/stories/stories-q8_0.gguf --rounds 5

The two run in turn, round after round, so that what else the machine does falls on both. Each round
gives one figure of each: the median of --runs runs after a warm-up, of a prompt of --prompt-tokens
and of --tokens generated behind it. Printed: median of the rounds' ratios, and both medians."""
import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def last_json(command):
    out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--polaris", default="build/release/polaris")
    parser.add_argument("--peers", default="build/peers")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--prompt-tokens", type=int, default=128)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    model = str(Path(args.model).resolve())
    counts = ["--prompt-tokens", str(args.prompt_tokens), "--threads", str(args.threads),
              "--runs", str(args.runs), "--json"]
    ours = [args.polaris, "bench", model, "--llm", "--device", args.device, "--warmup", "1",
            "--tokens", str(args.tokens), "--depth", str(args.prompt_tokens)] + counts
    peer = ["node", "bench/peers/llama_cpp.mjs", model, "--peers", args.peers,
            "--generate-tokens", str(args.tokens)] + counts
    rows = []
    for number in range(args.rounds):
        row = (last_json(ours), last_json(peer))
        rows.append(row)
        if not args.json:
            print(f"round {number + 1}: polaris {row[0]['tokens_per_s']:.0f} tokens/s, "
                  f"llama.cpp {row[1]['tokens_per_s']:.0f}", file=sys.stderr)
    result = {"model": Path(model).name, "peer": rows[0][1]["peer"], "device": args.device,
              "threads": args.threads, "rounds": args.rounds}
    for key in ("prompt_tokens_per_s", "tokens_per_s"):
        result[key] = {
            "ratio": round(statistics.median(a[key] / b[key] for a, b in rows), 3),
            "polaris": round(statistics.median(a[key] for a, _ in rows), 1),
            "peer": round(statistics.median(b[key] for _, b in rows), 1)}
    if args.json:
        print(json.dumps(result))
        return
    print(f"{result['model']}, {args.device}, {args.threads} threads, against {result['peer']}")
    for key, what in (("prompt_tokens_per_s", f"prompt of {args.prompt_tokens}"),
                      ("tokens_per_s", f"{args.tokens} generated behind it")):
        r = result[key]
        print(f"  {what}: {r['ratio']:.2f} times the peer; {r['polaris']:.0f} against "
              f"{r['peer']:.0f} tokens/s")


if __name__ == "__main__":
    main()
