"""Cases of make_tflite.py with integers for real numbers."""

import numpy as np
from tflite_graph import F, I32, I64, B, R, f32, whole


def quantized(g, dtype):
    lo, hi = np.iinfo(dtype).min, np.iinfo(dtype).max
    wide = dtype == np.int16
    zero = 0 if wide else 7 + (128 if dtype == np.uint8 else 0)
    qx = (2.0 / 32768 if wide else 0.02, zero)
    qy = (6.0 / 32768 if wide else 0.05, 0 if wide else zero - 11)
    val = lambda *shape: R.integers(lo, hi, shape, endpoint=True).astype(dtype)
    x, y = g.input(val(2, 6, 5, 4), quant=qx), g.input(val(2, 6, 5, 4), quant=qx)
    same = lambda shape, q=qx: [(shape, dtype, q)]
    full = (2, 6, 5, 4)
    for name in ("ADD", "SUB", "MUL"):
        for act in (0, 1):
            g.out(
                g.op(
                    name,
                    [x, y],
                    same(full, qy),
                    name.title() + "Options",
                    fusedActivationFunction=act,
                    version=2,
                    **({} if name == "MUL" else {"potScaleInt16": False}),
                )
            )
    if wide:
        # No TANH: its int16 form is up to two steps off (docs/tflite.md).
        g.out(g.op("LOGISTIC", [x], same(full, (1 / 32768, 0))))
    else:
        g.out(g.op("LOGISTIC", [x], same(full, (1 / 256, lo))))
        g.out(g.op("TANH", [x], same(full, (1 / 128, lo + 128))))
        g.out(g.op("SOFTMAX", [x], same(full, (1 / 256, lo)), "SoftmaxOptions", beta=1.0))
        g.out(g.op("LEAKY_RELU", [x], same(full, qy), "LeakyReluOptions", alpha=0.2))
        g.out(g.op("HARD_SWISH", [x], same(full, qy)))
        g.out(
            g.op(
                "MEAN",
                [x, g.const([1, 2], I32)],
                same((2, 1, 1, 4)),
                "ReducerOptions",
                keepDims=True,
            )
        )
        g.out(g.op("PAD", [x, g.const([[0, 0], [1, 2], [0, 1], [0, 0]], I32)], same((2, 9, 6, 4))))
        g.out(
            g.op(
                "RESIZE_BILINEAR",
                [x, g.const([9, 7], I32)],
                same((2, 9, 7, 4)),
                "ResizeBilinearOptions",
                halfPixelCenters=True,
            )
        )
        g.out(g.op("CONCATENATION", [x, y], same((2, 6, 10, 4)), "ConcatenationOptions", axis=2))
        for name in ("MAXIMUM", "MINIMUM"):
            g.out(g.op(name, [x, y], same(full)))
        g.out(g.op("LESS", [x, y], [(full, B)]))
    g.out(
        g.op(
            "MAX_POOL_2D",
            [x],
            same((2, 3, 3, 4)),
            "Pool2DOptions",
            padding=0,
            strideH=2,
            strideW=2,
            filterHeight=2,
            filterWidth=2,
        )
    )
    g.out(
        g.op(
            "AVERAGE_POOL_2D",
            [x],
            same((2, 3, 3, 4)),
            "Pool2DOptions",
            padding=0,
            strideH=2,
            strideW=2,
            filterHeight=2,
            filterWidth=3,
        )
    )
    g.out(g.op("RESHAPE", [x, g.const([2, 120], I32)], same((2, 120))))
    g.out(g.op("TRANSPOSE", [x, g.const([0, 3, 1, 2], I32)], same((2, 4, 6, 5))))
    g.out(g.op("DEQUANTIZE", [x], [(full, F)]))
    bias_type = I64 if wide else I32
    if dtype == np.uint8:
        ws, wz = np.float32(0.01), 120
        w = lambda *shape: R.integers(0, 255, shape, endpoint=True).astype(np.uint8)
        per = lambda n, axis: (ws, wz)
        scales = lambda n: np.full(1, ws)
    else:
        w = lambda *shape: R.integers(-127, 127, shape, endpoint=True).astype(np.int8)
        table = {n: R.uniform(0.004, 0.02, n).astype(np.float32) for n in (3, 4, 8)}
        per = lambda n, axis: (table[n], np.zeros(n), axis)
        scales = lambda n: table[n]

    def bias(n):
        sc = scales(n) * np.float32(qx[0])
        return g.const(whole(n, low=-800, high=800, dtype=bias_type), quant=(sc, np.zeros(len(sc))))

    def weights(shape, axis):
        return g.const(w(*shape), quant=per(shape[axis], axis))

    qo = (12.0 / 32768, 0) if wide else (0.12, zero - 3)
    for pad, st, act, shape in (
        (0, 1, 0, (2, 6, 5, 8)),
        (0, 2, 1, (2, 3, 3, 8)),
        (1, 1, 3, (2, 4, 3, 8)),
    ):
        g.out(
            g.op(
                "CONV_2D",
                [x, weights((8, 3, 3, 4), 0), bias(8)],
                same(shape, qo),
                "Conv2DOptions",
                padding=pad,
                strideH=st,
                strideW=st,
                fusedActivationFunction=act,
                version=3,
            )
        )
    g.out(
        g.op(
            "DEPTHWISE_CONV_2D",
            [x, weights((1, 3, 3, 4), 3), bias(4)],
            same((2, 6, 5, 4), qo),
            "DepthwiseConv2DOptions",
            padding=0,
            strideH=1,
            strideW=1,
            depthMultiplier=1,
            version=3,
        )
    )
    flat = g.op("RESHAPE", [x, g.const([12, 20], I32)], same((12, 20)))[0]
    table_fc = scales(3)
    fc = g.const(
        w(3, 20),
        quant=(table_fc if len(table_fc) == 1 else table_fc[:1], wz if dtype == np.uint8 else 0),
    )
    sc = table_fc[:1] * np.float32(qx[0])
    g.out(
        g.op(
            "FULLY_CONNECTED",
            [
                flat,
                fc,
                g.const(whole(3, low=-800, high=800, dtype=bias_type), quant=(sc, np.zeros(1))),
            ],
            same((12, 3), qo),
            "FullyConnectedOptions",
            version=4,
        )
    )


def quantized_int8(g):
    quantized(g, np.int8)


def quantized_uint8(g):
    quantized(g, np.uint8)


def quantized_int16(g):
    quantized(g, np.int16)


def hybrid(g):
    x = g.input(f32(3, 16))
    w = R.integers(-127, 127, (5, 16), endpoint=True).astype(np.int8)
    g.out(
        g.op(
            "FULLY_CONNECTED",
            [x, g.const(w, quant=(0.01, 0)), g.const(f32(5))],
            [((3, 5), F)],
            "FullyConnectedOptions",
            asymmetricQuantizeInputs=True,
            version=9,
        )
    )
    sc = R.uniform(0.004, 0.02, 5).astype(np.float32)
    g.out(
        g.op(
            "FULLY_CONNECTED",
            [x, g.const(w, quant=(sc, np.zeros(5), 0)), g.const(f32(5))],
            [((3, 5), F)],
            "FullyConnectedOptions",
            asymmetricQuantizeInputs=True,
            version=12,
        )
    )
    y = g.input(f32(2, 6, 5, 4))
    cw = R.integers(-127, 127, (5, 3, 3, 4), endpoint=True).astype(np.int8)
    g.out(
        g.op(
            "CONV_2D",
            [y, g.const(cw, quant=(sc, np.zeros(5), 0)), g.const(f32(5))],
            [((2, 6, 5, 5), F)],
            "Conv2DOptions",
            padding=0,
            strideH=1,
            strideW=1,
            version=5,
        )
    )


CASES = [quantized_int8, quantized_uint8, quantized_int16, hybrid]
