#!/usr/bin/env python3
"""Models larger than the card: split over card and CPU, and over two cards, against the CPU alone.

    bench/larger_than_card.py [--vram 1GiB,2GiB] [--ratios 1.5,3] [--device vulkan:llvmpipe]
                              [--polaris build/release/polaris] [--folder DIR] [--json]

For each size of card and each ratio a GGUF file of so many times that size is written, with random
float16 weights in TinyLlama's shapes (bench/random_gguf.py), as many layers as that takes.
`inspect` says what the card will hold, then the same tokens run on the CPU alone and on a card that
is told to have that much, with the CPU behind it. The first ratio also runs on two such cards, in
micro-batches of a prompt. Printed for each run: layers on the cards, what was said and what the
card's peak was, and how far the logits are from the CPU's. Exits 1 where those are not within 1e-2
of the largest, disagree on a token whose margin is more than twice the error, or have a mean KL
above 1e-3; and where the peak is not within 5 % of what was said, or more than the card has.

Needs gguf and numpy from PyPI, and disk and memory for the largest file: 6 GiB for a card of 2."""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy

import random_gguf

SHAPE = "tinyllama-1.1b"
CONTEXT = 256


def bytes_of(text):
    units = {"MiB": 1 << 20, "GiB": 1 << 30}
    return int(float(text[:-3]) * units[text[-3:]])


def layers_for(size):
    """Layers of the shape so that a float16 file has `size` bytes."""
    shape = random_gguf.SHAPES[SHAPE]
    ends = 2 * 2 * shape.vocab * shape.width
    rows = 2 * shape.heads * shape.head + 2 * shape.kv_heads * shape.head + 3 * shape.inner
    return max(round((size - ends) / (2 * rows * shape.width)), 2)


def polaris(args, *command):
    done = subprocess.run([args.polaris, *command, "--json"], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout.splitlines()[-1])


def said(args, model, device, vram):
    """What `inspect` says each card will hold at the context of the runs."""
    report = polaris(
        args,
        "inspect",
        model,
        "--device",
        device,
        "--vram",
        vram,
        "--gpu-share",
        "1",
        "--context",
        str(CONTEXT),
    )
    row = next(row for row in report["contexts"][0]["rows"] if row["context"] == CONTEXT)
    return row["card_layers"], [device["bytes"] for device in row["devices"]]


def write_ids(path, ids):
    with open(path, "w", encoding="utf-8") as out:
        json.dump(ids, out)


def generate(args, model, folder, name, prompt, count, *options):
    """The last line of `generate`, and the logits [count, vocabulary]."""
    ids = os.path.join(folder, "prompt.json")
    write_ids(ids, prompt)
    logits = os.path.join(folder, name + ".npy")
    last = polaris(
        args,
        "generate",
        model,
        "--ids-file",
        ids,
        "--temperature",
        "0",
        "-n",
        str(count),
        "--ignore-eos",
        "--context",
        str(CONTEXT),
        "--logits",
        logits,
        *options,
    )
    return last, numpy.load(logits).astype(numpy.float64)


def softmax(rows):
    rows = numpy.exp(rows - rows.max(axis=1, keepdims=True))
    return rows / rows.sum(axis=1, keepdims=True)


def compare(got, want):
    """Section 9's measures: relative error, mean KL, rows with another argmax than they may."""
    worst = numpy.abs(got - want).max(axis=1)
    relative = (worst / numpy.abs(want).max(axis=1)).max()
    p, q = softmax(want), softmax(got)
    kl = (p * (numpy.log(p + 1e-300) - numpy.log(q + 1e-300))).sum(axis=1).mean()
    top = numpy.sort(want, axis=1)
    clear = top[:, -1] - top[:, -2] > 2 * worst
    wrong = int((clear & (got.argmax(axis=1) != want.argmax(axis=1))).sum())
    return float(relative), float(kl), wrong


def run_case(args, model, folder, vram, cards):
    device = ",".join([args.device] * cards)
    # A step of 128 tokens or more is cut into micro-batches, where it has several devices.
    prompt = [1] + [300 + 7 * i % 20000 for i in range(159 if cards > 1 else 15)]
    count = 2 if cards > 1 else 6
    cpu, want = generate(args, model, folder, "cpu", prompt, count, "--device", "cpu")
    forced = os.path.join(folder, "forced.json")
    write_ids(forced, cpu["ids"])
    layers, foretold = said(args, model, device, vram)
    split, got = generate(
        args,
        model,
        folder,
        "split",
        prompt,
        count,
        "--device",
        device,
        "--vram",
        vram,
        "--gpu-share",
        "1",
        "--force-ids",
        forced,
    )
    relative, kl, wrong = compare(got, want)
    peaks = split["peak_bytes"][:cards]
    off = max(abs(peak - told) / peak for peak, told in zip(peaks, foretold))
    fine = (
        relative <= 1e-2
        and kl <= 1e-3
        and wrong == 0
        and off <= 0.05
        and max(peaks) <= bytes_of(vram)
        and split["gpu_layers"] == layers
    )
    return {
        "vram": vram,
        "cards": cards,
        "file_bytes": os.path.getsize(model),
        "layers": split["layers"],
        "gpu_layers": split["gpu_layers"],
        "said_bytes": foretold[:cards],
        "peak_bytes": peaks,
        "off": off,
        "relative_max": relative,
        "kl_mean": kl,
        "wrong_argmax": wrong,
        "tokens_per_s": split["tokens_per_s"],
        "cpu_tokens_per_s": cpu["tokens_per_s"],
        "fine": fine,
    }


def show(args, row):
    if args.json:
        print(json.dumps(row), flush=True)
        return
    mib = 1 << 20
    held = ", ".join(
        f"{peak / mib:.0f} MiB held of {told / mib:.0f} said"
        for peak, told in zip(row["peak_bytes"], row["said_bytes"])
    )
    print(
        f"{row['file_bytes'] / mib:.0f} MiB on {row['cards']} x {row['vram']}: "
        f"{row['gpu_layers']} of {row['layers']} layers on cards; {held} "
        f"({100 * row['off']:.1f} % off); logits {row['relative_max']:.1e} of the largest, "
        f"KL {row['kl_mean']:.1e}, {row['wrong_argmax']} wrong; {row['tokens_per_s']:.2f} tokens/s"
        f", cpu alone {row['cpu_tokens_per_s']:.2f}{'' if row['fine'] else '  WRONG'}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vram", default="1GiB,2GiB")
    parser.add_argument("--ratios", default="1.5,3")
    parser.add_argument("--device", default="vulkan:llvmpipe")
    parser.add_argument("--polaris", default="build/release/polaris")
    parser.add_argument(
        "--folder", help="for the files, which are removed; default: a temporary one"
    )
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    fine = True
    ratios = [float(ratio) for ratio in args.ratios.split(",")]
    for vram in args.vram.split(","):
        for number, ratio in enumerate(ratios):
            with tempfile.TemporaryDirectory(dir=args.folder) as folder:
                model = os.path.join(folder, "model.gguf")
                layers = layers_for(ratio * bytes_of(vram))
                subprocess.run(
                    [
                        sys.executable,
                        random_gguf.__file__,
                        SHAPE,
                        "-o",
                        model,
                        "--scheme",
                        "f16",
                        "--layers",
                        str(layers),
                    ],
                    check=True,
                )
                for cards in (1, 2) if number == 0 else (1,):
                    row = run_case(args, model, folder, vram, cards)
                    show(args, row)
                    fine = fine and row["fine"]
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
