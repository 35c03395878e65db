#!/usr/bin/env python3
"""Writes a GGUF file with a published model's shapes and random weights, in any number of layers.

    bench/random_gguf.py llama-2-7b -o 7b.gguf [--scheme q4_0] [--layers N]
    bench/random_gguf.py llama-3.2-3b -o two.gguf --layer-types q4_k,q6_k

The weights of a matrix of K columns have a standard deviation of about K^-1/2, so that activations
stay finite; the same seed gives the same file. SHAPE is one of those below. --scheme is one format
for every matrix (f32, f16, q8_0, q4_0, q4_k, q6_k ...) or q4_k_m, which gives each layer what
llama.cpp's quantizer does: V and the down projection of half the layers in q6_k, and the output
too. --layer-types names that format for each layer instead, so that what one kind of layer costs
can be told from the difference of two files. The vocabulary holds made-up pieces.

Needs gguf and numpy from PyPI.
"""
import argparse
import sys
from typing import NamedTuple

import gguf
import numpy
from gguf import GGMLQuantizationType as Type
from gguf import quants

SLAB = 1 << 22  # random bytes; a matrix repeats them


class Shape(NamedTuple):
    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    head: int
    vocab: int
    tied: bool  # the embedding is the output matrix
    rope_base: float


SHAPES = {
    "llama-2-7b": Shape(32, 4096, 11008, 32, 32, 128, 32000, False, 1e4),
    "tinyllama-1.1b": Shape(22, 2048, 5632, 32, 4, 64, 32000, False, 1e4),
    "llama-3.2-3b": Shape(28, 3072, 8192, 24, 8, 128, 128256, True, 5e5),
}
# Bytes of a block where float16 scales and minima stand.
SCALES = {Type.Q4_0: (0, None), Type.Q8_0: (0, None), Type.Q5_0: (0, None), Type.Q4_1: (0, 2),
          Type.Q5_1: (0, 2), Type.Q4_K: (0, 2), Type.Q5_K: (0, 2), Type.Q6_K: (208, None)}


def more_bits(layer, layers):
    """Whether llama.cpp's quantizer gives this layer the wider format in a mix of two."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


class Weights:
    """Random matrices, made once a format and turned for each, so that no two are equal."""

    def __init__(self, seed):
        self.random = numpy.random.default_rng(seed)
        self.blocks = {}
        self.made = 0

    def unit_blocks(self, kind):
        """Blocks [n, bytes] whose values have mean 0, and their standard deviation."""
        if kind not in self.blocks:
            size = gguf.GGML_QUANT_SIZES[kind][1]
            made = self.random.integers(0, 256, (SLAB // size, size), numpy.uint8)
            scale, least = SCALES[kind]
            self.set_halves(made, scale, 1.0)
            if least is not None:  # what it must be for the mean to vanish
                self.set_halves(made, least, 0.0)
                mean = quants.dequantize(made[:512], kind).mean()
                self.set_halves(made, least, 1.0)
                self.set_halves(made, least,
                                mean / (mean - quants.dequantize(made[:512], kind).mean()))
            self.blocks[kind] = (made, float(quants.dequantize(made[:512], kind).std()))
        return self.blocks[kind]

    @staticmethod
    def set_halves(blocks, at, factor):
        """Sets, or where it is set scales, the float16 of every block."""
        half = numpy.frombuffer(numpy.float16(factor).tobytes(), numpy.uint8)
        blocks[:, at:at + 2] = half

    def matrix(self, kind, rows, columns):
        """Bytes of a matrix, [rows, bytes of a row]."""
        deviation = columns ** -0.5
        if kind in (Type.F32, Type.F16):
            plain = self.random.standard_normal(SLAB // 4, numpy.float32) * deviation
            plain = plain.astype(numpy.float32 if kind == Type.F32 else numpy.float16)
            return numpy.resize(plain, (rows, columns))
        weights, size = gguf.GGML_QUANT_SIZES[kind]
        unit, spread = self.unit_blocks(kind)
        self.made += 1
        blocks = numpy.roll(unit, 97 * self.made, axis=0)
        for at in SCALES[kind]:
            if at is not None:
                halves = blocks[:, at:at + 2].copy().view(numpy.float16) * (deviation / spread)
                blocks[:, at:at + 2] = halves.astype(numpy.float16).view(numpy.uint8)
        return numpy.resize(blocks, (rows, columns // weights * size))


def layer_types(args, shape):
    """For each layer the format of most matrices, and that of V and of the down projection."""
    if args.layer_types:
        wide = [Type[name.upper()] for name in args.layer_types.split(",")]
        return [(Type.Q4_K, kind) for kind in wide]
    layers = args.layers or shape.layers
    if args.scheme == "q4_k_m":
        return [(Type.Q4_K, Type.Q6_K if more_bits(i, layers) else Type.Q4_K)
                for i in range(layers)]
    return [(Type[args.scheme.upper()],) * 2] * layers


def tensors(shape, layers, ends):
    """(name, format, rows, columns) of every matrix, and of vectors with rows 0."""
    yield "token_embd.weight", ends, shape.vocab, shape.width
    yield "output_norm.weight", Type.F32, 0, shape.width
    if not shape.tied:
        yield "output.weight", ends, shape.vocab, shape.width
    for i, (kind, wide) in enumerate(layers):
        block = f"blk.{i}."
        yield block + "attn_norm.weight", Type.F32, 0, shape.width
        yield block + "ffn_norm.weight", Type.F32, 0, shape.width
        yield block + "attn_q.weight", kind, shape.heads * shape.head, shape.width
        yield block + "attn_k.weight", kind, shape.kv_heads * shape.head, shape.width
        yield block + "attn_v.weight", wide, shape.kv_heads * shape.head, shape.width
        yield block + "attn_output.weight", kind, shape.width, shape.heads * shape.head
        yield block + "ffn_gate.weight", kind, shape.inner, shape.width
        yield block + "ffn_up.weight", kind, shape.inner, shape.width
        yield block + "ffn_down.weight", wide, shape.width, shape.inner


def write_metadata(writer, name, shape, layers):
    writer.add_name(f"{name}, random")
    writer.add_block_count(layers)
    writer.add_context_length(4096)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.head)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(shape.vocab)
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
    kinds = [2, 3, 3] + [6] * 256  # unknown, control, byte
    pieces += [f"\u2581w{i}" for i in range(shape.vocab - len(pieces))]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(pieces)
    writer.add_token_scores([-float(i) for i in range(shape.vocab)])
    writer.add_token_types(kinds + [1] * (shape.vocab - len(kinds)))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--scheme", default="q4_0")
    parser.add_argument("--layers", type=int)
    parser.add_argument("--layer-types", metavar="FORMAT,...")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    shape = SHAPES[args.shape]
    known = {kind.name.lower() for kind in SCALES} | {"f32", "f16"}
    for name in (args.layer_types or args.scheme.replace("q4_k_m", "q4_k")).split(","):
        if name not in known:
            parser.error(f"format, got '{name}', wanted one of {', '.join(sorted(known))}")
    layers = layer_types(args, shape)
    mixed = args.layer_types or args.scheme == "q4_k_m"
    ends = Type.Q6_K if mixed else layers[0][0]

    writer = gguf.GGUFWriter(args.output, "llama")
    write_metadata(writer, args.shape, shape, len(layers))
    weights = Weights(args.seed)
    todo = list(tensors(shape, layers, ends))
    for name, kind, rows, columns in todo:
        dims = (rows, columns) if rows else (columns,)
        count, size = gguf.GGML_QUANT_SIZES[kind]
        stored = dims[:-1] + (columns // count * size,) if kind in SCALES else dims
        plain = numpy.dtype(numpy.float16 if kind == Type.F16 else numpy.float32)
        writer.add_tensor_info(name, stored, numpy.dtype(numpy.uint8) if kind in SCALES else plain,
                               max(rows, 1) * columns // count * size,
                               kind if kind in SCALES else None)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for i, (name, kind, rows, columns) in enumerate(todo):
        made = weights.matrix(kind, rows, columns) if rows else numpy.ones(columns, numpy.float32)
        writer.write_tensor_data(made)
        if sys.stderr.isatty():
            print(f"\r{i + 1} of {len(todo)} tensors", end="", file=sys.stderr)
    writer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
