"""As onnx_ops.py: products, windows, quantization and norms."""
import numpy as np

from onnx_ops import is_float, is_int, random_axis


def product(s):
    rng = s.rng
    x = s.pick(lambda v: v.array.ndim > 0 and v.array.dtype != np.bool_ and v.array.shape[-1] > 0)
    if x is None:
        return
    dtype, inner = x.array.dtype, x.array.shape[-1]
    other = s.pick(lambda v: v.array.dtype == dtype and v.array.ndim > 0 and
                   v.array.shape[-2 if v.array.ndim > 1 else 0] == inner)
    if other is None or rng.random() < 0.6:
        shape = ([rng.choice((1, 2))] if rng.random() < 0.2 else []) + \
            [inner] + ([rng.choice((1, 2, 5, 17))] if rng.random() < 0.85 else [])
        other = s.const(s.gen.data(dtype, shape))
    if x.array.dtype in (np.int8, np.uint8):
        if rng.random() < 0.5:
            other = s.const(s.gen.data(rng.choice((np.int8, np.uint8)), other.array.shape))
        zero = [s.const(np.array(rng.choice((0, 1, 3)), v.array.dtype)) for v in (x, other)]
        return s.emit("MatMulInteger", [x, other] + zero[:rng.randrange(3)], x.exact)
    if rng.random() < 0.4 and x.array.ndim == 2 and other.array.ndim == 2 and is_float(x):
        return gemm(s, x, other)
    return s.emit("MatMul", [x, other], is_int(x) and x.exact and other.exact)


def gemm(s, x, other):
    rng, attributes, inputs = s.rng, {}, [x, other]
    for i, name in enumerate(("transA", "transB")):
        if rng.random() < 0.4:
            turned = s.emit("Transpose", [inputs[i]], inputs[i].exact, hidden=True, perm=[1, 0])
            inputs[i], attributes[name] = turned[0], 1
    if rng.random() < 0.4:
        attributes["alpha"] = rng.choice((0.5, 2.0))
    rows, columns = x.array.shape[0], other.array.shape[1]
    if s.opset < 11 or rng.random() < 0.6:
        shape = rng.choice(((columns,), (1, columns), (rows, 1), (1, 1), (1,), ()))
        inputs.append(s.const(s.gen.data(x.array.dtype, shape)))
        if rng.random() < 0.4:
            attributes["beta"] = rng.choice((0.5, 2.0, 0.0))
    return s.emit("Gemm", inputs, False, **attributes)


def image(s, dtype=None):
    """A value of rank 3 to 5 with small spatial dims: found, or made of another by a Reshape."""
    rng = s.rng
    x = s.pick(lambda v: 3 <= v.array.ndim <= 4 and v.array.dtype == (dtype or np.float32) and
               v.array.size > 0)
    if x is not None and rng.random() < 0.5:
        return x
    shape = [rng.choice((1, 2)), rng.choice((1, 2, 4))] + \
        [rng.choice((1, 3, 5, 6, 7)) for _ in range(rng.choice((1, 2, 2, 3)))]
    return s.const(s.gen.data(dtype or np.float32, shape), as_input=True)


def window(s, x, kernel):
    rng, rank = s.rng, x.array.ndim - 2
    out = {}
    if rng.random() < 0.5:
        out["strides"] = [rng.choice((1, 2, 3)) for _ in range(rank)]
    if rng.random() < 0.3:
        out["auto_pad"] = rng.choice(("SAME_UPPER", "SAME_LOWER", "VALID"))
    elif rng.random() < 0.6:
        out["pads"] = [rng.randrange(0, max(1, k)) for k in kernel * 2]
    return out


def outgrows(sizes, attributes):
    """Whether a window is larger than its padded input by no whole stride. Without ceil_mode ONNX's
    formula rounds down and the peer toward zero."""
    rank = len(sizes)
    ones, none = [1] * rank, [0] * rank * 2
    pads = attributes.get("pads", none)
    for i, (size, kernel) in enumerate(zip(sizes, attributes["kernel_shape"])):
        stride = attributes.get("strides", ones)[i]
        extent = (kernel - 1) * attributes.get("dilations", ones)[i] + 1
        room = size + pads[i] + pads[i + rank] - extent
        if room < 0 and room % stride and not attributes.get("ceil_mode"):
            return True
    return False


def pool(s):
    rng = s.rng
    x = image(s)
    if s.gen.has_nan:  # the peer's own answers to NaN differ from each other
        return None
    op = rng.choice(("MaxPool", "MaxPool", "AveragePool", "AveragePool", "GlobalMaxPool",
                     "GlobalAveragePool"))
    if op.startswith("Global"):
        return s.emit(op, [x], x.exact and op == "GlobalMaxPool")
    kernel = [rng.choice((1, 2, 3)) for _ in x.array.shape[2:]]
    attributes = dict(window(s, x, kernel), kernel_shape=kernel)
    if s.opset >= 10 and rng.random() < 0.4 and "auto_pad" not in attributes:
        attributes["ceil_mode"] = 1
    # A maximum over padding alone is open in ONNX.
    if "pads" in attributes:
        attributes["pads"] = [min(p, k - 1) for p, k in zip(attributes["pads"], kernel * 2)]
    # With SAME the peer's output is smaller by the dilation, against ONNX's formula.
    if rng.random() < 0.3 and s.opset >= (10 if op == "MaxPool" else 19) and \
            "auto_pad" not in attributes and "pads" not in attributes:
        attributes["dilations"] = [rng.choice((1, 2)) for _ in kernel]
    same = attributes.get("auto_pad", "").startswith("SAME")
    if not same and outgrows(x.array.shape[2:], attributes):
        return None
    if op == "AveragePool":
        if rng.random() < 0.5:
            attributes["count_include_pad"] = 1
        return s.emit(op, [x], False, **attributes)
    outputs = 2 if s.opset >= 8 and rng.random() < 0.3 and x.exact else 1
    return s.emit(op, [x], x.exact, outputs=outputs, **attributes)


def conv(s):
    rng = s.rng
    x = image(s)
    channels = x.array.shape[1]
    group = rng.choice([g for g in range(1, channels + 1) if channels % g == 0])
    kernel = [rng.choice((1, 2, 3)) for _ in x.array.shape[2:]]
    made = group * rng.choice((1, 2, 3))
    attributes = window(s, x, kernel)
    if rng.random() < 0.5:
        attributes["kernel_shape"] = kernel
    if group > 1 or rng.random() < 0.3:
        attributes["group"] = group
    if rng.random() < 0.3 and "auto_pad" not in attributes:
        attributes["dilations"] = [rng.choice((1, 2)) for _ in kernel]
    if rng.random() < 0.3:
        # With SAME and a kernel below the stride three readers give three answers.
        attributes.pop("auto_pad", None)
        if rng.random() < 0.3:
            attributes["output_padding"] = [
                rng.randrange(st) for st in attributes.get("strides", [1] * len(kernel))]
        weight = s.const(s.gen.data(np.float32, [channels, made // group] + kernel))
        op = "ConvTranspose"
    else:
        weight = s.const(s.gen.data(np.float32, [made, channels // group] + kernel))
        op = "Conv"
    bias = [s.const(s.gen.data(np.float32, [made]))] if rng.random() < 0.5 else []
    return s.emit(op, [x, weight] + bias, False, **attributes)


def quantized(s):
    rng = s.rng
    kind = rng.choice((np.uint8, np.int8))
    if rng.random() < 0.5:
        x = s.pick(lambda v: v.array.dtype == np.float32 and v.exact)
        if x is None or s.gen.has_nan:
            return None
        if rng.random() < 0.15:
            return s.emit("DynamicQuantizeLinear", [x], False, outputs=3)
        scale = s.const(np.array(rng.choice((0.25, 0.5)), np.float32))
        zero = s.const(np.array(rng.choice((0, 3)), kind))
        return s.emit("QuantizeLinear", [x, scale] + ([zero] if rng.random() < 0.8 else []), True)
    x = s.pick(lambda v: v.array.dtype in (np.uint8, np.int8, np.int32))
    if x is None:
        return None
    attributes, shape = {}, ()
    if s.opset >= 13 and x.array.ndim and rng.random() < 0.4:
        attributes["axis"] = axis = random_axis(s, x.array.ndim)
        shape = (x.array.shape[axis],)
    scale = s.const(np.array([rng.choice((0.25, 0.5, 1)) for _ in range(int(np.prod(shape)))],
                             np.float32).reshape(shape))
    zero = s.const(np.full(shape, 0 if x.array.dtype == np.int32 else 2, x.array.dtype))
    return s.emit("DequantizeLinear", [x, scale] + ([zero] if rng.random() < 0.7 else []),
                  "short" if x.exact else False, **attributes)


def norm(s):
    rng = s.rng
    op = rng.choice(("BatchNormalization", "InstanceNormalization", "LayerNormalization",
                     "GroupNormalization"))
    if op == "LayerNormalization":
        x = s.pick(lambda v: is_float(v) and v.array.ndim > 0 and v.array.size > 0)
        if x is None:
            return None
        axis = random_axis(s, x.array.ndim)
        tail = x.array.shape[axis % x.array.ndim:]
        inputs = [x, s.const(s.gen.data(x.array.dtype, tail))]
        if rng.random() < 0.5:
            inputs.append(s.const(s.gen.data(x.array.dtype, tail)))
        return s.emit(op, inputs, False, axis=axis, epsilon=0.1)
    x = image(s)
    if x.array.ndim < 3:
        return None
    channels = x.array.shape[1]
    data = lambda: s.const(s.gen.data(np.float32, [channels]))
    if op == "BatchNormalization":
        variance = s.const(np.array([rng.choice((0.5, 1, 2)) for _ in range(channels)], np.float32))
        return s.emit(op, [x, data(), data(), data(), variance], False, epsilon=0.1)
    if op == "GroupNormalization":
        group = rng.choice([g for g in range(1, channels + 1) if channels % g == 0])
        return s.emit(op, [x, data(), data()], False, num_groups=group, epsilon=0.1)
    return s.emit(op, [x, data(), data()], False, epsilon=0.1)


def dropout(s):
    x = s.pick(is_float)
    if x is not None:
        s.emit("Dropout", [x], x.exact)


# How often each is tried.
WAYS = ((product, 2), (pool, 1), (conv, 1), (quantized, 1), (norm, 1), (dropout, 0.3))
