#!/usr/bin/env python3
"""Writes small decoders of random weights to tests/data/decoders, and what llama.cpp's float
kernels say of them: NAME.gguf, and NAME.npy with the logits after each of the ids 3, 4, 5 ...

    tools/setup.sh build peers
    make_decoders.py [NAME ...]      needs gguf and numpy from PyPI, and node

Weights are float32, so that the peer rounds nothing to 8 bits. The matrices of those named after a
block type are of that type, and the peer has their decoded values as float32."""
import json
import os
import subprocess
import sys
import tempfile

import gguf
import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
FOLDER = os.path.join(HERE, "decoders")

VOCABULARY = 272
TOKENS = 48
CONTEXT = 64

GPT2 = {"fused": True, "gated": False, "positions": True, "norm_biases": True, "kv_heads": 4,
        "biases": ("attn_qkv", "attn_output", "ffn_up", "ffn_down")}
BIAS = {"biases": ("attn_q", "attn_k", "attn_v")}
HEAD_NORMS = {"head_norms": True}
YARN = {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0,
        "rope.scaling.original_context_length": 16}
EXPERTS = {"expert_count": 6, "expert_used_count": 2, "expert_feed_forward_length": 24}
# Experts of so large weights that gates are clamped.
GPT_OSS = {"biases": ("attn_q", "attn_k", "attn_v", "attn_output"), "experts": 6,
           "expert_scale": 1.5, "expert_biases": True, "sinks": True, "layers": 4,
           "second_norm": "post_attention_norm", "head_matrix": True}
WINDOWED = {"attention.sliding_window": 8, "attention.key_length": 8, "attention.value_length": 8}
FUSED = {"fused": True, "factors": True, "head": 12, "width": 48}
PHI3 = {"rope.dimension_count": 8, "rope.scaling.attn_factor": 1.2,
        "attention.sliding_window": 8}

# name: architecture, sizes that differ, hyperparameters
DECODERS = {
    "llama-yarn": ("llama", {}, YARN),
    "llama-divisors": ("llama", {"divisors": True}, {}),
    "qwen2": ("qwen2", BIAS, {"rope.freq_base": 1e6}),
    "qwen2-yarn": ("qwen2", BIAS, YARN),
    "qwen3": ("qwen3", HEAD_NORMS | {"head": 12}, {"attention.key_length": 12,
                                                   "attention.value_length": 12}),
    "gemma3": ("gemma3", HEAD_NORMS | {"layers": 7, "after": 1.0},
               {"attention.sliding_window": 8, "attention.key_length": 8,
                "attention.value_length": 8, "rope.scaling.type": "linear",
                "rope.scaling.factor": 2.0, "rope.freq_base": 1e6}),
    # Small caps, so that they bend what so small a network gives.
    "gemma2": ("gemma2", {"layers": 3, "after": 1.0},
               {"attention.sliding_window": 8, "attention.key_length": 8,
                "attention.value_length": 8, "attn_logit_softcapping": 2.0,
                "final_logit_softcapping": 15.0}),
    # As many layers as the 27B has, which alone tells how its queries are scaled; each adds little,
    # so that what the peer rounds does not grow over them.
    "gemma2-46": ("gemma2", {"layers": 46, "after": 0.1, "width": 8, "heads": 2, "kv_heads": 1,
                             "ffn": 8},
                  {"attention.sliding_window": 32, "attention.key_length": 8,
                   "attention.value_length": 8}),
    "phi3-short": ("phi3", FUSED, PHI3 | {"rope.scaling.original_context_length": 4096}),
    "phi3-long": ("phi3", FUSED, PHI3 | {"rope.scaling.original_context_length": 32,
                                         "rope.scaling.type": "longrope"}),
    "phi3-q8_0": ("phi3", {"fused": True, "type": "q8_0"}, {}),
    "gpt2": ("gpt2", GPT2, {"attention.layer_norm_epsilon": 1e-5}),
    "gpt2-q4_0": ("gpt2", GPT2 | {"type": "q4_0", "head_matrix": True},
                  {"attention.layer_norm_epsilon": 1e-5}),
    "qwen3moe": ("qwen3moe", HEAD_NORMS | {"experts": 6, "expert_ffn": 24}, EXPERTS),
    # Without its own key, the width of one expert is that of all of a token's over their number.
    "qwen3moe-q4_0": ("qwen3moe", HEAD_NORMS | {"type": "q4_0", "experts": 5, "expert_ffn": 32},
                      {"expert_count": 5, "expert_used_count": 2}),
    # Blocks that no GPU kernel takes.
    "qwen3moe-mxfp4": ("qwen3moe", HEAD_NORMS | {"type": "mxfp4", "experts": 4, "expert_ffn": 32},
                       {"expert_count": 4, "expert_used_count": 2}),
    "gpt-oss": ("gpt-oss", GPT_OSS | {"expert_ffn": 24}, EXPERTS | WINDOWED | YARN),
    "gpt-oss-mxfp4": ("gpt-oss", GPT_OSS | {"expert_ffn": 32, "expert_type": "mxfp4"},
                      EXPERTS | WINDOWED | {"expert_feed_forward_length": 32}),
    "starcoder2": ("starcoder2",
                   {"gated": False, "norm_biases": True,
                    "biases": ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_up", "ffn_down")},
                   {"attention.layer_norm_epsilon": 1e-5}),
}


def tokens():
    """SentencePiece's shape: three specials, the bytes, letters."""
    kinds = gguf.TokenType
    rows = [("<unk>", kinds.UNKNOWN), ("<s>", kinds.CONTROL), ("</s>", kinds.CONTROL)]
    rows += [(f"<0x{byte:02X}>", kinds.BYTE) for byte in range(256)]
    while len(rows) < VOCABULARY:
        rows.append((chr(ord("a") + len(rows) - 259), kinds.NORMAL))
    return rows


def add_hyperparameters(out, name, size, more):
    def add(key, value):
        full = f"{name}.{key}"
        if isinstance(value, str):
            out.add_string(full, value)
        elif isinstance(value, float):
            out.add_float32(full, value)
        else:
            out.add_uint32(full, value)
    usual = {"block_count": size["layers"], "context_length": CONTEXT,
             "embedding_length": size["width"], "feed_forward_length": size["ffn"],
             "attention.head_count": size["heads"], "attention.head_count_kv": size["kv_heads"],
             "attention.layer_norm_rms_epsilon": 1e-5, "rope.dimension_count": size["head"]}
    for key, value in (usual | more).items():
        add(key, value)


def add_tokenizer(out):
    rows = tokens()
    out.add_tokenizer_model("llama")
    out.add_token_list([text for text, _ in rows])
    out.add_token_scores([0.0] * len(rows))
    out.add_token_types([int(kind) for _, kind in rows])
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)


def add_matrix(out, name, values, size):
    kind = size.get("expert_type" if "_exps." in name else "type")
    if kind is None:
        out.add_tensor(name, values)
        return
    kind = gguf.GGMLQuantizationType[kind.upper()]
    blocks = gguf.quants.quantize(values, kind)
    if size["decoded"]:
        out.add_tensor(name, gguf.quants.dequantize(blocks, kind))
    else:
        out.add_tensor(name, blocks, raw_dtype=kind)


def add_layer(out, blk, size, draw):
    width, q, kv = size["width"], size["heads"] * size["head"], size["kv_heads"] * size["head"]
    linear = {"attn_q": (q, width), "attn_k": (kv, width), "attn_v": (kv, width),
              "attn_output": (width, q), "ffn_gate": (size["ffn"], width),
              "ffn_up": (size["ffn"], width), "ffn_down": (width, size["ffn"])}
    if size.get("fused"):
        linear["attn_qkv"] = (q + 2 * kv, width)
        for name in ("attn_q", "attn_k", "attn_v", "ffn_gate"):
            del linear[name]
        if size.get("gated", True):
            linear["ffn_up"] = (2 * size["ffn"], width)
    elif not size.get("gated", True):
        del linear["ffn_gate"]
    if "experts" in size:
        ffn, count = size["expert_ffn"], size["experts"]
        linear |= {"ffn_gate_exps": (count, ffn, width), "ffn_up_exps": (count, ffn, width),
                   "ffn_down_exps": (count, width, ffn)}
        for name in ("ffn_gate", "ffn_up", "ffn_down"):
            del linear[name]
        out.add_tensor(f"{blk}.ffn_gate_inp.weight", draw((count, width), 0.25))
        if size.get("expert_biases"):
            out.add_tensor(f"{blk}.ffn_gate_inp.bias", draw((count,), 1.0))
    if size.get("sinks"):
        out.add_tensor(f"{blk}.attn_sinks.weight", draw((size["heads"],), 2.0))
    for name, shape in linear.items():
        scale = size.get("expert_scale", 0.25) if name in ("ffn_gate_exps", "ffn_up_exps") else 0.25
        add_matrix(out, f"{blk}.{name}.weight", draw(shape, scale), size)
        if name.endswith("_exps") and size.get("expert_biases"):
            out.add_tensor(f"{blk}.{name}.bias", draw(shape[:2], 1.0))
        if name in size.get("biases", ()):
            out.add_tensor(f"{blk}.{name}.bias", draw(shape[:1], 1.0))
    norms = {"attn_norm": 1.0, size.get("second_norm", "ffn_norm"): 1.0}
    if size.get("after"):
        norms |= {"post_attention_norm": size["after"], "post_ffw_norm": size["after"]}
    for name, scale in norms.items():
        weight = (1 + draw((width,), 0.2)) * numpy.float32(scale)
        out.add_tensor(f"{blk}.{name}.weight", weight)
        if size.get("norm_biases"):
            out.add_tensor(f"{blk}.{name}.bias", draw((width,), 0.2))
    if size.get("head_norms"):
        for name in ("attn_q_norm", "attn_k_norm"):
            out.add_tensor(f"{blk}.{name}.weight", 1 + draw((size["head"],), 0.2))


def write(path, name, seed, decoded=False):
    architecture, sizes, more = DECODERS[name]
    size = {"layers": 2, "width": 32, "heads": 4, "kv_heads": 2, "head": 8, "ffn": 48} | sizes
    size["decoded"] = decoded
    if "type" in size:
        size["ffn"] = 64  # whole blocks
    random = numpy.random.default_rng(seed)

    def draw(shape, scale):
        return (random.standard_normal(shape) * scale).astype(numpy.float32)
    out = gguf.GGUFWriter(path, architecture)
    add_hyperparameters(out, architecture, size, more)
    add_tokenizer(out)
    out.add_tensor("token_embd.weight", draw((VOCABULARY, size["width"]), 1.0))
    for layer in range(size["layers"]):
        add_layer(out, f"blk.{layer}", size, draw)
    out.add_tensor("output_norm.weight", 1 + draw((size["width"],), 0.2))
    if size.get("norm_biases"):
        out.add_tensor("output_norm.bias", draw((size["width"],), 0.2))
    if size.get("positions"):
        out.add_tensor("position_embd.weight", draw((CONTEXT, size["width"]), 1.0))
    if size.get("head_matrix"):
        add_matrix(out, "output.weight", draw((VOCABULARY, size["width"]), 0.25), size)
    if size.get("factors"):
        for name, most in (("short", 2.0), ("long", 8.0)):
            out.add_tensor(f"rope_factors_{name}.weight",
                           numpy.linspace(1.0, most, 4, dtype=numpy.float32))
    if size.get("divisors"):
        out.add_tensor("rope_freqs.weight",
                       numpy.array([1.0, 1.5, 4.0, 8.0], dtype=numpy.float32))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def logits(path):
    with tempfile.TemporaryDirectory() as folder:
        ids, out = os.path.join(folder, "ids.json"), os.path.join(folder, "out.json")
        with open(ids, "w", encoding="utf8") as file:
            json.dump(list(range(3, 3 + TOKENS)), file)
        subprocess.run(["node", "bench/peers/llama_logits.mjs", path, ids, out], cwd=ROOT,
                       check=True)
        with open(out, encoding="utf8") as file:
            return numpy.array(json.load(file), dtype=numpy.float32)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for seed, name in enumerate(DECODERS):
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        path = os.path.abspath(os.path.join(FOLDER, name + ".gguf"))
        write(path, name, seed + 1)
        with tempfile.TemporaryDirectory() as folder:
            decoded = os.path.join(folder, "decoded.gguf")
            write(decoded, name, seed + 1, decoded=True)
            numpy.save(os.path.join(FOLDER, name + ".npy"), logits(decoded))
        print(name)


if __name__ == "__main__":
    main()
