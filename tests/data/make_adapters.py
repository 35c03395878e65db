#!/usr/bin/env python3
"""Writes low-rank adapters of random weights for the decoders of tests/data/decoders to
tests/data/adapters, and what llama.cpp's float kernels say with them: NAME.a.gguf, NAME.b.gguf,
and NAME.a.npy (.b, .ab: both at once, b half) with the logits after each of the ids 3, 4, 5 ...
NAME.peft is adapter a as PEFT saves it.

    tools/setup.sh build peers
    make_adapters.py [NAME ...]      needs gguf, numpy and safetensors from PyPI, and node"""
import json
import os
import subprocess
import sys
import tempfile

import gguf
import numpy
import safetensors.numpy

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
FOLDER = os.path.join(HERE, "adapters")
DECODERS = os.path.join(HERE, "decoders")
TOKENS = 48
# name: architecture, heads, kv_heads, whether turned pairs are neighbours in GGUF's rows, PEFT too
BASES = {
    "llama-divisors": ("llama", 4, 2, True, True),
    "qwen2": ("qwen2", 4, 2, False, True),
    "phi3-short": ("phi3", 4, 2, False, True),
    "gpt2": ("gpt2", 4, 4, False, False),
    "gpt-oss": ("gpt-oss", 4, 2, False, False),
    "stories260K": ("llama", 8, 4, True, True),
}
# Not of tests/data/decoders, but under $POLARIS_SHARED.
SHARED = {"stories260K": "models/gguf/stories260K/stories260K-f32.gguf"}
# By what adapter a changes; b leaves some out, and has other ranks.
MODULES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
           "attn_output": "self_attn.o_proj", "attn_qkv": "self_attn.qkv_proj",
           "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
           "ffn_gate_inp": "mlp.gate"}
RANKS = {"attn_k": 2}


def halves_apart(b, heads):
    """Rows as transformers has them, of rows as GGUF has them: the inverse of its `permute`."""
    return b.reshape(heads, b.shape[0] // heads // 2, 2, -1).swapaxes(1, 2).reshape(b.shape)


def write_gguf(path, architecture, pairs, alpha):
    out = gguf.GGUFWriter(path, architecture)
    out.add_string("general.type", "adapter")
    out.add_string("adapter.type", "lora")
    out.add_float32("adapter.lora.alpha", alpha)
    for name, (a, b) in pairs.items():
        out.add_tensor(f"{name}.lora_a", a)
        out.add_tensor(f"{name}.lora_b", b)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def write_peft(folder, base, pairs, alpha):
    """The same numbers by other names. Ranks that differ stand in rank_pattern."""
    _, heads, kv_heads, neighbours, _ = BASES[base]
    os.makedirs(folder, exist_ok=True)
    tensors = {}
    for name, (a, b) in pairs.items():
        if name == "output.weight":
            module = "lm_head"
        else:
            _, layer, matrix, _ = name.split(".")
            module = f"model.layers.{layer}.{MODULES[matrix]}"
            if base.startswith("phi3") and matrix == "ffn_up":
                module = module.replace("up_proj", "gate_up_proj")
            if neighbours and matrix in ("attn_q", "attn_k"):
                b = halves_apart(b, heads if matrix == "attn_q" else kv_heads)
        tensors[f"base_model.model.{module}.lora_A.weight"] = a
        tensors[f"base_model.model.{module}.lora_B.weight"] = numpy.ascontiguousarray(b)
    safetensors.numpy.save_file(tensors, os.path.join(folder, "adapter_model.safetensors"),
                                metadata={"format": "pt"})
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, "lora_alpha": alpha,
              "bias": "none", "use_dora": False, "use_rslora": False, "fan_in_fan_out": False,
              "modules_to_save": None, "layer_replication": None, "init_lora_weights": True,
              "rank_pattern": {"k_proj": 2}, "alpha_pattern": {},
              "target_modules": sorted({n.split(".")[-3] for n in tensors}), "lora_dropout": 0.0}
    with open(os.path.join(folder, "adapter_config.json"), "w", encoding="utf8") as file:
        json.dump(config, file, indent=1)
        file.write("\n")


def make_pairs(path, seed, leave_out, rank, scale):
    """For every linear layer of the base that takes adapters."""
    random = numpy.random.default_rng(seed)
    out = {}
    for tensor in gguf.GGUFReader(path).tensors:
        matrix = tensor.name.split(".")[-2]
        takes = matrix in MODULES or tensor.name == "output.weight"
        if not takes or not tensor.name.endswith(".weight"):
            continue
        inputs, outputs = (int(n) for n in tensor.shape)
        if matrix in leave_out:
            continue
        r = RANKS.get(matrix, rank)
        a = random.standard_normal((r, inputs)) / numpy.sqrt(inputs)
        b = random.standard_normal((outputs, r)) * scale
        out[tensor.name] = (a.astype(numpy.float32), b.astype(numpy.float32))
    return out


def logits(base, loras):
    with tempfile.TemporaryDirectory() as folder:
        ids, out = os.path.join(folder, "ids.json"), os.path.join(folder, "out.json")
        with open(ids, "w", encoding="utf8") as file:
            json.dump(list(range(3, 3 + TOKENS)), file)
        subprocess.run(["node", "bench/peers/llama_logits.mjs", base, ids, out, *loras], cwd=ROOT,
                       check=True)
        with open(out, encoding="utf8") as file:
            return numpy.array(json.load(file), dtype=numpy.float32)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for seed, (name, (architecture, _, _, _, peft)) in enumerate(BASES.items()):
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        base = os.path.abspath(os.path.join(DECODERS, name + ".gguf"))
        if name in SHARED:
            base = os.path.join(os.environ["POLARIS_SHARED"], SHARED[name])
        path = os.path.abspath(os.path.join(FOLDER, name))
        # What the peer rounds in its cache grows in layers of large experts.
        scale = 0.05 if name == "gpt-oss" else 0.15
        a = make_pairs(base, 2 * seed + 100, (), 4, scale)
        b = make_pairs(base, 2 * seed + 101, ("attn_v", "ffn_up"), 7, scale)
        write_gguf(path + ".a.gguf", architecture, a, 6.0)
        write_gguf(path + ".b.gguf", architecture, b, 7.0)
        if peft:
            write_peft(path + ".peft", name, a, 6.0)
        base_alone = logits(base, [])
        for what, loras in (("a", [f"{path}.a.gguf=1"]), ("b", [f"{path}.b.gguf=1"]),
                            ("ab", [f"{path}.a.gguf=1", f"{path}.b.gguf=0.5"])):
            got = logits(base, loras)
            print(name, what, "moves logits by", numpy.abs(got - base_alone).max(), "of",
                  numpy.abs(base_alone).max())
            numpy.save(f"{path}.{what}.npy", got)


if __name__ == "__main__":
    main()
