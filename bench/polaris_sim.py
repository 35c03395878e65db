#!/usr/bin/env python3
"""Simulated time of kernels on an RX 470 ... 590, seconds a kernel, with no card present.

    bench/polaris_sim.py [--chip rx580[:MHz]] [--instructions N] [--build DIR] KERNEL...

KERNEL is a file of text IR (docs/passes.md; `elided "w"` stands for a weight's bytes), or one of

    linear.FORMAT:MxKxN    weights [M, K] in f32, q4_0 or q8_0 on N rows:  linear.q4_0:4096x14336x1
    matmul:MxNxK           float32
    conv:N,C,H,W,O,KH,KW   float32, stride 1, same size where the kernel is odd
    attention.FORMAT:HxGxD,NonKV   N queries of H heads of D on G, the last of KV positions, over a
                           cache in f16, q8_0 ...: attention.q8_0:64x8x64,1on7680

Every figure is simulated (docs/gcn.md says how); none was measured.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile


PAGE = 16  # positions of a page of the cache


def attention_graph(form, sizes):
    """Text IR of attention over one sequence's pages, which lie in order."""
    heads, _, new = sizes.partition(",")
    heads, kv_heads, size = (int(x) for x in heads.split("x"))
    queries, positions = (int(x) for x in new.split("on"))
    pages = -(-positions // PAGE)
    cache = "float16" if form == "f16" else "float32"
    cache += f"[{pages}, {PAGE}, {kv_heads * size}]"
    cache += "" if form in ("f16", "f32") else f":{form}"
    first = positions - queries
    return (f"graph main {{\n  input %q : float32[{queries}, {heads * size}]\n"
            f"  input %k : {cache}\n  input %v : {cache}\n"
            f"  const %table : int32[1, {pages}] = {list(range(pages))}\n"
            f"  const %sequences : int32[{queries}] = {[0] * queries}\n"
            f"  const %positions : int32[{queries}] = {list(range(first, positions))}\n"
            "  %y = polaris.PagedAttention(%q, %k, %v, %table, %sequences, %positions, "
            f"num_heads = {heads}, num_kv_heads = {kv_heads})\n  output %y\n}}\n")


def graph_of(kernel):
    """Text IR of a named kernel."""
    name, _, sizes = kernel.partition(":")
    if name.startswith("linear."):
        m, k, n = (int(x) for x in sizes.split("x"))
        form = name.split(".")[1]
        kind = f"float32[{m}, {k}]" + ("" if form == "f32" else f":{form}")
        return (f"graph main {{\n  input %x : float32[{n}, {k}]\n"
                f"  const %w : {kind} = elided \"w\"\n"
                "  %y = polaris.Linear(%x, %w)\n  output %y\n}\n")
    if name == "matmul":
        m, n, k = (int(x) for x in sizes.split("x"))
        return (f"graph main {{\n  input %a : float32[{m}, {k}]\n  input %b : float32[{k}, {n}]\n"
                "  %y = MatMul(%a, %b)\n  output %y\n}\n")
    if name == "conv":
        n, c, h, w, o, kh, kw = (int(x) for x in sizes.split(","))
        pads = f"[{kh // 2}, {kw // 2}, {(kh - 1) // 2}, {(kw - 1) // 2}]"
        return (f"graph main {{\n  input %x : float32[{n}, {c}, {h}, {w}]\n"
                f"  const %w : float32[{o}, {c}, {kh}, {kw}] = elided \"w\"\n"
                f"  %y = Conv(%x, %w, pads = {pads})\n  output %y\n}}\n")
    if name.startswith("attention."):
        return attention_graph(name.split(".")[1], sizes)
    raise SystemExit(f"polaris_sim: no kernel '{kernel}'")


def simulate(tool, kernel, *options):
    """The JSON lines of one kernel."""
    if os.path.exists(kernel):
        command = [tool, "time", kernel, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    else:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(graph_of(kernel))
            file.flush()
            command = [tool, "time", file.name, *options]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"polaris_sim: {kernel}: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", nargs="+", metavar="KERNEL")
    parser.add_argument("--chip", default="rx580")
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--instructions", type=int, default=4000000,
                        help="of waves, simulated; of more the card is simulated in part")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    tool = os.path.join(args.build, "gcn")
    if not args.json:
        print(f"{'kernel':44} {'sim. us':>10} {'bound':>8} {'limit':>6} {'waves':>6} "
              f"{'valu':>5} {'lds':>5} {'dram':>5} {'L2 hit':>6} {'s':>5}   "
              f"({args.chip}, simulated)")
    for kernel in args.kernels:
        for row in simulate(tool, kernel, "--chip", args.chip, "--instructions",
                            str(args.instructions)):
            if args.json:
                print(json.dumps(row))
                continue
            busy = row["busy"]
            print(f"{kernel + ' ' + row['kernel']:44.44} {row['simulated_us']:10.1f} "
                  f"{row['bound']:>8} {row['share_of_limit']:6.0%} {row['waves_per_simd']:6d} "
                  f"{busy['valu']:5.0%} {busy['lds']:5.0%} {busy['dram']:5.0%} "
                  f"{row['l2_hits']:6.0%} {row['seconds']:5.1f}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
