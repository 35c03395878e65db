#!/usr/bin/env python3
"""Files that `polaris quantize` writes, read by llama.cpp: the perplexity of a text by both.

    bench/quantized_vs_llama_cpp.py MODEL.gguf TEXT.txt [--schemes q8_0,q4_k_m] [--ctx 128]

For each scheme: ours on the file, llama.cpp's on the same weights in float32 (written by `polaris
quantize --scheme f32`), and llama.cpp's on the file itself, with its default kernels, which round
activations to 8 bits. Fails where ours is further than 0.1 % from the float run, or the default
kernels further than 3 %. --write FILE keeps the float figures as a table of tests/data. Needs npm's
node-llama-cpp in build/peers, or where POLARIS_PEERS says."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FLOAT_OFF_MAX = 1e-3
DEFAULT_OFF_MAX = 3e-2
SCHEMES = "f32,f16,bf16,q8_0,q6_k,q5_k_m,q5_k_s,q5_1,q5_0,q4_k_m,q4_k_s,q4_1,q4_0,q3_k_l,q3_k_m," \
          "q3_k_s,q2_k"


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("text")
    parser.add_argument("--schemes", default=SCHEMES)
    parser.add_argument("--ctx", default="128")
    parser.add_argument("--chunks", default="0", help="0: all")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--polaris", default=os.path.join(ROOT, "build/release/polaris"))
    parser.add_argument("--write", help="table to write")
    options = parser.parse_args()
    peer_script = os.path.join(ROOT, "bench/peers/llama_perplexity.mjs")
    chunks = [] if options.chunks == "0" else [options.chunks]

    def peer(file):
        return run("node", peer_script, file, options.text, options.ctx, *chunks)

    rows, failed = [], False
    print("scheme   bits/weight     ours  llama.cpp float      off  its default      off")
    with tempfile.TemporaryDirectory() as folder:
        file, plain = os.path.join(folder, "blocks.gguf"), os.path.join(folder, "plain.gguf")
        for scheme in options.schemes.split(","):
            made = run(options.polaris, "quantize", options.model, "-o", file, "--scheme", scheme,
                       "--json", "--allow-requantize")
            run(options.polaris, "quantize", file, "-o", plain, "--scheme", "f32", "--json",
                "--allow-requantize")
            ours = run(options.polaris, "eval", "perplexity", file, options.text, "--json",
                       "--ctx", options.ctx, "--chunks", options.chunks, "--device", options.device)
            exact, default = peer(plain), peer(file)
            if ours["tokens"] != exact["tokens"]:
                sys.exit(f"{scheme}: we scored {ours['tokens']} tokens, the peer {exact['tokens']}")
            off = ours["perplexity"] / exact["perplexity"] - 1
            default_off = default["perplexity"] / exact["perplexity"] - 1
            failed |= abs(off) > FLOAT_OFF_MAX or abs(default_off) > DEFAULT_OFF_MAX
            print(f"{scheme:8} {made['bits_per_weight']:11.3f} {ours['perplexity']:8.4f} "
                  f"{exact['perplexity']:16.4f} {100 * off:7.3f}% {default['perplexity']:12.4f} "
                  f"{100 * default_off:7.3f}%", flush=True)
            rows.append((scheme, options.ctx, exact["tokens"], repr(exact["perplexity"]),
                         repr(exact["standard_error"])))
    if options.write:
        with open(options.write, "w", encoding="ascii") as out:
            out.write("# Written by bench/quantized_vs_llama_cpp.py: scheme, ids of a chunk, "
                      "tokens scored, perplexity, its standard error.\n")
            for row in rows:
                out.write("\t".join(map(str, row)) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
