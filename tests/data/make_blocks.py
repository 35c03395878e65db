#!/usr/bin/env python3
"""What the gguf package decodes random blocks of every format to: tests/data/blocks_expected.tsv.

    make_blocks.py                 writes the table     (needs gguf and numpy from PyPI)
    make_blocks.py --codebooks     prints the arrays of src/tensor/block_codebooks.cc

A row: format, seed, blocks, "random" or where EDGES were put, a hash of the decoded floats. Blocks
are bytes of a SplitMix64 of the seed; of the second seed the float16 scales of blocks are EDGES in
turn, so that zeros, subnormals, infinities and NaN are among them. The hash is 64-bit FNV-1a over
words of 32 bits, every NaN as 0x7fc00000."""
import os
import sys

import gguf
import numpy
from gguf import GGMLQuantizationType as Type
from gguf import quants

HERE = os.path.dirname(os.path.abspath(__file__))
BLOCKS = 96
MASK = (1 << 64) - 1
EDGES = (0x0000, 0x8000, 0x0001, 0x83ff, 0x0400, 0x3c00, 0x7bff, 0x7c00, 0xfc00, 0x7e01, 0xbc01)
# Where the float16 scales of a block begin; "spread": iq1_m's, a nibble at the top of each of four
# words at byte 48. Formats whose scales are bytes have no edges that random bytes do not reach.
SCALES = {
    "Q4_0": [0], "Q8_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q2_K": [80, 82],
    "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0],
    "MXFP4": [], "NVFP4": [], "TQ1_0": [52], "TQ2_0": [64], "IQ1_S": [0], "IQ1_M": "spread",
    "IQ2_XXS": [0], "IQ2_XS": [0], "IQ2_S": [0], "IQ3_XXS": [0], "IQ3_S": [0],
}
CODEBOOKS = (("kCodebookIq1", quants.IQ1_S), ("kCodebookIq2Xxs", quants.IQ2_XXS),
             ("kCodebookIq2Xs", quants.IQ2_XS), ("kCodebookIq2S", quants.IQ2_S),
             ("kCodebookIq3Xxs", quants.IQ3_XXS), ("kCodebookIq3S", quants.IQ3_S))


def split_mix(seed, count):
    out = bytearray()
    state = seed
    while len(out) < count:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        out += (z ^ (z >> 31)).to_bytes(8, "little")
    return out[:count]


def set_edges(data, block_bytes, at):
    for block in range(BLOCKS):
        start = block * block_bytes
        if at == "spread":
            half = EDGES[block % len(EDGES)]
            for i in range(4):
                byte = start + 48 + 2 * i + 1
                data[byte] = (data[byte] & 15) | ((half >> (4 * i)) & 15) << 4
            continue
        for i, offset in enumerate(at):
            half = EDGES[(block + i * (1 + block // len(EDGES))) % len(EDGES)]
            data[start + offset:start + offset + 2] = half.to_bytes(2, "little")


def fnv(floats):
    words = floats.astype(numpy.float32).view(numpy.uint32).copy()
    words[numpy.isnan(floats)] = 0x7FC00000
    value = 0xCBF29CE484222325
    for word in words.ravel().tolist():
        value = ((value ^ word) * 0x100000001B3) & MASK
    return value


def rows():
    for name, at in SCALES.items():
        kind = Type[name]
        block_bytes = gguf.GGML_QUANT_SIZES[kind][1]
        for seed, edges in enumerate((False, True), 1):
            if edges and not at:
                continue
            data = split_mix(seed, BLOCKS * block_bytes)
            if edges:
                set_edges(data, block_bytes, at)
            blocks = numpy.frombuffer(bytes(data), numpy.uint8).reshape(BLOCKS, block_bytes)
            with numpy.errstate(all="ignore"):
                decoded = quants.dequantize(blocks, kind)
            where = at if at == "spread" else ",".join(map(str, at))
            yield name.lower(), seed, BLOCKS, where if edges else "random", f"{fnv(decoded):016x}"


def print_codebooks():
    for name, kind in CODEBOOKS:
        packed = bytes.fromhex(kind.grid_hex.decode())
        entries = [packed[i] | packed[i + 1] << 8 for i in range(0, len(packed), 2)]
        print(f"const std::uint16_t {name}[{len(entries)}] = {{")
        for i in range(0, len(entries), 12):
            print("    " + ", ".join(f"0x{e:04x}" for e in entries[i:i + 12]) + ",")
        print("};\n")


def main():
    if "--codebooks" in sys.argv[1:]:
        print_codebooks()
        return
    with open(os.path.join(HERE, "blocks_expected.tsv"), "w", encoding="ascii") as out:
        out.write("# Written by make_blocks.py: format, seed, blocks, scales, hash.\n")
        for row in rows():
            out.write("\t".join(map(str, row)) + "\n")


if __name__ == "__main__":
    main()
