#!/usr/bin/env python3
"""What peers make of weights: tests/data/quantized_expected.tsv and storage_expected.tsv.

    POLARIS_PEERS=build/peers make_quantized.py        (needs gguf and numpy from PyPI)

quantized_expected.tsv: format, kind of values, seed, elements, a hash of the blocks that the gguf
package makes ("-" where it makes none), and the squared error of the blocks of llama.cpp's own
library, which comes with npm's node-llama-cpp. Values come from a SplitMix64 of the seed (split_mix
of make_blocks.py). The hash is 64-bit FNV-1a over bytes.

storage_expected.tsv: what llama.cpp's quantizer stores each tensor of small models as, under each
scheme. A row "tensors" lists a model's tensors with their shapes, the rows behind it say which of
them (counted from 0) have which type. Models are made here, of random weights."""
import ctypes
import glob
import os
import tempfile

import gguf
import numpy
from gguf import GGMLQuantizationType as Type
from gguf import quants

from make_blocks import MASK, split_mix

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = os.environ.get("POLARIS_PEERS", os.path.join(HERE, "../../build/peers"))
ELEMENTS = 1 << 14
EXACT = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0")
SEARCHED = ("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K")
SCHEMES = {"f16": 1, "bf16": 32, "q8_0": 7, "q6_k": 18, "q5_k_m": 17, "q5_k_s": 16, "q5_1": 9,
           "q5_0": 8, "q4_k_m": 15, "q4_k_s": 14, "q4_1": 3, "q4_0": 2, "q3_k_l": 13,
           "q3_k_m": 12, "q3_k_s": 11, "q2_k": 10}
# architecture, layers, width, feed forward, heads, heads of keys, experts, tied
MODELS = (("llama", 16, 256, 512, 8, 8, 0, False), ("llama", 10, 256, 512, 8, 2, 0, True),
          ("llama", 3, 288, 320, 6, 6, 0, False), ("llama", 9, 256, 256, 8, 2, 8, False),
          ("phi3", 17, 256, 512, 8, 8, 0, False), ("gpt2", 4, 256, 512, 8, 8, 0, True))


def library(name):
    # The plainest build, the same on every machine.
    found = glob.glob(os.path.join(PEERS, "node_modules/@node-llama-cpp/linux-x64/bins/*", name))
    return ctypes.CDLL(sorted(found)[0], mode=ctypes.RTLD_GLOBAL)


def words(seed, count):
    return numpy.frombuffer(bytes(split_mix(seed, 4 * count)), numpy.uint32)


def values(kind, seed):
    """Floats whose bits need no library: sums and products of numbers of few bits."""
    w = words(seed, 4 * ELEMENTS).reshape(ELEMENTS, 4)
    u = (w & 0xFFFF).astype(numpy.float32) / numpy.float32(65536) - numpy.float32(0.5)
    if kind == "uniform":
        return u[:, 0].copy()
    bell = (u[:, 0] + u[:, 1]) + (u[:, 2] + u[:, 3])
    if kind == "bell":
        return bell
    if kind == "positive":
        return numpy.abs(bell)
    if kind == "outliers":  # one in 64 is up to eight times as large
        return bell * numpy.where(w[:, 0] >> 26 == 0, numpy.float32(8), numpy.float32(1))
    power = (words(seed + 1000, ELEMENTS // 32) & 7).astype(numpy.int32) - 4
    scaled = numpy.ldexp(bell.reshape(-1, 32), power[:, None]).astype(numpy.float32)  # "scales"
    scaled[::9] = 0
    return scaled.ravel()


KINDS = ("uniform", "bell", "positive", "outliers", "scales")


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def squared_error(blocks, kind, wanted):
    block_bytes = gguf.GGML_QUANT_SIZES[kind][1]
    got = quants.dequantize(blocks.reshape(-1, block_bytes), kind).ravel()
    return float(((got.astype(numpy.float64) - wanted.astype(numpy.float64)) ** 2).sum())


def quantized_rows():
    ggml = library("libggml-base.so")
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + \
        [ctypes.c_int64] * 3 + [ctypes.c_void_p]
    for name in EXACT + SEARCHED:
        kind = Type[name]
        block, block_bytes = gguf.GGML_QUANT_SIZES[kind]
        for seed, shape in enumerate(KINDS, 1):
            x = values(shape, seed)
            theirs = numpy.zeros(ELEMENTS // block * block_bytes, numpy.uint8)
            ggml.ggml_quantize_chunk(int(kind), x.ctypes.data, theirs.ctypes.data, 0,
                                     ELEMENTS // 256, 256, None)
            digest = "-"
            if name in EXACT:
                digest = f"{fnv(quants.quantize(x.reshape(-1, block), kind).tobytes()):016x}"
            error = squared_error(theirs, kind, x)
            yield name.lower(), shape, seed, ELEMENTS, digest, repr(error)


class QuantizeParams(ctypes.Structure):
    _fields_ = [("threads", ctypes.c_int32), ("file_type", ctypes.c_int32),
                ("rest", ctypes.c_int32 * 62)]


def write_model(path, spec):
    arch, layers, width, inner, heads, kv_heads, experts, tied = spec
    out = gguf.GGUFWriter(path, arch)
    out.add_block_count(layers)
    out.add_context_length(64)
    out.add_embedding_length(width)
    out.add_feed_forward_length(inner)
    out.add_head_count(heads)
    out.add_head_count_kv(kv_heads)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_layer_norm_eps(1e-5)
    out.add_rope_dimension_count(width // heads)
    out.add_sliding_window(0)
    if experts:
        out.add_expert_count(experts)
        out.add_expert_used_count(2)
    tokens = [f"t{i}" for i in range(32)]
    out.add_tokenizer_model("llama")
    out.add_token_list(tokens)
    out.add_token_scores([0.0] * len(tokens))
    out.add_token_types([1] * len(tokens))
    random = numpy.random.default_rng(1)

    def add(name, *shape):
        out.add_tensor(name, random.normal(size=shape).astype(numpy.float32))

    kv = width // heads * kv_heads
    add("token_embd.weight", len(tokens), width)
    if arch == "gpt2":
        add("position_embd.weight", 64, width)
    for i in range(layers):
        at = f"blk.{i}."
        add(at + "attn_norm.weight", width)
        if arch == "llama":
            add(at + "attn_q.weight", width, width)
            add(at + "attn_k.weight", kv, width)
            add(at + "attn_v.weight", kv, width)
        else:
            add(at + "attn_qkv.weight", width + 2 * kv, width)
            add(at + "attn_qkv.bias", width + 2 * kv)
        add(at + "attn_output.weight", width, width)
        add(at + "ffn_norm.weight", width)
        if experts:
            add(at + "ffn_gate_inp.weight", experts, width)
            add(at + "ffn_gate_exps.weight", experts, inner, width)
            add(at + "ffn_up_exps.weight", experts, inner, width)
            add(at + "ffn_down_exps.weight", experts, width, inner)
            continue
        if arch == "llama":
            add(at + "ffn_gate.weight", inner, width)
        add(at + "ffn_up.weight", inner if arch != "phi3" else 2 * inner, width)
        add(at + "ffn_down.weight", width, inner)
    add("output_norm.weight", width)
    if not tied:
        add("output.weight", len(tokens), width)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def storage_rows():
    library("libggml-base.so")
    library("libggml.*.so")
    llama = library("libllama.v*.so")
    llama.llama_model_quantize_default_params.restype = QuantizeParams
    llama.llama_backend_init()
    with tempfile.TemporaryDirectory() as folder:
        for spec in MODELS:
            source = os.path.join(folder, "source.gguf")
            target = os.path.join(folder, "target.gguf")
            write_model(source, spec)
            tensors = [(t.name, "x".join(str(d) for d in reversed(t.shape.tolist())))
                       for t in gguf.GGUFReader(source).tensors]
            facts = ",".join(str(int(x)) for x in spec[1:])
            yield spec[0], facts, "tensors", " ".join(":".join(t) for t in tensors)
            for scheme, file_type in SCHEMES.items():
                params = llama.llama_model_quantize_default_params()
                params.threads, params.file_type = 1, file_type
                if llama.llama_model_quantize(source.encode(), target.encode(),
                                              ctypes.byref(params)) != 0:
                    raise SystemExit(f"llama.cpp refuses {scheme} of {spec}")
                made = {t.name: t.tensor_type.name.lower()
                        for t in gguf.GGUFReader(target).tensors}
                groups = {}
                for i, (name, _) in enumerate(tensors):
                    groups.setdefault(made[name], []).append(str(i))
                yield spec[0], facts, scheme, " ".join(f"{k}:{','.join(v)}"
                                                       for k, v in groups.items())


def write(name, what, rows):
    with open(os.path.join(HERE, name), "w", encoding="ascii") as out:
        out.write(f"# Written by make_quantized.py: {what}.\n")
        for row in rows:
            out.write("\t".join(map(str, row)) + "\n")


def main():
    write("quantized_expected.tsv",
          "format, values, seed, elements, hash of gguf's blocks, squared error of llama.cpp's",
          quantized_rows())
    write("storage_expected.tsv",
          "architecture, layers/width/feed forward/heads/kv heads/experts/tied, scheme, tensors",
          storage_rows())


if __name__ == "__main__":
    main()
