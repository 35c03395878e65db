#!/usr/bin/env python3
"""What an adapter costs: a GGUF model with one of random weights and without, in turn, by processor
time.

    bench/lora_cost.py MODEL.gguf [--rank 16] [--polaris build/release/polaris] [--threads 2]
                       [--rounds 5] [--prompt 512] [--tokens 64] [--more 2] [--limit RATIO] [--json]

The adapter changes every matrix of every layer but those of experts, and is written to a temporary
folder. Each round runs `polaris bench --llm` for prompts and for decoding, the adapter first in
even rounds and second in odd ones. The processor time is that of a process with --more runs
beyond the first less that of one with the first alone, so that loading and planning are in neither.
Printed: the median over the rounds of the time with the adapter over the time without, with the
least and the largest, and both medians. Exits 1 above --limit. Needs gguf and numpy from
PyPI."""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile

import gguf
import numpy

MATRICES = {"attn_q", "attn_k", "attn_v", "attn_output", "attn_qkv", "ffn_gate", "ffn_up",
            "ffn_down"}


def write_adapter(path, model, rank):
    reader = gguf.GGUFReader(model)
    field = reader.fields["general.architecture"]
    architecture = bytes(field.parts[field.data[0]]).decode()
    random = numpy.random.default_rng(1)
    out = gguf.GGUFWriter(path, architecture)
    out.add_string("general.type", "adapter")
    out.add_string("adapter.type", "lora")
    out.add_float32("adapter.lora.alpha", 2.0 * rank)
    count = 0
    for tensor in reader.tensors:
        parts = tensor.name.split(".")
        if len(parts) != 4 or parts[2] not in MATRICES or parts[3] != "weight":
            continue
        inputs, outputs = (int(n) for n in tensor.shape)
        a = random.standard_normal((rank, inputs)) / numpy.sqrt(inputs)
        b = random.standard_normal((outputs, rank)) * 0.001
        out.add_tensor(tensor.name + ".lora_a", a.astype(numpy.float32))
        out.add_tensor(tensor.name + ".lora_b", b.astype(numpy.float32))
        count += 1
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return count


def processor_s(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def time_of(args, sizes, lora):
    command = [args.polaris, "bench", args.model, "--llm", "--device", args.device, "--threads",
               str(args.threads), "--warmup", "0", "--json", *sizes]
    if lora:
        command += ["--lora", lora]
    few, many = (processor_s([*command, "--runs", str(runs)]) for runs in (1, 1 + args.more))
    return (many - few) / args.more


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--polaris", default="build/release/polaris")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--more", type=int, default=2)
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--limit", type=float)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        lora = os.path.join(folder, "lora.gguf")
        count = write_adapter(lora, args.model, args.rank)
        kinds = {"prompt": ["--prompt-tokens", str(args.prompt), "--tokens", "2"],
                 "decode": ["--prompt-tokens", "1", "--tokens", str(args.tokens)]}
        for kind, sizes in kinds.items():
            rows = []
            for number in range(args.rounds):
                order = (lora, None) if number % 2 == 0 else (None, lora)
                times = {bool(which): time_of(args, sizes, which) for which in order}
                rows.append((times[True], times[False]))
            ratios = [with_it / without for with_it, without in rows]
            ratio = statistics.median(ratios)
            worst = max(worst, ratio)
            medians = [statistics.median(column) for column in zip(*rows)]
            if args.json:
                print(json.dumps({"kind": kind, "matrices": count, "rank": args.rank,
                                  "ratio": ratio, "with_s": medians[0], "without_s": medians[1]}))
            else:
                print(f"{kind}: {ratio:.3f} ({min(ratios):.3f} to {max(ratios):.3f}), "
                      f"{medians[0]:.3f} s of processor time with rank {args.rank} on {count} "
                      f"matrices, {medians[1]:.3f} s without")
    if args.limit and worst > args.limit:
        sys.exit(1)


if __name__ == "__main__":
    main()
