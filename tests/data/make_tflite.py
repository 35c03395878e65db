"""Writes tests/data/tflite/: models of a few operators each and what LiteRT answers.

    python3 tests/data/make_tflite.py [FOLDER]

Needs PyPI's ai-edge-litert, flatbuffers and numpy. NAME.tflite is a model whose outputs are the
operators of one family over shared inputs; NAME.npz holds in_0 ..., the inputs, and out_0 ..., the
outputs, in the model's order, and again_0 ..., those of a second run, before which variables have
what the first left in them.
"""

import os
import sys

import numpy as np
import tflite_quantized
from flatbuffers import flexbuffers
from ai_edge_litert import schema_py_generated as s
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tflite_graph import F, I32, I64, B, R, f32, whole, File

CASES = {}


def case(f):
    CASES[f.__name__] = f
    return f


@case
def unary(g):
    x = g.input(f32(2, 3, 5))
    p = g.input(f32(2, 3, 5, low=0.1, high=4))
    for name in (
        "ABS",
        "CEIL",
        "COS",
        "ELU",
        "EXP",
        "FLOOR",
        "HARD_SWISH",
        "LOGISTIC",
        "NEG",
        "RELU",
        "RELU6",
        "RELU_N1_TO_1",
        "RELU_0_TO_1",
        "ROUND",
        "SIGN",
        "SIN",
        "SQUARE",
        "TANH",
    ):
        g.out(g.op(name, [x], [((2, 3, 5), F)]))
    for name in ("LOG", "SQRT", "RSQRT"):
        g.out(g.op(name, [p], [((2, 3, 5), F)]))
    g.out(g.op("GELU", [x], [((2, 3, 5), F)], "GeluOptions", approximate=False))
    g.out(g.op("GELU", [x], [((2, 3, 5), F)], "GeluOptions", approximate=True))
    g.out(g.op("LEAKY_RELU", [x], [((2, 3, 5), F)], "LeakyReluOptions", alpha=0.3))
    g.out(g.op("PRELU", [x, g.const(f32(1, 1, 5))], [((2, 3, 5), F)]))
    g.out(g.op("SOFTMAX", [x], [((2, 3, 5), F)], "SoftmaxOptions", beta=1.5))
    g.out(g.op("LOG_SOFTMAX", [x], [((2, 3, 5), F)], "LogSoftmaxOptions"))
    g.out(g.op("ZEROS_LIKE", [x], [((2, 3, 5), F)], "ZerosLikeOptions"))
    g.out(
        g.op("BUCKETIZE", [x], [((2, 3, 5), I32)], "BucketizeOptions", boundaries=[-1.0, 0.0, 1.5])
    )


@case
def binary(g):
    a, b = g.input(f32(2, 3, 4)), g.input(f32(3, 1))
    i, j = g.input(whole(2, 5)), g.input(np.array([[3], [-4]], I32))
    both = [((2, 3, 4), F)]
    for name, options in (
        ("ADD", "AddOptions"),
        ("SUB", "SubOptions"),
        ("MUL", "MulOptions"),
        ("DIV", "DivOptions"),
    ):
        for act in (0, 1, 3):
            g.out(g.op(name, [a, b], both, options, fusedActivationFunction=act))
    for name in ("MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "FLOOR_DIV", "FLOOR_MOD"):
        g.out(g.op(name, [a, b], both))
    for name in ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"):
        g.out(g.op(name, [a, b], [((2, 3, 4), B)]))
    for name in ("ADD", "SUB", "MUL"):
        g.out(g.op(name, [i, j], [((2, 5), I32)], name.title() + "Options"))
    for name in ("MAXIMUM", "MINIMUM", "FLOOR_DIV", "FLOOR_MOD", "BITWISE_XOR"):
        g.out(g.op(name, [i, j], [((2, 5), I32)]))
    g.out(g.op("RIGHT_SHIFT", [i, g.const([[1], [2]], I32)], [((2, 5), I32)]))
    g.out(g.op("POW", [g.op("ABS", [a], both)[0], b], both))
    g.out(g.op("ATAN2", [a, g.const(f32(2, 3, 4))], both))
    g.out(g.op("ADD_N", [a, a, a], both))
    c, d = g.input(R.integers(0, 2, (2, 3)).astype(bool)), g.input(
        R.integers(0, 2, (2, 3)).astype(bool)
    )
    for name in ("LOGICAL_AND", "LOGICAL_OR"):
        g.out(g.op(name, [c, d], [((2, 3), B)]))
    g.out(g.op("LOGICAL_NOT", [c], [((2, 3), B)]))
    g.out(g.op("CAST", [a], [((2, 3, 4), I32)], "CastOptions"))
    g.out(g.op("CAST", [i], [((2, 5), F)], "CastOptions"))
    g.out(g.op("CAST", [c], [((2, 3), F)], "CastOptions"))


@case
def shapes(g):
    x = g.input(f32(2, 3, 4))
    c = lambda v: g.const(v, I32)
    g.out(g.op("RESHAPE", [x, c([4, -1])], [((4, 6), F)]))
    g.out(g.op("RESHAPE", [x], [((6, 4), F)], "ReshapeOptions", newShape=[6, 4]))
    g.out(g.op("EXPAND_DIMS", [x, c(-2)], [((2, 3, 1, 4), F)]))
    e = g.op("EXPAND_DIMS", [x, c([1])], [((2, 1, 3, 4), F)])[0]
    g.out(g.op("SQUEEZE", [e], [((2, 3, 4), F)], "SqueezeOptions", squeezeDims=[1]))
    g.out(g.op("SQUEEZE", [e], [((2, 3, 4), F)], "SqueezeOptions"))
    g.out(g.op("TRANSPOSE", [x, c([2, 0, 1])], [((4, 2, 3), F)]))
    g.out(g.op("PACK", [x, x], [((2, 3, 2, 4), F)], "PackOptions", axis=2, valuesCount=2))
    g.out(g.op("UNPACK", [x], [((2, 4), F)] * 3, "UnpackOptions", axis=1, num=3))
    g.out(g.op("CONCATENATION", [x, x], [((2, 6, 4), F)], "ConcatenationOptions", axis=1))
    g.out(g.op("SPLIT", [c(2), x], [((2, 3, 2), F)] * 2, "SplitOptions", numSplits=2))
    g.out(
        g.op(
            "SPLIT_V",
            [x, c([1, -1]), c(1)],
            [((2, 1, 4), F), ((2, 2, 4), F)],
            "SplitVOptions",
            numSplits=2,
        )
    )
    g.out(g.op("TILE", [x, c([1, 2, 1])], [((2, 6, 4), F)]))
    g.out(g.op("BROADCAST_TO", [x, c([2, 2, 3, 4])], [((2, 2, 3, 4), F)], version=2))
    g.out(g.op("FILL", [c([2, 2]), g.const(F(1.5))], [((2, 2), F)]))
    g.out(g.op("SHAPE", [x], [((3,), I32)], "ShapeOptions", outType=s.TensorType.INT32))
    g.out(g.op("RANK", [x], [((), I32)], "RankOptions"))
    g.out(g.op("RANGE", [c(2), c(11), c(3)], [((3,), I32)], "RangeOptions"))
    g.out(g.op("BROADCAST_ARGS", [c([3, 1]), c([2, 1, 4])], [((3,), I32)]))
    g.out(g.op("REVERSE_V2", [x, c([1])], [((2, 3, 4), F)], "ReverseV2Options"))
    g.out(
        g.op(
            "REVERSE_SEQUENCE",
            [x, c([2, 3])],
            [((2, 3, 4), F)],
            "ReverseSequenceOptions",
            seqDim=1,
            batchDim=0,
        )
    )
    g.out(
        g.op(
            "REVERSE_SEQUENCE",
            [x, c([1, 2, 3, 2])],
            [((2, 3, 4), F)],
            "ReverseSequenceOptions",
            seqDim=1,
            batchDim=2,
        )
    )


@case
def pads_and_slices(g):
    x = g.input(f32(2, 5, 4))
    c = lambda v: g.const(v, I32)
    g.out(g.op("PAD", [x, c([[0, 1], [2, 0], [1, 1]])], [((3, 7, 6), F)]))
    g.out(g.op("PADV2", [x, c([[0, 1], [2, 0], [1, 1]]), g.const(F(3.5))], [((3, 7, 6), F)]))
    for mode in (0, 1):
        g.out(
            g.op(
                "MIRROR_PAD",
                [x, c([[0, 1], [2, 3], [1, 2]])],
                [((3, 10, 7), F)],
                "MirrorPadOptions",
                mode=mode,
            )
        )
    g.out(g.op("SLICE", [x, c([0, 1, 0]), c([-1, 3, 2])], [((2, 3, 2), F)]))

    def ss(begin, end, stride, shape, **masks):
        g.out(
            g.op(
                "STRIDED_SLICE",
                [x, c(begin), c(end), c(stride)],
                [(shape, F)],
                "StridedSliceOptions",
                **masks,
            )
        )

    ss([0, 1, 0], [2, 5, 4], [1, 2, 3], (2, 2, 2))
    ss([0, 4, 3], [2, 0, 0], [1, -2, -1], (2, 2, 3))
    ss([0, -1, 0], [2, 0, 4], [1, -1, 1], (2, 5, 4), beginMask=2, endMask=2)
    ss([1, 0, 0], [2, 5, 4], [1, 1, 1], (5, 4), shrinkAxisMask=1)
    ss([0, -1, 1], [0, 0, 3], [1, 1, 1], (2, 2), beginMask=1, endMask=1, shrinkAxisMask=2)
    ss([0, 1], [0, 3], [1, 1], (2, 5, 2), ellipsisMask=1)
    ss([0, 1, 1], [0, 2, 3], [1, 1, 1], (1, 2, 4), newAxisMask=1, shrinkAxisMask=2)
    ss([0, 0], [2, 0], [1, 1], (2, 1, 5, 4), newAxisMask=2)
    ss([0, 1, 0], [1, 2, 3], [1, 1, 1], (1, 2, 3), offset=True)
    g.out(g.op("DYNAMIC_UPDATE_SLICE", [x, g.const(f32(1, 2, 2)), c([1, 4, 1])], [((2, 5, 4), F)]))


@case
def gathers(g):
    x = g.input(f32(3, 4, 5))
    c = lambda v: g.const(v, I32)
    go = "GatherOptions"
    g.out(g.op("GATHER", [x, c([2, 0])], [((2, 4, 5), F)], go, axis=0))
    g.out(g.op("GATHER", [x, c([[1, 3], [0, 2]])], [((3, 2, 2, 5), F)], go, axis=1))
    g.out(
        g.op("GATHER", [x, c([[1, 3], [0, 2], [3, 3]])], [((3, 2, 5), F)], go, axis=1, batchDims=1)
    )
    g.out(
        g.op("GATHER", [x, c([[1, 3], [0, 2], [4, 4]])], [((3, 4, 2), F)], go, axis=2, batchDims=1)
    )
    g.out(g.op("GATHER_ND", [x, c([[0, 1], [2, 3]])], [((2, 5), F)]))
    g.out(g.op("SCATTER_ND", [c([[1], [3], [1]]), g.const(f32(3, 2)), c([5, 2])], [((5, 2), F)]))
    g.out(
        g.op(
            "ONE_HOT",
            [c([0, 2, -1, 3]), c(4), g.const(F(2)), g.const(F(-1))],
            [((4, 4), F)],
            "OneHotOptions",
            axis=-1,
        )
    )
    g.out(
        g.op(
            "SPARSE_TO_DENSE",
            [c([1, 3]), c([5]), g.const(f32(2)), g.const(F(9))],
            [((5,), F)],
            "SparseToDenseOptions",
        )
    )
    g.out(g.op("EMBEDDING_LOOKUP", [c([1, 0, 2]), x], [((3, 4, 5), F)]))
    g.out(g.op("SEGMENT_SUM", [x, c([0, 0, 1])], [((2, 4, 5), F)]))
    for name in ("SUM", "PROD", "MAX", "MIN"):
        g.out(g.op("UNSORTED_SEGMENT_" + name, [x, c([1, 0, 1]), c(2)], [((2, 4, 5), F)]))
    g.out(g.op("TOPK_V2", [x, c(2)], [((3, 4, 2), F), ((3, 4, 2), I32)], "TopKV2Options"))
    g.out(g.op("CUMSUM", [x, c(1)], [((3, 4, 5), F)], "CumsumOptions"))
    g.out(
        g.op("CUMSUM", [x, c(-1)], [((3, 4, 5), F)], "CumsumOptions", exclusive=True, reverse=True)
    )
    cond = g.input(R.integers(0, 2, (3,)).astype(bool))
    g.out(g.op("SELECT", [cond, x, g.const(f32(3, 4, 5))], [((3, 4, 5), F)]))
    g.out(
        g.op(
            "SELECT_V2",
            [g.const(np.array([[[True]], [[False]], [[True]]])), x, g.const(F(4))],
            [((3, 4, 5), F)],
        )
    )
    g.out(
        g.op(
            "UNIQUE",
            [c([3, 1, 3, 2, 1])],
            [((3,), I32), ((5,), I32)],
            "UniqueOptions",
            idxOutType=s.TensorType.INT32,
        )
    )
    g.out(g.op("WHERE", [g.const(np.array([[True, False], [True, True]]))], [((3, 2), I64)]))
    g.out(g.op("MATRIX_DIAG", [x], [((3, 4, 5, 5), F)]))
    g.out(g.op("MATRIX_SET_DIAG", [x, g.const(f32(3, 4))], [((3, 4, 5), F)]))


@case
def reductions(g):
    x = g.input(f32(2, 3, 4))
    c = lambda v: g.const(v, I32)
    for name in ("MEAN", "SUM", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN"):
        g.out(g.op(name, [x, c([1])], [((2, 4), F)], "ReducerOptions", keepDims=False))
        g.out(g.op(name, [x, c([0, -1])], [((1, 3, 1), F)], "ReducerOptions", keepDims=True))
    for name, o in (("ARG_MAX", "ArgMaxOptions"), ("ARG_MIN", "ArgMinOptions")):
        g.out(g.op(name, [x, c(-1)], [((2, 3), I32)], o, outputType=s.TensorType.INT32))
    i = g.input(whole(2, 6))
    for name in ("SUM", "REDUCE_MAX", "REDUCE_PROD"):
        g.out(g.op(name, [i, c([1])], [((2,), I32)], "ReducerOptions"))
    g.out(g.op("L2_NORMALIZATION", [x], [((2, 3, 4), F)], "L2NormOptions"))


@case
def convolutions(g):
    x = g.input(f32(2, 9, 8, 4))
    w, b = g.const(f32(6, 3, 3, 4)), g.const(f32(6))
    o = "Conv2DOptions"
    for pad, sh, sw, dh, dw, act, shape in (
        (0, 1, 1, 1, 1, 0, (2, 9, 8, 6)),
        (0, 2, 3, 1, 1, 1, (2, 5, 3, 6)),
        (1, 2, 2, 1, 1, 3, (2, 4, 3, 6)),
        (0, 1, 1, 2, 3, 2, (2, 9, 8, 6)),
    ):
        g.out(
            g.op(
                "CONV_2D",
                [x, w, b],
                [(shape, F)],
                o,
                padding=pad,
                strideH=sh,
                strideW=sw,
                dilationHFactor=dh,
                dilationWFactor=dw,
                fusedActivationFunction=act,
            )
        )
    g.out(
        g.op(
            "CONV_2D",
            [x, g.const(f32(6, 2, 2, 2)), b],
            [((2, 9, 8, 6), F)],
            o,
            padding=0,
            strideH=1,
            strideW=1,
        )
    )
    d = g.const(f32(1, 3, 2, 8))
    for pad, st, shape in ((0, 1, (2, 9, 8, 8)), (0, 2, (2, 5, 4, 8)), (1, 1, (2, 7, 7, 8))):
        g.out(
            g.op(
                "DEPTHWISE_CONV_2D",
                [x, d, g.const(f32(8))],
                [(shape, F)],
                "DepthwiseConv2DOptions",
                padding=pad,
                strideH=st,
                strideW=st,
                depthMultiplier=2,
                fusedActivationFunction=1,
            )
        )
    t = g.const(f32(3, 3, 3, 4))
    for pad, sh, sw, shape in (
        (0, 2, 2, (2, 18, 16, 3)),
        (0, 2, 2, (2, 17, 15, 3)),
        (1, 2, 3, (2, 19, 24, 3)),
        (1, 1, 1, (2, 11, 10, 3)),
    ):
        g.out(
            g.op(
                "TRANSPOSE_CONV",
                [g.const(shape, I32), t, x],
                [(shape, F)],
                "TransposeConvOptions",
                padding=pad,
                strideH=sh,
                strideW=sw,
            )
        )
    p = "Pool2DOptions"
    for name in ("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"):
        g.out(
            g.op(
                name,
                [x],
                [((2, 5, 4, 4), F)],
                p,
                padding=0,
                strideH=2,
                strideW=2,
                filterHeight=3,
                filterWidth=2,
            )
        )
        g.out(
            g.op(
                name,
                [x],
                [((2, 4, 7, 4), F)],
                p,
                padding=1,
                strideH=2,
                strideW=1,
                filterHeight=3,
                filterWidth=2,
                fusedActivationFunction=1,
            )
        )
    v = g.input(f32(1, 4, 5, 6, 2))
    g.out(
        g.op(
            "CONV_3D",
            [v, g.const(f32(2, 3, 2, 2, 3)), g.const(f32(3))],
            [((1, 2, 5, 3, 3), F)],
            "Conv3DOptions",
            padding=0,
            strideD=2,
            strideH=1,
            strideW=2,
        )
    )
    g.out(
        g.op(
            "LOCAL_RESPONSE_NORMALIZATION",
            [x],
            [((2, 9, 8, 4), F)],
            "LocalResponseNormalizationOptions",
            radius=1,
            bias=1.0,
            alpha=0.5,
            beta=0.75,
        )
    )


@case
def space(g):
    x = g.input(f32(2, 4, 6, 4))
    c = lambda v: g.const(v, I32)
    g.out(g.op("SPACE_TO_DEPTH", [x], [((2, 2, 3, 16), F)], "SpaceToDepthOptions", blockSize=2))
    g.out(g.op("DEPTH_TO_SPACE", [x], [((2, 8, 12, 1), F)], "DepthToSpaceOptions", blockSize=2))
    g.out(g.op("SPACE_TO_BATCH_ND", [x, c([2, 3]), c([[1, 1], [0, 3]])], [((12, 3, 3, 4), F)]))
    y = g.input(f32(6, 2, 3, 2))
    g.out(g.op("BATCH_TO_SPACE_ND", [y, c([2, 3]), c([[1, 0], [2, 1]])], [((1, 3, 6, 2), F)]))
    for size in ((7, 5), (8, 12), (2, 3)):
        for align, half in ((False, False), (True, False), (False, True)):
            for name, o in (
                ("RESIZE_BILINEAR", "ResizeBilinearOptions"),
                ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions"),
            ):
                g.out(
                    g.op(
                        name,
                        [x, c(size)],
                        [((2, *size, 4), F)],
                        o,
                        alignCorners=align,
                        halfPixelCenters=half,
                    )
                )


@case
def products(g):
    x = g.input(f32(2, 3, 8))
    o = "FullyConnectedOptions"
    w, b = g.const(f32(5, 8)), g.const(f32(5))
    g.out(g.op("FULLY_CONNECTED", [x, w, b], [((6, 5), F)], o))
    g.out(
        g.op(
            "FULLY_CONNECTED",
            [x, w, -1],
            [((2, 3, 5), F)],
            o,
            keepNumDims=True,
            fusedActivationFunction=1,
        )
    )
    y = g.input(f32(2, 8, 4))
    g.out(g.op("BATCH_MATMUL", [x, y], [((2, 3, 4), F)], "BatchMatMulOptions"))
    g.out(
        g.op("BATCH_MATMUL", [y, x], [((2, 4, 3), F)], "BatchMatMulOptions", adjX=True, adjY=True)
    )
    h = g.tensor((5, 8), np.float16, f32(5, 8).astype(np.float16))
    d = g.op("DEQUANTIZE", [h], [((5, 8), F)])[0]
    g.out(g.op("FULLY_CONNECTED", [x, d, b], [((6, 5), F)], o))


@case
def recurrent(g):
    x = g.input(f32(2, 12, 3))
    H = 4

    def state(n=H, batch=2):
        return g.tensor((batch, n), F, variable=True)

    w = lambda *shape: g.const(f32(*shape, low=-0.7, high=0.7))

    def lstm(seq, cifg=False, peephole=False, projection=0, norm=False, **fields):
        h = projection or H
        ins = [seq, -1 if cifg else w(H, 3)] + [w(H, 3) for _ in range(3)]
        ins += [-1 if cifg else w(H, h)] + [w(H, h) for _ in range(3)]
        ins += [(-1 if cifg else w(H)) if peephole else -1] + [
            w(H) if peephole else -1 for _ in range(2)
        ]
        ins += [-1 if cifg else w(H)] + [w(H) for _ in range(3)]
        ins += [w(projection, H) if projection else -1, -1]
        ins += [state(h), state(H)]
        ins += [(-1 if cifg else w(H)) if norm else -1] + [w(H) if norm else -1 for _ in range(3)]
        return ins, h

    o = "UnidirectionalSequenceLSTMOptions"
    for kw, fields in (
        ({}, {}),
        ({"peephole": True}, {}),
        ({"cifg": True}, {"cellClip": 0.5}),
        ({"projection": 3}, {"projClip": 0.4}),
        ({"norm": True}, {}),
    ):
        ins, h = lstm(x, **kw)
        g.out(
            g.op(
                "UNIDIRECTIONAL_SEQUENCE_LSTM",
                ins,
                [((2, 12, h), F)],
                o,
                fusedActivationFunction=4,
                **fields,
            )
        )
    r = [x, w(H, 3), w(H, H), w(H), state()]
    g.out(
        g.op(
            "UNIDIRECTIONAL_SEQUENCE_RNN",
            r,
            [((2, 12, H), F)],
            "SequenceRNNOptions",
            fusedActivationFunction=1,
        )
    )
    y = g.input(f32(2, 3))
    g.out(
        g.op(
            "RNN",
            [y, w(H, 3), w(H, H), w(H), state()],
            [((2, H), F)],
            "RNNOptions",
            fusedActivationFunction=4,
        )
    )
    g.out(
        g.op("SVDF", [y, w(6, 3), w(6, 5), w(3), state(30)], [((2, 3), F)], "SVDFOptions", rank=2)
    )


@case
def control(g, file=None):
    cond = g.input(np.array(True))
    x = g.input(f32(2, 3))
    n = g.input(np.array([4], I32))
    for name, op, option in (("then", "ADD", "AddOptions"), ("else", "MUL", "MulOptions")):
        b = g.file.graph(name)
        i = b.tensor((2, 3), F)
        b.graph.inputs = [i]
        b.out(b.op(op, [i, b.const(F(2))], [((2, 3), F)], option))
    c = g.file.graph("cond")
    a, v = c.tensor((1,), I32), c.tensor((2, 3), F)
    c.graph.inputs = [a, v]
    c.out(c.op("GREATER", [a, c.const([0], I32)], [((1,), B)]))
    d = g.file.graph("body")
    a, v = d.tensor((1,), I32), d.tensor((2, 3), F)
    d.graph.inputs = [a, v]
    d.out(d.op("SUB", [a, d.const([1], I32)], [((1,), I32)], "SubOptions"))
    d.out(d.op("MUL", [v, d.const(F(1.5))], [((2, 3), F)], "MulOptions"))
    g.out(
        g.op("IF", [cond, x], [((2, 3), F)], "IfOptions", thenSubgraphIndex=1, elseSubgraphIndex=2)
    )
    g.out(
        g.op(
            "WHILE",
            [n, x],
            [((1,), I32), ((2, 3), F)],
            "WhileOptions",
            condSubgraphIndex=3,
            bodySubgraphIndex=4,
        )
    )


for made in tflite_quantized.CASES:
    case(made)


@case
def variables(g):
    x = g.input(f32(2, 3))
    once = g.file.graph("once")
    RESOURCE = s.TensorType.RESOURCE

    def handle(of, name):
        h = of.tensor((1,), F, kind=RESOURCE)
        of.op("VAR_HANDLE", [], [h], "VarHandleOptions", container="", sharedName=name)
        return h

    once.op(
        "ASSIGN_VARIABLE", [handle(once, "sum"), once.const(f32(2, 3))], [], "AssignVariableOptions"
    )
    g.op("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=1)
    h = handle(g, "sum")
    before = g.op("READ_VARIABLE", [h], [((2, 3), F)], "ReadVariableOptions")
    after = g.op("ADD", [before[0], x], [((2, 3), F)], "AddOptions")
    g.op("ASSIGN_VARIABLE", [h, after[0]], [], "AssignVariableOptions")
    g.out(g.op("READ_VARIABLE", [h], [((2, 3), F)], "ReadVariableOptions"))


@case
def detection(g):
    n, c = 24, 5
    corner = f32(n, 2, low=0, high=0.8)
    boxes = g.input(np.concatenate([corner, corner + f32(n, 2, low=0.05, high=0.3)], 1))
    scores = g.input(R.permutation(n).astype(F) / n)
    k = lambda v, t: g.const(v, t)
    g.out(
        g.op(
            "NON_MAX_SUPPRESSION_V4",
            [boxes, scores, k(10, I32), k(0.3, F), k(0.2, F)],
            [((10,), I32), ((), I32)],
        )
    )
    g.out(
        g.op(
            "NON_MAX_SUPPRESSION_V5",
            [boxes, scores, k(30, I32), k(0.4, F), k(0.1, F), k(0.0, F)],
            [((30,), I32), ((30,), F), ((), I32)],
        )
    )
    offsets = g.input(f32(1, n, 4))
    classes = g.input((R.permutation(n * c).reshape(1, n, c) / (n * c)).astype(F))
    anchors = g.const(
        np.concatenate([f32(n, 2, low=0.2, high=0.8), f32(n, 2, low=0.1, high=0.4)], 1)
    )
    for regular in (False, True):
        options = flexbuffers.Dumps(
            {
                "max_detections": 9,
                "max_classes_per_detection": 1,
                "detections_per_class": 6,
                "nms_score_threshold": 0.3,
                "nms_iou_threshold": 0.5,
                "num_classes": c - 1,
                "y_scale": 10.0,
                "x_scale": 10.0,
                "h_scale": 5.0,
                "w_scale": 5.0,
                "use_regular_nms": regular,
            }
        )
        g.out(
            g.op(
                "CUSTOM",
                [offsets, classes, anchors],
                [((1, 9, 4), F), ((1, 9), F), ((1, 9), F), ((1,), F)],
                custom=("TFLite_Detection_PostProcess", bytes(options)),
            )
        )


def order(interpreter):
    return (
        [d["index"] for d in interpreter.get_input_details()],
        [d["index"] for d in interpreter.get_output_details()],
    )


def answer(data, values, delegates=True):
    kw = (
        {}
        if delegates
        else {"experimental_op_resolver_type": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES}
    )
    it = Interpreter(model_content=data, num_threads=1, **kw)
    it.allocate_tensors()
    ins, outs = order(it)
    for i, v in zip(ins, values):
        it.set_tensor(i, v)
    it.invoke()
    first = [it.get_tensor(i) for i in outs]
    for i, v in zip(ins, values):
        it.set_tensor(i, v)
    it.invoke()
    return first, [it.get_tensor(i) for i in outs]


def main():
    folder = (
        sys.argv[1]
        if len(sys.argv) > 1
        else os.path.join(os.path.dirname(os.path.abspath(__file__)), "tflite")
    )
    os.makedirs(folder, exist_ok=True)
    for name, make in CASES.items():
        file = File()
        g = file.graph()
        g.file = file
        make(g)
        data = file.bytes()
        with open(os.path.join(folder, name + ".tflite"), "wb") as f:
            f.write(data)
        try:
            outputs, again = answer(data, g.values)
        except Exception as error:
            print(name, "FAILED:", str(error)[:300])
            continue
        arrays = {f"in_{i}": v for i, v in enumerate(g.values)}
        arrays.update({f"out_{i}": v for i, v in enumerate(outputs)})
        if name in ("recurrent", "variables"):
            arrays.update({f"again_{i}": v for i, v in enumerate(again)})
        np.savez_compressed(os.path.join(folder, name + ".npz"), **arrays)


if __name__ == "__main__":
    main()
