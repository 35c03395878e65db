#!/usr/bin/env python3
"""Writes tests/data/onnx_decoders: small decoders of random weights as ONNX files with their past
as inputs, in the forms that onnxruntime-genai, Olive and optimum export, each in a folder of its
own with what onnxruntime 1.30 (CPU) makes of it: ids.npy, a prompt of 7 ids and the 40 that follow
greedily, and logits.npy, from which each of the 40 was chosen.

    python3 tests/data/make_onnx_decoders.py

Needs onnx and onnxruntime. Weights of 4 bits are packed here, by MatMulNBits' own definition.
"""
import json
import os
import shutil

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper, save

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "onnx_decoders")
PROMPT = [3, 17, 200, 41, 5, 99, 7]
STEPS = 40
VOCABULARY, WIDTH, FED, LAYERS, HEADS, CONTEXT = 272, 64, 96, 2, 4, 64
SIZE = WIDTH // HEADS
F, I64 = TensorProto.FLOAT, TensorProto.INT64
M = "com.microsoft"


class Model:
    def __init__(self, seed, kv_heads):
        self.rng = np.random.default_rng(seed)
        self.kv_heads = kv_heads
        self.nodes, self.weights, self.count = [], [], 0

    def weight(self, array, name=None):
        name = name or f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def random(self, *shape, scale=1.0):
        return (self.rng.standard_normal(shape) * scale).astype(np.float32)

    def add(self, op, inputs, outputs=1, domain="", name=None, **attributes):
        made = outputs
        if isinstance(outputs, int):
            made = [f"v{self.count + i}" for i in range(outputs)]
        self.count += len(made)
        self.nodes.append(helper.make_node(op, inputs, made, domain=domain, name=name or made[0],
                                           **attributes))
        return made[0] if len(made) == 1 else made

    def norm_weight(self):
        return self.weight(1 + self.random(WIDTH, scale=0.1))

    def ints(self, *values):
        return self.weight(np.array(values, np.int64))

    def linear(self, x, outputs, inputs, block=32, zeros=False, scale=1.5, bits=4):
        """x @ w^T with w of 4 bits, one scale for `block` of k."""
        w = self.random(outputs, inputs // block, block, scale=scale / np.sqrt(inputs))
        half = 2 ** (bits - 1)
        if zeros:
            low, high = w.min(2), w.max(2)
            scales = (high - low) / (2 * half - 1)
            points = np.clip(np.round(-low / scales), 0, 2 * half - 1)
        else:
            scales = np.abs(w).max(2) / half
            points = np.full(scales.shape, half)
        codes = np.clip(np.round(w / scales[:, :, None]) + points[:, :, None], 0, 2 * half - 1)
        codes = codes.astype(np.uint8)
        points = points.astype(np.uint8)
        if bits == 4:
            codes = codes[:, :, ::2] | codes[:, :, 1::2] << 4
            if points.shape[1] % 2:
                points = np.pad(points, ((0, 0), (0, 1)))
            points = points[:, ::2] | points[:, 1::2] << 4
        operands = [x, self.weight(codes), self.weight(scales.astype(np.float32))]
        if zeros:
            operands.append(self.weight(points))
        return self.add("MatMulNBits", operands, domain=M, K=inputs, N=outputs, bits=bits,
                        block_size=block)

    def dense(self, x, outputs, inputs, bias=False):
        y = self.add("MatMul", [x, self.weight(self.random(inputs, outputs,
                                                           scale=1.5 / np.sqrt(inputs)))])
        return self.add("Add", [y, self.weight(self.random(outputs, scale=0.1))]) if bias else y

    def rotary(self):
        angles = np.arange(CONTEXT)[:, None] * 100.0 ** (-np.arange(SIZE // 2) / (SIZE // 2))[None]
        return [self.weight(np.cos(angles).astype(np.float32), "cos_cache"),
                self.weight(np.sin(angles).astype(np.float32), "sin_cache")]

    def lengths(self):
        """seqlens_k and total_sequence_length, as genai's builder has them made of the mask."""
        one = self.weight(np.array([1], np.int64))
        summed = self.add("ReduceSum", ["attention_mask", one])
        last = self.add("Cast", [self.add("Sub", [summed, one])], to=TensorProto.INT32)
        shape = self.add("Shape", ["attention_mask"])
        total = self.add("Gather", [shape, self.weight(np.array(1, np.int64))])
        return [last, self.add("Cast", [total], to=TensorProto.INT32)]

    def pasts(self, layer):
        return [f"past_key_values.{layer}.{part}" for part in ("key", "value")]

    def presents(self, layer):
        return [f"present.{layer}.{part}" for part in ("key", "value")]

    def save(self, name, positions, config=None):
        tokens = ["batch_size", "sequence_length"]
        value = helper.make_tensor_value_info
        inputs = [value("input_ids", I64, tokens),
                  value("attention_mask", I64, ["batch_size", "total_sequence_length"])]
        if positions:
            inputs.append(value("position_ids", I64, tokens))
        outputs = [value("logits", F, [*tokens, VOCABULARY])]
        for layer in range(LAYERS):
            for past in self.pasts(layer):
                inputs.append(value(past, F, ["batch_size", self.kv_heads, "past_sequence_length",
                                              SIZE]))
            for present in self.presents(layer):
                outputs.append(value(present, F, ["batch_size", self.kv_heads,
                                                  "total_sequence_length", SIZE]))
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23),
                                                        helper.make_opsetid(M, 1)])
        model.ir_version = 10
        folder = os.path.join(OUT, name)
        os.makedirs(folder)
        path = os.path.join(folder, "model.onnx")
        save(model, path)
        for file, content in (config or {}).items():
            with open(os.path.join(folder, file), "w") as out:
                json.dump(content, out, indent=1)
        self.run(folder, positions)

    def run(self, folder, positions):
        session = onnxruntime.InferenceSession(os.path.join(folder, "model.onnx"),
                                               providers=["CPUExecutionProvider"])
        caches = {past: np.zeros((1, self.kv_heads, 0, SIZE), np.float32)
                  for layer in range(LAYERS) for past in self.pasts(layer)}
        ids, rows, fed = list(PROMPT), [], 0
        while len(ids) < len(PROMPT) + STEPS:
            given = {"input_ids": np.array([ids[fed:]], np.int64),
                     "attention_mask": np.ones((1, len(ids)), np.int64), **caches}
            if positions:
                given["position_ids"] = np.arange(fed, len(ids), dtype=np.int64)[None]
            logits, *presents = session.run(None, given)
            caches = dict(zip(caches, presents))
            fed = len(ids)
            rows.append(logits[0, -1])
            ids.append(int(rows[-1].argmax()))
        np.save(os.path.join(folder, "ids.npy"), np.array(ids, np.int64))
        np.save(os.path.join(folder, "logits.npy"), np.array(rows))
        print(os.path.basename(folder), len(set(ids)), "ids of", len(ids))


def tokenizer():
    """A byte a token from id 3 on, in GPT-2's letters for bytes, and one token of two."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in plain]
    letters = {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(others)}
    special = ["<unk>", "<s>", "</s>", *(f"<extra_{i}>" for i in range(VOCABULARY - 260))]
    ids = [0, 1, 2, *range(260, VOCABULARY)]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
             "use_regex": True}
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [{"id": i, "content": s, "single_word": False, "lstrip": False,
                              "rstrip": False, "normalized": False, "special": True}
                             for i, s in zip(ids, special)],
            "normalizer": None, "pre_tokenizer": level, "post_processor": None, "decoder": level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None,
                      "continuing_subword_prefix": None, "end_of_word_suffix": None,
                      "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": {letters[b]: b + 3 for b in range(256)} | {"er": 259} |
                      dict(zip(special, ids)),
                      "merges": ["e r"]}}


def blocks(name, *, packed=False, turned_inside=True, window=None, sinks=False, **quantized):
    """What genai's model builder makes of a Llama, a Qwen 2 or a gpt-oss."""
    m = Model(len(name), 2)
    lengths = m.lengths()
    tables = m.rotary()
    x = m.add("Gather", [m.weight(m.random(VOCABULARY, WIDTH)), "input_ids"])
    normed = m.add("SimplifiedLayerNormalization", [x, m.norm_weight()], axis=-1, epsilon=1e-5)
    for layer in range(LAYERS):
        wide = [HEADS * SIZE, m.kv_heads * SIZE, m.kv_heads * SIZE]
        if packed:
            rows = [m.linear(normed, sum(wide), WIDTH, **quantized), "", ""]
        else:
            rows = [m.linear(normed, n, WIDTH, **quantized) for n in wide]
        if not turned_inside:
            rows[:2] = [m.add("RotaryEmbedding", [r, "position_ids", *tables], domain=M)
                        for r in rows[:2]]
        operands = [*rows, *m.pasts(layer), *lengths, *(tables if turned_inside else ["", ""])]
        if sinks:
            operands += ["", "", m.weight(m.random(HEADS))]
        mixed, *_ = m.add("GroupQueryAttention", operands, [f"mixed.{layer}", *m.presents(layer)],
                          domain=M, num_heads=HEADS, kv_num_heads=m.kv_heads,
                          do_rotary=int(turned_inside), scale=SIZE ** -0.5,
                          local_window_size=window[layer] if window else -1)
        branch = m.linear(mixed, WIDTH, HEADS * SIZE, **quantized)
        normed, _, _, x = m.add("SkipSimplifiedLayerNormalization", [x, branch, m.norm_weight()], [
            f"n{layer}", "", "", f"x{layer}"], domain=M, epsilon=1e-5)
        gate = m.linear(normed, FED, WIDTH, **quantized)
        up = m.linear(normed, FED, WIDTH, **quantized)
        gate = m.add("Mul", [gate, m.add("Sigmoid", [gate])])
        branch = m.linear(m.add("Mul", [gate, up]), WIDTH, FED, **quantized)
        normed, _, _, x = m.add("SkipSimplifiedLayerNormalization", [x, branch, m.norm_weight()], [
            f"m{layer}", "", "", f"y{layer}"], domain=M, epsilon=1e-5)
    y = m.linear(normed, VOCABULARY, WIDTH, scale=3, **quantized)
    m.add("Identity", [y], ["logits"])
    genai = {"model": {"context_length": CONTEXT, "eos_token_id": [2, 271],
                       "vocab_size": VOCABULARY, "type": "llama", "decoder": {
                           "filename": "model.onnx", "head_size": SIZE, "num_hidden_layers": LAYERS,
                           "num_key_value_heads": m.kv_heads,
                           "inputs": {"input_ids": "input_ids", "attention_mask": "attention_mask",
                                      "past_key_names": "past_key_values.%d.key"},
                           "outputs": {"logits": "logits"}}}}
    beside = {"genai_config.json": genai} if turned_inside else {
        "config.json": {"max_position_embeddings": 48, "eos_token_id": 2}}
    if packed:
        beside |= {"tokenizer.json": tokenizer(),
                   "tokenizer_config.json": {"chat_template": "{{ messages[0].content }}>"}}
    m.save(name, not turned_inside, beside)


def gpt(name, standard):
    """A GPT-2 by MultiHeadAttention, or by ONNX's own Attention."""
    m = Model(len(name), HEADS)
    words = m.add("Gather", [m.weight(m.random(VOCABULARY, WIDTH)), "input_ids"])
    places = m.add("Gather", [m.weight(m.random(CONTEXT, WIDTH)), "position_ids"])
    x = m.add("Add", [words, places])
    mask = m.add("Cast", ["attention_mask"], to=TensorProto.INT32)

    def norm(x):
        bias = m.weight(m.random(WIDTH, scale=0.1))
        return m.add("LayerNormalization", [x, m.norm_weight(), bias], axis=-1)

    for layer in range(LAYERS):
        normed = norm(x)
        qkv = m.dense(normed, 3 * WIDTH, WIDTH, bias=standard)
        rows = m.add("Split", [qkv, m.ints(WIDTH, WIDTH, WIDTH)], 3, axis=-1)
        made = [f"mixed.{layer}", *m.presents(layer)]
        if standard:
            shape = m.ints(0, 0, HEADS, SIZE)
            heads = [m.add("Transpose", [m.add("Reshape", [r, shape])], perm=[0, 2, 1, 3])
                     for r in rows]
            mixed = m.add("Attention", [*heads, "", *m.pasts(layer)], made, is_causal=1)[0]
            mixed = m.add("Transpose", [mixed], perm=[0, 2, 1, 3])
            mixed = m.add("Reshape", [mixed, m.ints(0, 0, WIDTH)])
        else:
            bias = m.weight(m.random(3 * WIDTH, scale=0.1))
            mixed = m.add("MultiHeadAttention", [*rows, bias, mask, "", *m.pasts(layer)], made,
                          domain=M, num_heads=HEADS, unidirectional=1)[0]
        x = m.add("Add", [x, m.dense(mixed, WIDTH, WIDTH, bias=True)])
        fed = m.add("Gelu", [m.dense(norm(x), FED, WIDTH, bias=True)], approximate="tanh")
        x = m.add("Add", [x, m.dense(fed, WIDTH, FED, bias=True)])
    head = m.add("MatMul", [norm(x), m.weight(m.random(WIDTH, VOCABULARY, scale=3 / 8))])
    m.add("Identity", [head], ["logits"])
    m.save(name, True)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    blocks("llama-packed", packed=True)
    blocks("llama-zeros", zeros=True)
    blocks("qwen2", turned_inside=False, block=16, zeros=True)
    blocks("windows", window=[8, -1], sinks=True, bits=8)
    gpt("gpt2-heads", False)
    gpt("gpt2-attention", True)


if __name__ == "__main__":
    main()
