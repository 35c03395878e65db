#!/usr/bin/env python3
"""Writes small encoders of random weights to tests/data/embedders, and what llama.cpp's float
kernels make of texts: NAME.gguf, and NAME.json with a list of {"text", "ids", "embedding"}; the
latter of some of make_decoders.py's files too, by their last tokens.

    tools/setup.sh build peers
    make_embedders.py [NAME ...]     needs gguf and numpy from PyPI, and node

Weights are float32, so that the peer rounds nothing to 8 bits."""
import json
import os
import subprocess
import sys
import tempfile

import gguf
import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
FOLDER = os.path.join(HERE, "embedders")

WIDTH, HEADS, FFN, LAYERS, CONTEXT = 32, 4, 48, 3, 64
LETTERS = "abcdefghijklmnopqrstuvwxyz"
TEXTS = ["a", "the cat sat", "the dog sat on the cat", "zebra, quick!",
         "one two three four five six seven"]

# name: architecture, pooling, what else
EMBEDDERS = {
    "bert-mean": ("bert", "MEAN", {}),
    "bert-cls": ("bert", "CLS", {"fused": True}),
    "nomic-bert": ("nomic-bert", "MEAN", {"fused": True, "gated": True}),
}

DECODERS = ["qwen2", "gemma2"]


def add_tokenizer(out):
    """BERT's word pieces: words begin with U+2581, what goes on with one does not."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = ["the", "cat", "dog", "sat", "on", "one", "two", ",", "!"]
    pieces = special + ["\u2581" + word for word in words + list(LETTERS)] + list(LETTERS)
    kinds = gguf.TokenType
    out.add_tokenizer_model("bert")
    out.add_tokenizer_pre("default")
    out.add_token_list(pieces)
    out.add_token_types([int(kinds.CONTROL if i < len(special) else kinds.NORMAL)
                         for i in range(len(pieces))])
    out.add_token_type_count(2)
    out.add_pad_token_id(0)
    out.add_unk_token_id(1)
    out.add_bos_token_id(2)  # [CLS]
    out.add_sep_token_id(3)
    out.add_mask_token_id(4)
    return len(pieces)


def write(path, name, seed):
    architecture, pooling, how = EMBEDDERS[name]
    random = numpy.random.default_rng(seed)
    out = gguf.GGUFWriter(path, architecture)

    def tensor(name, shape, scale, base=0.0):
        values = base + random.standard_normal(shape) * scale
        out.add_tensor(name, values.astype(numpy.float32))

    def norm(name):
        tensor(name + ".weight", WIDTH, 0.2, 1.0)
        tensor(name + ".bias", WIDTH, 0.2)

    def linear(name, outputs, inputs, bias):
        tensor(name + ".weight", (outputs, inputs), 0.3)
        if bias:
            tensor(name + ".bias", outputs, 0.5)

    out.add_block_count(LAYERS)
    out.add_context_length(CONTEXT)
    out.add_embedding_length(WIDTH)
    out.add_feed_forward_length(FFN)
    out.add_head_count(HEADS)
    out.add_layer_norm_eps(1e-12)
    out.add_causal_attention(False)
    out.add_pooling_type(gguf.PoolingType[pooling])
    gated = how.get("gated", False)
    if gated:
        out.add_rope_freq_base(1000.0)
    tensor("token_embd.weight", (add_tokenizer(out), WIDTH), 1.0)
    tensor("token_types.weight", (2, WIDTH), 1.0)
    if not gated:
        tensor("position_embd.weight", (CONTEXT, WIDTH), 1.0)
    norm("token_embd_norm")
    for layer in range(LAYERS):
        blk = f"blk.{layer}."
        if how.get("fused"):
            linear(blk + "attn_qkv", 3 * WIDTH, WIDTH, not gated)
        else:
            for part in "qkv":
                linear(f"{blk}attn_{part}", WIDTH, WIDTH, True)
        linear(blk + "attn_output", WIDTH, WIDTH, not gated)
        norm(blk + "attn_output_norm")
        linear(blk + "ffn_up", FFN, WIDTH, not gated)
        if gated:
            linear(blk + "ffn_gate", FFN, WIDTH, False)
        linear(blk + "ffn_down", WIDTH, FFN, not gated)
        norm(blk + "layer_output_norm")
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def embeddings(path):
    with tempfile.TemporaryDirectory() as folder:
        texts, out = os.path.join(folder, "texts.json"), os.path.join(folder, "out.json")
        with open(texts, "w", encoding="utf8") as file:
            json.dump(TEXTS, file)
        subprocess.run(["node", "bench/peers/llama_embed.mjs", path, texts, out], cwd=ROOT,
                       check=True)
        with open(out, encoding="utf8") as file:
            return json.load(file)


def save(name, path):
    rows = [{"text": text} | row for text, row in zip(TEXTS, embeddings(path))]
    with open(os.path.join(FOLDER, name + ".json"), "w", encoding="utf8") as file:
        file.write("[" + ",\n".join(json.dumps(row) for row in rows) + "]\n")
    print(name)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    wanted = sys.argv[1:]
    for seed, name in enumerate(EMBEDDERS):
        if wanted and name not in wanted:
            continue
        path = os.path.abspath(os.path.join(FOLDER, name + ".gguf"))
        write(path, name, seed + 1)
        save(name, path)
    for name in DECODERS:
        if wanted and "decoder-" + name not in wanted:
            continue
        save("decoder-" + name, os.path.abspath(os.path.join(HERE, "decoders", name + ".gguf")))


if __name__ == "__main__":
    main()
