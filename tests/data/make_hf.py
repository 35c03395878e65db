#!/usr/bin/env python3
"""Writes small models of random weights as Transformers saves them to tests/data/hf, and what
Transformers says of them in float32: NAME/config.json, model.safetensors ...; of decoders NAME.npy
with the logits after each of the ids 3, 4, 5 ..., of encoders NAME.json with a list of {"text",
"ids", "embedding"}.

    make_hf.py [NAME ...]     needs torch, transformers and numpy from PyPI"""
import json
import os
import shutil
import sys

import numpy
import torch
import transformers

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "hf")

VOCABULARY = 272
TOKENS = 48
TEXTS = ["a", "the cat sat", "the dog sat on the cat", "zebra, quick!",
         "one two three four five six seven"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"

COMMON = {"vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 48,
          "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
          "max_position_embeddings": 64, "tie_word_embeddings": False,
          "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16,
        "rope_theta": 10000.0}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 16, "rope_theta": 500000.0}
GEMMA = {"head_dim": 8, "sliding_window": 8, "query_pre_attn_scalar": 16,
         "tie_word_embeddings": True}
GPT2 = {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64,
        "bos_token_id": 1, "eos_token_id": 2}
LONG = {"rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 16,
        "short_factor": [1.0 + 0.1 * i for i in range(4)],
        "long_factor": [1.5 + 0.5 * i for i in range(4)]}

# name: model type, what differs, how it is saved
DECODERS = {
    "llama": ("llama", {"rope_parameters": LLAMA3}, {}),
    "llama-bf16": ("llama", {"attention_bias": True, "mlp_bias": True,
                             "tie_word_embeddings": True}, {"dtype": torch.bfloat16}),
    "llama-sharded": ("llama", {"head_dim": 12, "rope_parameters":
                                {"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}},
                      {"max_shard_size": "24KB"}),
    "mistral": ("mistral", {"sliding_window": 8}, {"dtype": torch.float16}),
    "qwen2": ("qwen2", {"rope_parameters": YARN}, {}),
    "qwen3": ("qwen3", {"head_dim": 12, "tie_word_embeddings": True}, {}),
    "gemma2": ("gemma2", GEMMA | {"num_hidden_layers": 3, "attn_logit_softcapping": 2.0,
                                  "final_logit_softcapping": 15.0}, {}),
    "gemma3": ("gemma3_text", GEMMA | {"num_hidden_layers": 7, "intermediate_size": 16,
                                       "rope_parameters": {
        "full_attention": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}}, {}),
    "phi3": ("phi3", {"sliding_window": 8, "rope_parameters":
                      {"rope_type": "default", "rope_theta": 10000.0}}, {}),
    "phi3-long": ("phi3", {"rope_parameters": LONG}, {}),
    "gpt2": ("gpt2", None, {}),
    "starcoder2": ("starcoder2", {"sliding_window": 8}, {}),
}

BERT = {"vocab_size": 0, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3,
        "num_attention_heads": 4, "max_position_embeddings": 64, "type_vocab_size": 2}
# name: model type, configuration, pooling
ENCODERS = {
    "bert": ("bert", BERT, "mean_tokens"),
    "distilbert": ("distilbert", {"vocab_size": 0, "dim": 32, "hidden_dim": 48, "n_layers": 3,
                                  "n_heads": 4, "max_position_embeddings": 64}, "cls_token"),
    "roberta": ("roberta", BERT | {"type_vocab_size": 1, "max_position_embeddings": 66,
                                   "pad_token_id": 1}, "mean_tokens"),
}


def randomize(model, seed):
    """Weights, norms and biases that all tell."""
    generator = torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape, generator=generator)
        if weight.dim() > 1:
            weight.data = noise * (1.0 / weight.shape[-1] ** 0.5)
        elif "norm" in name.lower() or "ln_" in name:
            weight.data = weight.data + 0.1 * noise
        else:
            weight.data = 0.2 * noise
    for name, weight in model.named_parameters():
        if "embed" in name or "wte" in name or "wpe" in name:
            weight.data = weight.data * 2.0


def save(model, folder, how):
    shutil.rmtree(folder, ignore_errors=True)
    model = model.to(how.get("dtype", torch.float32))
    arguments = {"max_shard_size": how["max_shard_size"]} if "max_shard_size" in how else {}
    model.save_pretrained(folder, **arguments)
    # The values that the file has, and tables of angles that no conversion has rounded.
    return type(model).from_pretrained(folder, dtype=torch.float32,
                                       attn_implementation="eager").eval()


def byte_letters():
    plain = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b]
    odd = [b for b in range(256) if b not in plain]
    table = {b: chr(b) for b in plain}
    table.update({b: chr(256 + i) for i, b in enumerate(odd)})
    return [table[b] for b in range(256)]


def write_decoder_tokenizer(folder):
    """Bytes and a merge behind a few special tokens."""
    special = ["<pad>", "<s>", "</s>", "<unk>"]
    vocabulary = {t: i for i, t in enumerate(special + byte_letters() + ["he"])}
    for i in range(len(vocabulary), VOCABULARY):
        vocabulary[f"<extra{i}>"] = i
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": t, "single_word": False, "lstrip": False,
                          "rstrip": False, "normalized": False, "special": True}
                         for i, t in enumerate(special)],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                          "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True,
                    "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None,
                  "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False, "vocab": vocabulary,
                  "merges": ["h e"]}}
    with open(os.path.join(folder, "tokenizer.json"), "w") as file:
        json.dump(tokenizer, file, separators=(",", ":"))


def make_decoder(name, seed):
    kind, differs, how = DECODERS[name]
    values = GPT2 if differs is None else COMMON | differs
    torch.manual_seed(seed)
    config = transformers.AutoConfig.for_model(kind, **values)
    config._attn_implementation = "eager"
    model = transformers.AutoModelForCausalLM.from_config(config)
    randomize(model, seed)
    model.generation_config.eos_token_id = 2
    folder = os.path.join(FOLDER, name)
    model = save(model, folder, how)
    write_decoder_tokenizer(folder)
    ids = torch.arange(3, 3 + TOKENS)[None]
    with torch.no_grad():
        logits = model(ids).logits[0]
    numpy.save(os.path.join(FOLDER, name + ".npy"), logits.numpy().astype(numpy.float32))


def write_word_pieces(folder):
    words = ["the", "cat", "dog", "sat", "on", "one", "two", ",", "!"]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + words + list(LETTERS)
    pieces += ["##" + letter for letter in LETTERS]
    with open(os.path.join(folder, "vocab.txt"), "w") as file:
        file.write("".join(piece + "\n" for piece in pieces))
    tokenizer = transformers.BertTokenizer(
        vocab={p: i for i, p in enumerate(pieces)}, do_lower_case=True)
    tokenizer.backend_tokenizer.save(os.path.join(folder, "tokenizer.json"))
    os.remove(os.path.join(folder, "vocab.txt"))
    return tokenizer, len(pieces)


def make_encoder(name, seed):
    kind, values, pooling = ENCODERS[name]
    folder = os.path.join(FOLDER, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    _, count = write_word_pieces(folder)
    tokenizer_text = open(os.path.join(folder, "tokenizer.json")).read()
    torch.manual_seed(seed)
    config = transformers.AutoConfig.for_model(kind, **(values | {"vocab_size": count}))
    config._attn_implementation = "eager"
    model = transformers.AutoModel.from_config(config)
    randomize(model, seed)
    model = save(model, folder, {})
    with open(os.path.join(folder, "tokenizer.json"), "w") as file:
        json.dump(json.loads(tokenizer_text), file, separators=(",", ":"))
    os.makedirs(os.path.join(folder, "1_Pooling"))
    modes = ["cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens"]
    with open(os.path.join(folder, "1_Pooling", "config.json"), "w") as file:
        json.dump({"word_embedding_dimension": 32}
                  | {"pooling_mode_" + mode: mode == pooling for mode in modes}, file)
    with open(os.path.join(folder, "modules.json"), "w") as file:
        json.dump([{"idx": i, "name": str(i), "path": path,
                    "type": "sentence_transformers.models." + kind}
                   for i, (path, kind) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling"),
                                                     ("2_Normalize", "Normalize")])], file)
    with open(os.path.join(folder, "sentence_bert_config.json"), "w") as file:
        json.dump({"max_seq_length": 48, "do_lower_case": False}, file)
    import tokenizers
    encoder = tokenizers.Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    out = []
    for text in TEXTS:
        ids = encoder.encode(text).ids
        with torch.no_grad():
            rows = model(torch.tensor([ids])).last_hidden_state[0]
        row = rows[0] if pooling == "cls_token" else rows.mean(0)
        row = row / row.norm()
        out.append({"text": text, "ids": ids, "embedding": [float(x) for x in row]})
    with open(os.path.join(FOLDER, name + ".json"), "w") as file:
        json.dump(out, file)


def main():
    names = sys.argv[1:] or [*DECODERS, *ENCODERS]
    os.makedirs(FOLDER, exist_ok=True)
    for name in names:
        seed = 1 + [*DECODERS, *ENCODERS].index(name)
        (make_decoder if name in DECODERS else make_encoder)(name, seed)


main()
