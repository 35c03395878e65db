#!/usr/bin/env python3
"""Writes tests/data/microsoft: operators of domain com.microsoft, one model each, in the layout of
ONNX's node tests, with what onnxruntime 1.30 (CPU) makes of random inputs.

    python3 tests/data/make_microsoft.py

Needs onnx and onnxruntime. Products of uint8 by int8 are not among them: on a processor without
VNNI onnxruntime saturates their partial sums.
"""
import os
import shutil

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper, save

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "microsoft")
F, U8, I8, I32 = (TensorProto.FLOAT, TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32)
rng = np.random.default_rng(23)


def f(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def u8(*shape):
    return rng.integers(0, 256, shape).astype(np.uint8)


def i8(*shape):
    return rng.integers(-128, 128, shape).astype(np.int8)


def i32(high, *shape):
    return rng.integers(0, high, shape).astype(np.int32)


def scalar(value, dtype=np.float32):
    return np.array(value, dtype)


def case(name, op, inputs, outputs, const=(), domain="com.microsoft", free=False, **attributes):
    """`inputs`: arrays, None where absent; `const`: weights among them. `free`: no fixed dims."""
    names = ["" if x is None else f"i{k}" for k, x in enumerate(inputs)]
    given = [k for k, x in enumerate(inputs) if x is not None and k not in const]
    values = [helper.make_tensor_value_info(
        names[k], helper.np_dtype_to_tensor_dtype(inputs[k].dtype),
        [f"d{k}.{d}" if free and d < 2 else size for d, size in enumerate(inputs[k].shape)])
        for k in given]
    made = [f"o{k}" if kind else "" for k, kind in enumerate(outputs)]
    node = helper.make_node(op, names, made, domain=domain, **attributes)
    graph = helper.make_graph(
        [node], name, values,
        [helper.make_tensor_value_info(o, kind, None) for o, kind in zip(made, outputs) if kind],
        [numpy_helper.from_array(inputs[k], names[k]) for k in const])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21),
                                                    helper.make_opsetid("com.microsoft", 1)])
    model.ir_version = 10
    folder = os.path.join(OUT, "test_" + name)
    data = os.path.join(folder, "test_data_set_0")
    os.makedirs(data)
    path = os.path.join(folder, "model.onnx")
    save(model, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    wanted = session.run(None, {names[k]: inputs[k] for k in given})
    for what, arrays in (("input", [inputs[k] for k in given]), ("output", wanted)):
        for i, array in enumerate(arrays):
            with open(os.path.join(data, f"{what}_{i}.pb"), "wb") as file:
                file.write(numpy_helper.from_array(array).SerializeToString())


def activations():
    case("bias_gelu", "BiasGelu", [f(3, 8), f(8)], [F])
    case("fast_gelu", "FastGelu", [f(3, 8), f(8)], [F])
    case("quick_gelu", "QuickGelu", [f(3, 8)], [F])
    case("fused_conv_clip", "FusedConv", [f(1, 3, 6, 6), f(4, 3, 3, 3), f(4)], [F], (1, 2),
         activation="Clip", activation_params=[-0.5, 0.7], pads=[1, 1, 1, 1])
    case("fused_conv_sum", "FusedConv", [f(1, 3, 6, 6), f(4, 3, 3, 3), f(4), f(1, 4, 6, 6)], [F],
         (1, 2), activation="Relu", pads=[1, 1, 1, 1])
    case("fused_matmul", "FusedMatMul", [f(2, 4, 3), f(2, 5, 4)], [F], transA=1, transB=1,
         alpha=0.5)


def norms():
    case("skip_norm", "SkipLayerNormalization", [f(2, 3, 8), f(2, 3, 8), f(8), f(8), f(8)],
         [F, 0, 0, F], free=True, epsilon=1e-5)
    case("skip_norm_no_beta", "SkipLayerNormalization", [f(2, 3, 8), f(2, 3, 8), f(8), None, f(8)],
         [F])
    case("skip_rms_norm", "SkipSimplifiedLayerNormalization",
         [f(2, 3, 8), f(2, 3, 8), f(8), f(8)], [F, 0, 0, F], free=True)
    case("rms_norm", "SimplifiedLayerNormalization", [f(2, 3, 8), f(8)], [F], domain="", axis=-1,
         epsilon=1e-5)
    words = [f(10, 8), f(6, 8), f(2, 8), f(8), f(8)]
    case("embed_norm", "EmbedLayerNormalization",
         [i32(10, 2, 5), i32(2, 2, 5), *words,
          np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32)], [F, I32])
    case("embed_norm_positions", "EmbedLayerNormalization",
         [i32(10, 2, 5), None, words[0], words[1], None, words[3], words[4], None, i32(6, 2, 5)],
         [F, I32, F])


def quantized():
    scale, other, zero = scalar(0.03), scalar(0.05), scalar(120, np.uint8)
    signed = scalar(3, np.int8)
    case("q_add", "QLinearAdd", [u8(3, 4), scale, zero, u8(3, 4), other, zero, other, zero], [U8],
         (1, 2, 4, 5, 6, 7))
    case("q_mul_int8", "QLinearMul", [i8(3, 4), scale, signed, i8(4), other, signed, other, signed],
         [I8], (1, 2, 4, 5, 6, 7))
    part, none = scalar(1 / 256), scalar(0, np.uint8)
    case("q_sigmoid", "QLinearSigmoid", [u8(3, 4), scale, zero, part, none], [U8], (1, 2, 3, 4))
    case("q_leaky_relu", "QLinearLeakyRelu", [u8(3, 4), scale, zero, scale, zero], [U8],
         (1, 2, 3, 4), alpha=0.1)
    case("q_softmax", "QLinearSoftmax", [u8(3, 9), scale, zero, part, none], [U8], (1, 2, 3, 4),
         axis=-1, opset=13)
    case("q_average_pool", "QLinearAveragePool", [u8(1, 3, 6, 6), scale, zero, other, zero], [U8],
         (1, 2, 3, 4), kernel_shape=[2, 2], strides=[2, 2])
    case("q_global_average_pool", "QLinearGlobalAveragePool",
         [u8(1, 3, 5, 5), scale, zero, scale, zero], [U8], (1, 2, 3, 4), channels_last=0)
    case("q_concat", "QLinearConcat", [scale, zero, u8(2, 3), other, zero, u8(2, 4), scale, none],
         [U8], (0, 1, 3, 4, 6, 7), axis=1)
    case("q_where", "QLinearWhere",
         [i32(2, 3, 4).astype(bool), u8(3, 4), scale, zero, u8(3, 4), other, zero, other, zero],
         [U8], (2, 3, 5, 6, 7, 8))
    case("matmul_integer_to_float", "MatMulIntegerToFloat",
         [u8(4, 6), u8(6, 5), scale, np.abs(f(5)), zero, zero, f(5)], [F])
    case("dynamic_quantize_matmul", "DynamicQuantizeMatMul",
         [f(4, 6), u8(6, 5), other, zero, f(5)], [F])


def n_bits():
    for bits, k, block in ((4, 64, 32), (4, 40, 16), (8, 40, 16)):
        n, blocks = 5, (k + block - 1) // block
        zeros = u8(n, (blocks * bits + 7) // 8)
        if bits == 4 and blocks % 2:
            zeros[:, -1] &= 15
        weights = [u8(n, blocks, block * bits // 8), np.abs(f(n * blocks)) * 0.1]
        sizes = {"K": k, "N": n, "bits": bits, "block_size": block}
        case(f"n_bits_{bits}_{k}", "MatMulNBits", [f(3, k), *weights], [F], (1, 2), **sizes)
        case(f"n_bits_{bits}_{k}_zeros", "MatMulNBits",
             [f(2, 3, k), *weights, zeros.reshape(-1), None, f(n)], [F], (1, 2, 3, 5), **sizes)


def attention():
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32)
    case("attention_causal", "Attention", [f(2, 5, 8), f(8, 24), f(24), mask], [F], (1, 2),
         num_heads=2, unidirectional=1)
    case("attention_lengths", "Attention",
         [f(2, 5, 8), f(8, 24), f(24), np.array([3, 5], np.int32)], [F], (1, 2), num_heads=4)
    case("attention_sizes", "Attention", [f(2, 5, 8), f(8, 22), f(22), None, None, f(2, 2, 5, 5)],
         [F], (1, 2), num_heads=2, qkv_hidden_sizes=[8, 8, 6], scale=0.3)
    case("heads", "MultiHeadAttention", [f(2, 5, 8), f(2, 6, 8), f(2, 6, 8), f(24)], [F], (3,),
         free=True, num_heads=2)
    case("heads_mask", "MultiHeadAttention",
         [f(2, 4, 8), f(2, 5, 8), f(2, 5, 8), None, mask, f(2, 2, 4, 5)], [F], num_heads=2)
    case("heads_past", "MultiHeadAttention",
         [f(2, 1, 8), f(2, 1, 8), f(2, 1, 8), None, None, None, f(2, 2, 3, 4), f(2, 2, 3, 4)],
         [F, F, F], num_heads=2)
    cosines, sines = f(10, 2), f(10, 2)
    places = rng.integers(0, 10, (2, 5)).astype(np.int64)
    case("rotary", "RotaryEmbedding", [f(2, 5, 8), places, cosines, sines], [F], (2, 3),
         interleaved=1)
    case("rotary_offset", "RotaryEmbedding",
         [f(2, 3, 5, 4), np.array([3], np.int64), cosines, sines], [F])
    case("rotary_part", "RotaryEmbedding", [f(2, 5, 12), places, cosines, sines], [F], num_heads=2,
         rotary_embedding_dim=4)


def group_query():
    """Heads of 16 elements, 4 over 2; tables of 16 positions."""
    angles = np.arange(16)[:, None] * 2.0 ** -np.arange(8)[None, :]
    tables = [np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)]
    heads = {"num_heads": 4, "kv_num_heads": 2}

    def gqa(name, batch, tokens, past, lengths, total, tables=None, more=(), packed=False,
            size=16, **attributes):
        rows = ([f(batch, tokens, 8 * size), None, None] if packed else
                [f(batch, tokens, n * size) for n in (4, 2, 2)])
        caches = [f(batch, 2, past, size), f(batch, 2, past, size)]
        ends = [np.array(lengths, np.int32) - 1, np.array(total, np.int32)]
        inputs = [*rows, *caches, *ends, *(tables or [None, None]), *more]
        while inputs[-1] is None:
            inputs.pop()
        const = [k for k in (7, 8, 11) if k < len(inputs) and inputs[k] is not None]
        case("gqa_" + name, "GroupQueryAttention", inputs, [F, F, F], const, **heads,
             **({"do_rotary": 1} if tables else {}), **attributes)

    gqa("prompt", 2, 5, 0, [5, 5], 5, tables, free=True)
    gqa("step", 2, 1, 6, [7, 7], 7, tables, free=True)
    gqa("interleaved", 1, 3, 4, [7], 7, tables, rotary_interleaved=1)
    gqa("part", 1, 2, 3, [5], 5, tables, size=32)
    gqa("packed_window", 1, 1, 9, [10], 10, tables, packed=True, local_window_size=3)
    gqa("window_prompt", 1, 7, 0, [7], 7, local_window_size=4)
    gqa("cap", 1, 4, 2, [6], 6, softcap=1.5, scale=0.7)
    gqa("lengths", 2, 1, 6, [7, 4], 7, tables)
    gqa("room", 2, 1, 12, [7, 4], 7, tables)
    gqa("packed_prompt", 2, 4, 0, [4, 4], 4, tables, packed=True)
    gqa("sinks", 1, 2, 3, [5], 5, more=[None, None, f(4)])
    gqa("smooth", 1, 2, 3, [5], 5, smooth_softmax=1)


def n_bits_later():
    """Of float16, and of blocks that fill rows."""
    half = np.float16
    weights = [u8(5, 2, 16), (np.abs(f(5, 2)) * 0.1)]
    sizes = {"K": 64, "N": 5, "bits": 4, "block_size": 32}
    case("n_bits_half", "MatMulNBits", [f(3, 64).astype(half), weights[0], weights[1].astype(half)],
         [TensorProto.FLOAT16], (1, 2), **sizes)
    for block in (16, 64, 128, 256):
        blocks = 512 // block
        case(f"n_bits_blocks_{block}", "MatMulNBits",
             [f(2, 512), u8(17, blocks, block // 2), np.abs(f(17, blocks)) * 0.1,
              u8(17, blocks // 2)], [F], (1, 2, 3), K=512, N=17, bits=4, block_size=block,
             accuracy_level=1)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    for make in (activations, norms, quantized, n_bits, attention, group_query,
                 n_bits_later):
        make()


if __name__ == "__main__":
    main()
