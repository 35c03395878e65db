#!/usr/bin/env python3
"""Writes stories-f32.gguf, stories-q8_0.gguf and stories-q4_0.gguf from train.py's model.npz and
tokenizer.model."""
import argparse
import pathlib

import gguf
import numpy as np
import sentencepiece

import config as c


def quantize_q8_0(w):
    """[n, 32 k] float32 -> bytes: per block of 32 an f16 scale and 32 int8.
    Halves are rounded away from zero."""
    x = w.reshape(-1, 32)
    d = np.abs(x).max(axis=1, keepdims=True) / np.float32(127)
    inverse = np.divide(np.float32(1), d, out=np.zeros_like(d), where=d != 0)
    y = x * inverse
    q = np.trunc(y + np.copysign(np.float32(0.5), y)).astype(np.int8)
    out = np.concatenate([d.astype(np.float16).view(np.uint8), q.view(np.uint8)], axis=1)
    return out.reshape(w.shape[0], -1)


def quantize_q4_0(w):
    """[n, 32 k] float32 -> bytes: per block an f16 scale and 16 bytes, element i in the low half of
    byte i, element i + 16 in the high half. The element of largest size becomes -8."""
    x = w.reshape(-1, 32)
    at = np.abs(x).argmax(axis=1)[:, None]
    d = np.take_along_axis(x, at, axis=1) / np.float32(-8)
    inverse = np.divide(np.float32(1), d, out=np.zeros_like(d), where=d != 0)
    q = np.minimum((x * inverse + np.float32(8.5)).astype(np.int8), 15).astype(np.uint8)
    packed = q[:, :16] | (q[:, 16:] << 4)
    out = np.concatenate([d.astype(np.float16).view(np.uint8), packed], axis=1)
    return out.reshape(w.shape[0], -1)


QUANTIZED = {  # name: (tensor type, file type, quantizer)
    "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32, None),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0, quantize_q8_0),
    "q4_0": (gguf.GGMLQuantizationType.Q4_0, gguf.LlamaFileType.MOSTLY_Q4_0, quantize_q4_0),
}


def add_metadata(writer, file_type):
    writer.add_name("PolarisRT stories")
    writer.add_description("Small Llama trained on children's stories from a grammar of our own")
    writer.add_license("apache-2.0")
    writer.add_file_type(file_type)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_context_length(c.CONTEXT)
    writer.add_embedding_length(c.DIM)
    writer.add_block_count(c.LAYERS)
    writer.add_feed_forward_length(c.FFN)
    writer.add_head_count(c.HEADS)
    writer.add_head_count_kv(c.KV_HEADS)
    writer.add_layer_norm_rms_eps(c.NORM_EPS)
    writer.add_rope_dimension_count(c.HEAD_DIM)
    writer.add_rope_freq_base(c.ROPE_BASE)
    writer.add_vocab_size(c.VOCAB)


def add_tokenizer(writer, tokenizer):
    ids = range(tokenizer.vocab_size())
    kind = gguf.TokenType
    types = [kind.UNKNOWN if tokenizer.is_unknown(i) else
             kind.CONTROL if tokenizer.is_control(i) else
             kind.BYTE if tokenizer.is_byte(i) else kind.NORMAL for i in ids]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([tokenizer.id_to_piece(i) for i in ids])
    writer.add_token_scores([tokenizer.get_score(i) for i in ids])
    writer.add_token_types([int(t) for t in types])
    writer.add_bos_token_id(c.BOS)
    writer.add_eos_token_id(c.EOS)
    writer.add_unk_token_id(c.UNK)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(True)


def export(weights, tokenizer, name, path):
    tensor_type, file_type, quantizer = QUANTIZED[name]
    writer = gguf.GGUFWriter(path, "llama")
    add_metadata(writer, file_type)
    add_tokenizer(writer, tokenizer)
    for key in sorted(weights, key=lambda k: (k.split(".")[:-2], k)):
        w = weights[key].astype(np.float32)
        if quantizer and w.ndim == 2:
            writer.add_tensor(key, quantizer(w), raw_dtype=tensor_type)
        else:
            writer.add_tensor(key, w)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(path, path.stat().st_size)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trained", type=pathlib.Path, help="folder that train.py wrote")
    parser.add_argument("-o", "--out", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent)
    args = parser.parse_args()
    weights = dict(np.load(args.trained / "model.npz"))
    tokenizer = sentencepiece.SentencePieceProcessor(
        model_file=str(args.trained / "tokenizer.model"))
    for name in QUANTIZED:
        export(weights, tokenizer, name, args.out / f"stories-{name}.gguf")


if __name__ == "__main__":
    main()
