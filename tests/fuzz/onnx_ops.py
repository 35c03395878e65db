"""One function an operator family: adds a node with random operands and attributes to a scope.

A function is free to ask for what is not allowed: the scope runs the node on onnxruntime and leaves
out what that refuses. `scope.emit` tells whether the results are exact, that is, the same whatever
the order and width of the arithmetic; ops whose result jumps (`jumps`) take exact operands only.
"""
import numpy as np
from onnx import TensorProto, helper

FLOATS = (np.float32, np.float64, np.float16)
INTS = (np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64)
ONNX = {np.dtype(t): n for t, n in (
    (np.float32, TensorProto.FLOAT), (np.float64, TensorProto.DOUBLE),
    (np.float16, TensorProto.FLOAT16), (np.int8, TensorProto.INT8), (np.int16, TensorProto.INT16),
    (np.int32, TensorProto.INT32), (np.int64, TensorProto.INT64), (np.uint8, TensorProto.UINT8),
    (np.uint16, TensorProto.UINT16), (np.uint32, TensorProto.UINT32),
    (np.uint64, TensorProto.UINT64), (np.bool_, TensorProto.BOOL))}


def is_float(v):
    return v.array.dtype.kind == "f"


def is_int(v):
    return v.array.dtype.kind in "iu"


def any_value(v):
    return True


def ranked(v):
    return v.array.ndim > 0


def safe_float(v):
    """What may be cast to an integer type and compared."""
    return is_float(v) and v.exact


def random_axis(s, rank):
    axis = s.rng.randrange(max(rank, 1))
    return axis - rank if s.rng.random() < 0.35 and rank else axis


# Elementwise.

# Names, whether the result is exact where the operand is, attributes.
UNARY = (
    "Abs", "Neg", "Sign", "Floor", "Ceil", "Round", "Not", "Identity", "Relu", "BitwiseNot",
    "Exp", "Log", "Sqrt", "Reciprocal", "Sigmoid", "Tanh", "Sin", "Cos", "Tan", "Asin", "Acos",
    "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Erf", "Softplus", "Softsign", "Elu", "Selu",
    "Celu", "LeakyRelu", "ThresholdedRelu", "HardSigmoid", "HardSwish", "Mish", "Gelu", "IsNaN",
    "IsInf")
KEEPS_EXACT = ("Abs", "Neg", "Sign", "Floor", "Ceil", "Round", "Not", "Identity", "Relu",
               "BitwiseNot", "IsNaN", "IsInf", "ThresholdedRelu")
JUMPS = ("Sign", "Floor", "Ceil", "Round", "IsNaN", "IsInf", "ThresholdedRelu")


def unary(s):
    rng, op = s.rng, s.rng.choice(UNARY)
    wanted = {"Not": lambda v: v.array.dtype == np.bool_, "BitwiseNot": is_int}.get(
        op, lambda v: is_float(v) if op not in ("Abs", "Neg", "Sign", "Identity", "Relu")
        else v.array.dtype != np.bool_ or op == "Identity")
    x = s.pick(lambda v: wanted(v) and (v.exact or op not in JUMPS))
    if x is None:
        return
    attributes = {}
    if op in ("Elu", "LeakyRelu", "ThresholdedRelu", "HardSigmoid", "Selu", "Celu") and \
            rng.random() < 0.6:
        attributes["alpha"] = rng.choice((0.25, 0.5, 1.0, 2.0))
        if op == "HardSigmoid":
            attributes["beta"] = rng.choice((0.0, 0.25, 0.5))
        if op == "Selu":
            attributes["gamma"] = rng.choice((0.5, 1.5))
    if op == "IsInf" and rng.random() < 0.5:
        attributes[rng.choice(("detect_negative", "detect_positive"))] = 0
    if op == "Gelu" and rng.random() < 0.5:
        attributes["approximate"] = "tanh"
    s.emit(op, [x], x.exact and op in KEEPS_EXACT, **attributes)


def operand_for(s, x, same=None):
    """A value of x's type that broadcasts with it, or a constant that does."""
    rng = s.rng
    found = s.pick(lambda v: v.array.dtype == x.array.dtype and fits(v.array.shape, x.array.shape)
                   and (same is None or same(v)))
    if found is not None and rng.random() < 0.6:
        return found
    shape = [1 if rng.random() < 0.5 else d for d in x.array.shape[rng.randrange(
        x.array.ndim + 1):]]
    return s.const(s.gen.data(x.array.dtype, [d if d else 1 for d in shape]))


def fits(a, b):
    try:
        return np.prod(np.broadcast_shapes(a, b)) <= 4096
    except ValueError:
        return False


def binary(s):
    rng = s.rng
    op = rng.choice(("Add", "Sub", "Mul", "Div", "Min", "Max", "Mean", "Sum", "Pow", "Mod", "PRelu",
                     "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "And", "Or", "Xor"))
    if op in ("And", "Or", "Xor"):
        x = s.pick(lambda v: v.array.dtype == np.bool_)
    elif op in ("BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor"):
        x = s.pick(is_int)
    else:
        x = s.pick(lambda v: v.array.dtype != np.bool_)
    if x is None:
        return
    attributes, ints = {}, is_int(x)
    if op in ("Div", "Mod") and ints:
        # By zero the peer ends the process.
        y = s.const(np.array(rng.choice((1, 2, 3, 5, 7, 64)), x.array.dtype))
        if rng.random() < 0.3 and x.array.ndim:
            y = s.const(np.array([rng.choice((1, 2, 3, 7)) for _ in range(x.array.shape[-1] or 1)],
                                 x.array.dtype))
        if op == "Mod" and rng.random() < 0.3 and not s.gen.has_extremes:
            attributes["fmod"] = 1
    elif op == "Mod":
        y, attributes["fmod"] = s.const(np.array(rng.choice((0.75, 1.5, -2)), x.array.dtype)), 1
        if not x.exact:
            return
    elif op == "Pow":
        if s.gen.has_extremes and ints:
            return
        kind = x.array.dtype if s.opset < 12 or rng.random() < 0.5 else \
            np.dtype(rng.choice((np.int32, np.int64, np.float32)))
        y = s.const(np.array(rng.choice((0, 1, 2, 3)), kind))
    elif op == "BitShift":
        bits = 8 * x.array.dtype.itemsize
        y = s.const(np.array(rng.randrange(bits), x.array.dtype))
        attributes["direction"] = rng.choice(("LEFT", "RIGHT"))
    elif op == "PRelu":  # the slope is broadcast to x, and not x to it
        y = s.const(s.gen.data(x.array.dtype, [1 if rng.random() < 0.5 else d for d in
                                               x.array.shape[rng.randrange(x.array.ndim + 1):]]))
    else:
        y = operand_for(s, x)
    pair = [x, y]
    if op in ("Add", "Sub", "Mul", "Min", "Max", "And", "Or", "Xor") and rng.random() < 0.3:
        pair.reverse()
    if op in ("Min", "Max", "Mean", "Sum") and rng.random() < 0.3:
        pair = pair + [operand_for(s, x)] if rng.random() < 0.7 else pair[:1]
    exact = all(v.exact for v in pair) and (ints or op in ("Min", "Max", "And", "Or", "Xor"))
    short = all(v.exact for v in pair) and op in ("Add", "Sub", "Mul", "Sum")
    s.emit(op, pair, "short" if short and not ints else exact, **attributes)


def compare(s):
    op = s.rng.choice(("Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"))
    x = s.pick(lambda v: v.exact and (v.array.dtype != np.bool_ or op == "Equal"))
    if x is not None:
        y = operand_for(s, x, lambda v: v.exact)
        s.emit(op, [x, y], True)


def where(s):
    x = s.pick(any_value)
    cond = s.pick(lambda v: v.array.dtype == np.bool_ and fits(v.array.shape, x.array.shape))
    if cond is None:
        return
    y = operand_for(s, x)
    pair = [x, y]
    s.rng.shuffle(pair)
    s.emit("Where", [cond] + pair, x.exact and y.exact and cond.exact)


def cast(s):
    rng = s.rng
    x = s.pick(lambda v: not is_float(v) or safe_float(v) or rng.random() < 0.3)
    to = np.dtype(rng.choice(FLOATS + INTS + (np.bool_,)))
    exact = x.exact
    if is_float(x) and to.kind in "iu":
        # Out of range and NaN are open in ONNX.
        if not x.exact or s.gen.has_nan:
            return
        low, high = (0, 100) if to.kind == "u" else (-100, 100)
        x = s.clip(x, low, high)
        if x is None:
            return
    elif to.kind == "b" and is_float(x) and not x.exact:
        return
    elif to.kind == "f":
        exact = "short" if exact else False
    if s.opset >= 15 and rng.random() < 0.2:
        like = s.const(np.zeros([1] * rng.randrange(3), to))
        s.emit("CastLike", [x, like], exact)
    elif is_float(x) and s.opset >= 13 and rng.random() < 0.05:
        half = s.emit("Cast", [x], "short" if x.exact else False, hidden=True,
                      to=TensorProto.BFLOAT16)
        if half:
            s.emit("Cast", half, half[0].exact, to=ONNX[x.array.dtype])
    else:
        s.emit("Cast", [x], exact, to=ONNX[to])


def clip(s):
    rng = s.rng
    x = s.pick(lambda v: v.array.dtype != np.bool_)
    if x is None:
        return
    low, high = sorted(rng.sample(range(0 if x.array.dtype.kind == "u" else -4, 9), 2))
    limits = [low if rng.random() < 0.7 else None, high if rng.random() < 0.7 else None]
    if s.gen.has_nan:  # without a limit the peer makes finite numbers of infinities
        limits = [low, high]
    if s.opset < 11:
        s.emit("Clip", [x], x.exact, **{k: float(v) for k, v in zip(("min", "max"), limits)
                                        if v is not None})
    else:
        s.emit("Clip", [x] + [None if v is None else s.const(np.array(v, x.array.dtype))
                              for v in limits], x.exact)


# Reductions.

REDUCTIONS = ("ReduceSum", "ReduceMean", "ReduceProd", "ReduceMax", "ReduceMin", "ReduceL1",
              "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp")


def axes_of(s, rank):
    count = s.rng.choice((1, 1, 1, 2, rank))
    axes = s.rng.sample(range(rank), min(count, rank))
    return [a - rank if s.rng.random() < 0.3 and s.opset >= 11 else a for a in axes]


def reduce(s):
    rng, op = s.rng, s.rng.choice(REDUCTIONS)
    # The reduction of nothing is open, or an error, before op-set 20.
    x = s.pick(lambda v: v.array.size > 0 and (v.array.ndim > 0 or rng.random() < 0.1)
               and (v.array.dtype != np.bool_ or s.opset >= 20))
    # Integer roots, means and overflow are open in ONNX; the peer sums some types as floats.
    if x is None or (is_int(x) and op not in ("ReduceMax", "ReduceMin") and (
            s.gen.has_extremes or op not in ("ReduceSum", "ReduceL1", "ReduceSumSquare"))):
        return
    attributes, inputs = {}, [x]
    if rng.random() < 0.8:
        attributes["keepdims"] = rng.randrange(2)
    if x.array.ndim and rng.random() < 0.85:
        axes = axes_of(s, x.array.ndim)
        if s.opset >= (13 if op == "ReduceSum" else 18):
            inputs.append(s.const(np.array(axes, np.int64)))
            if rng.random() < 0.1:
                attributes["noop_with_empty_axes"] = 1
        else:
            attributes["axes"] = axes
    elif s.opset >= 18 and rng.random() < 0.5:
        inputs += [None] if rng.random() < 0.5 else []
        attributes["noop_with_empty_axes"] = rng.randrange(2)
    exact = x.exact and (op in ("ReduceMax", "ReduceMin") or is_int(x))
    s.emit(op, inputs, "short" if x.exact and op == "ReduceSum" and is_float(x) else exact,
           **attributes)


def arg_reduce(s):
    rng = s.rng
    x = s.pick(lambda v: v.exact and v.array.ndim > 0 and 0 not in v.array.shape and
               not np.isnan(v.array.astype(np.float64)).any())
    if x is None or (s.gen.has_nan and is_float(x)):  # which index a NaN has is open
        return
    attributes = {"axis": random_axis(s, x.array.ndim), "keepdims": rng.randrange(2)}
    if s.opset >= 12 and rng.random() < 0.3:
        attributes["select_last_index"] = 1
    s.emit(rng.choice(("ArgMax", "ArgMin")), [x], True, **attributes)


def top_k(s):
    rng = s.rng
    # Of an empty operand the peer ends the process.
    x = s.pick(lambda v: v.exact and v.array.ndim > 0 and v.array.dtype != np.bool_ and
               v.array.size > 0)
    if x is None or (s.gen.has_nan and is_float(x)):
        return
    axis = random_axis(s, x.array.ndim)
    k = rng.randrange(0, 1 + x.array.shape[axis])
    attributes = {"axis": axis}
    if s.opset >= 11:
        attributes["largest"] = rng.randrange(2)
    if s.opset < 10:
        s.emit("TopK", [x], True, outputs=2, k=k, **attributes)
    else:
        s.emit("TopK", [x, s.const(np.array([k], np.int64))], True, outputs=2, **attributes)


def line_op(s):
    rng = s.rng
    op = rng.choice(("Softmax", "LogSoftmax", "Hardmax", "CumSum", "CumSum"))
    if op == "CumSum":
        x = s.pick(lambda v: v.array.ndim > 0 and v.array.dtype != np.bool_)
        if x is not None and not s.gen.has_extremes:
            kind = rng.choice((np.int32, np.int64))
            axis = s.const(np.array(random_axis(s, x.array.ndim), kind))
            s.emit(op, [x, axis], is_int(x) and x.exact, exclusive=rng.randrange(2),
                   reverse=rng.randrange(2))
        return
    x = s.pick(lambda v: is_float(v) and (v.exact or op != "Hardmax") and v.array.ndim > 0)
    if x is None or (op == "Hardmax" and s.gen.has_nan):
        return
    attributes = {"axis": random_axis(s, x.array.ndim) if s.opset >= 11 else
                  rng.randrange(x.array.ndim)} if rng.random() < 0.8 else {}
    s.emit(op, [x], op == "Hardmax" and x.exact, **attributes)


# Sizes and shapes.

def shape_of(s):
    x = s.pick(ranked) or s.pick(any_value)
    attributes = {}
    if s.opset >= 15 and s.rng.random() < 0.4:
        attributes["start"] = s.rng.randrange(-x.array.ndim - 1, x.array.ndim + 1)
        if s.rng.random() < 0.5:
            attributes["end"] = s.rng.randrange(-x.array.ndim - 1, x.array.ndim + 2)
    if s.rng.random() < 0.15:
        return s.emit("Size", [x], True)
    return s.emit("Shape", [x], True, **attributes)


def dim(s, x, axis):
    """The size of one axis, as a list of one."""
    shape = s.emit("Shape", [x], True, hidden=True)
    if not shape:
        return None
    if s.rng.random() < 0.5:
        out = s.emit("Gather", [shape[0], s.const(np.array([axis], np.int64))], True, hidden=True)
    else:
        out = s.slice(shape[0], [axis], [axis + 1 or 2 ** 62], [0])
    return out[0] if out else None


def list_of(s, x, numbers):
    """A list of sizes: constant, or with dims of x where it has such numbers."""
    parts, known = [], list(x.array.shape)
    if s.rng.random() < 0.3:
        return s.const(np.array(numbers, np.int64))
    for n in numbers:
        part = dim(s, x, known.index(n)) if n in known and s.rng.random() < 0.7 else None
        parts.append(part or s.const(np.array([n], np.int64)))
    if not parts:
        return s.const(np.zeros(0, np.int64))
    out = s.emit("Concat", parts, True, hidden=True, axis=0)
    return out[0] if out else None


def factors(rng, count):
    """Sizes whose product is `count`."""
    out = []
    while count > 1 and len(out) < 3:
        f = rng.choice([d for d in range(1, count + 1) if count % d == 0])
        out.append(f)
        count //= f
    return out + ([count] if count != 1 or rng.random() < 0.3 else [])


def reshape(s):
    rng = s.rng
    x = s.pick(any_value)
    sizes = factors(rng, x.array.size)
    attributes = {}
    if x.array.size == 0:
        sizes = list(x.array.shape)
        rng.shuffle(sizes)
        if s.opset >= 14:
            attributes["allowzero"] = 1
    elif rng.random() < 0.5 and sizes:
        sizes[rng.randrange(len(sizes))] = -1
        if rng.random() < 0.2 and x.array.ndim and sizes[0] == x.array.shape[0]:
            sizes[0] = 0
    target = list_of(s, x, sizes)
    if target is not None:
        s.emit("Reshape", [x, target], x.exact, **attributes)


def flatten(s):
    x = s.pick(any_value)
    low = -x.array.ndim if s.opset >= 11 else 0
    s.emit("Flatten", [x], x.exact, axis=s.rng.randrange(low, x.array.ndim + 1))


def transpose(s):
    x = s.pick(ranked)
    if x is None:
        return
    perm = list(range(x.array.ndim))
    s.rng.shuffle(perm)
    s.emit("Transpose", [x], x.exact, **({"perm": perm} if s.rng.random() < 0.8 else {}))


def squeeze(s):
    rng = s.rng
    x = s.pick(lambda v: v.array.ndim < 5)
    if x is None:
        return
    rank = x.array.ndim
    ones = [i for i, d in enumerate(x.array.shape) if d == 1]
    if ones and rng.random() < 0.6:
        axes = rng.sample(ones, rng.randrange(1, len(ones) + 1))
        op, total = "Squeeze", rank
        # Without axes the rank depends on the sizes.
        if rng.random() < 0.1:
            return s.emit(op, [x], x.exact, loose=True)
    else:
        op, total = "Unsqueeze", rank + rng.choice((1, 1, 2))
        axes = rng.sample(range(total), total - rank)
    axes = [a - total if rng.random() < 0.3 and s.opset >= 11 else a for a in axes]
    if s.opset >= 13:
        return s.emit(op, [x, s.const(np.array(axes, np.int64))], x.exact)
    return s.emit(op, [x], x.exact, axes=axes)


def expand(s):
    rng = s.rng
    x = s.pick(lambda v: v.array.size < 200)
    if x is None:
        return
    if rng.random() < 0.4 and x.array.ndim:
        repeats = [rng.choice((1, 1, 2, 3, 0) if rng.random() < 0.2 else (1, 1, 2))
                   for _ in x.array.shape]
        target = list_of(s, x, repeats)
        return target and s.emit("Tile", [x, target], x.exact)
    sizes = [rng.choice((d, 1)) if d != 1 else rng.choice((1, 2, 3)) for d in x.array.shape]
    sizes = [rng.choice((1, 2)) for _ in range(rng.randrange(2))] + sizes[rng.randrange(2):]
    target = list_of(s, x, sizes)
    return target and s.emit("Expand", [x, target], x.exact)


def concat(s):
    rng = s.rng
    x = s.pick(ranked)
    if x is None:
        return
    axis = rng.randrange(x.array.ndim)
    parts = [x]
    for _ in range(rng.randrange(3)):
        y = s.pick(lambda v: v.array.dtype == x.array.dtype and v.array.ndim == x.array.ndim and
                   np.delete(v.array.shape, axis).tolist() ==
                   np.delete(x.array.shape, axis).tolist())
        parts.append(y)
    rng.shuffle(parts)
    if s.opset >= 11 and rng.random() < 0.3:
        axis -= x.array.ndim
    s.emit("Concat", parts, all(p.exact for p in parts), axis=axis)


def split(s):
    rng = s.rng
    x = s.pick(ranked)
    if x is None:
        return
    axis = random_axis(s, x.array.ndim) if s.opset >= 11 else rng.randrange(x.array.ndim)
    size = x.array.shape[axis]
    count = rng.choice((1, 2, 3))
    attributes = {"axis": axis} if axis or rng.random() < 0.5 else {}
    if rng.random() < 0.6:
        cuts = sorted(rng.randrange(size + 1) for _ in range(count - 1))
        sizes = np.diff([0] + cuts + [size]).tolist()
        if s.opset < 13:
            return s.emit("Split", [x], x.exact, outputs=count, split=sizes, **attributes)
        return s.emit("Split", [x, s.const(np.array(sizes, np.int64))], x.exact, outputs=count,
                      **attributes)
    if s.opset >= 18:
        attributes["num_outputs"] = count
    return s.emit("Split", [x], x.exact, outputs=count, **attributes)


def slice_(s):
    rng = s.rng
    x = s.pick(ranked)
    if x is None:
        return
    rank = x.array.ndim
    axes = rng.sample(range(rank), rng.randrange(1, min(rank, 2) + 1))
    bounds = [[rng.choice((0, 1, 2, -1, -2, 5, x.array.shape[a], 2 ** 31 - 1, -2 ** 31, 2 ** 63 - 1,
                           -2 ** 63)) for a in axes] for _ in range(2)]
    steps = [rng.choice((1, 1, 2, -1, -2)) for _ in axes]
    # The peer takes these for "to the end" backwards too, where ONNX has the lowest number for it.
    bounds[1] = [-2 ** 63 if step < 0 and end > 2 ** 30 else end
                 for step, end in zip(steps, bounds[1])]
    if s.opset < 10:
        return s.emit("Slice", [x], x.exact, starts=bounds[0], ends=bounds[1],
                      **({"axes": axes} if axes != list(range(len(axes))) or rng.random() < 0.5
                         else {}))
    axes = [a - rank if rng.random() < 0.3 else a for a in axes]
    if rng.random() < 0.3:
        bounds = np.clip(bounds, -2 ** 31, 2 ** 31 - 1).tolist()
        return s.slice(x, *bounds, axes, steps, np.int32, hidden=False)
    return s.slice(x, *bounds, axes, steps, hidden=False)


def indices(s, size, shape):
    numbers = [s.rng.randrange(-size if s.opset >= 11 else 0, size)
               for _ in range(int(np.prod(shape)))]
    return np.array(numbers, s.rng.choice((np.int32, np.int64))).reshape(shape)


def gather(s):
    rng = s.rng
    x = s.pick(lambda v: v.array.ndim > 0 and 0 not in v.array.shape)
    if x is None:
        return
    axis, op = random_axis(s, x.array.ndim), rng.choice(("Gather", "GatherElements", "GatherND"))
    if op == "Gather":
        where_from = s.pick(lambda v: v.array.dtype in (np.int64, np.int32) and v.array.size and
                            v.array.size < 40 and v.array.min() >= 0 and
                            v.array.max() < x.array.shape[axis] and v.exact)
        index = where_from if where_from and rng.random() < 0.5 else s.const(indices(
            s, x.array.shape[axis], [rng.choice((1, 2, 3)) for _ in range(rng.randrange(3))]))
        return s.emit(op, [x, index], x.exact, **({"axis": axis} if axis or rng.random() < 0.5
                                                  else {}))
    if op == "GatherElements":
        shape = [rng.randrange(1, d + 1) if i != axis % x.array.ndim else rng.choice((1, 2, 4))
                 for i, d in enumerate(x.array.shape)]
        index = indices(s, x.array.shape[axis], shape)
        return s.emit(op, [x, s.const(index)], x.exact, axis=axis)
    batch = rng.randrange(x.array.ndim) if s.opset >= 12 and rng.random() < 0.3 else 0
    width = rng.randrange(1, x.array.ndim - batch + 1)
    lead = list(x.array.shape[:batch]) + [rng.choice((1, 2, 3)) for _ in range(rng.randrange(2))]
    index = np.stack([indices(s, x.array.shape[batch + i], lead).astype(np.int64)
                      for i in range(width)], -1)
    return s.emit(op, [x, s.const(index)], x.exact, **({"batch_dims": batch} if batch else {}))


def scatter(s):
    rng = s.rng
    x = s.pick(lambda v: v.array.ndim > 0 and 0 not in v.array.shape)
    if x is None:
        return
    attributes = {}
    if s.opset >= 16 and rng.random() < 0.5 and x.array.dtype != np.bool_:
        # As in ReduceMax the peer loses a NaN in the last two.
        both = s.opset >= 18 and not (s.gen.has_nan and is_float(x))
        attributes["reduction"] = rng.choice(("add", "mul", "max", "min")[:4 if both else 2])
    exact = x.exact and (not attributes or is_int(x) or attributes["reduction"] in ("max", "min"))
    if rng.random() < 0.5:
        axis = rng.randrange(x.array.ndim)
        # One index a line: of two that meet, which one stays is open.
        shape = [rng.randrange(1, d + 1) if i != axis else 1 for i, d in enumerate(x.array.shape)]
        index = indices(s, x.array.shape[axis], shape)
        updates = s.const(s.gen.data(x.array.dtype, shape))
        op = "ScatterElements" if s.opset >= 11 else "Scatter"
        return s.emit(op, [x, s.const(index), updates], exact, axis=axis, **attributes)
    width = rng.randrange(1, x.array.ndim + 1)
    index = np.stack([indices(s, d, [1]).astype(np.int64) for d in x.array.shape[:width]], -1)
    updates = s.const(s.gen.data(x.array.dtype, (1,) + x.array.shape[width:]))
    return s.emit("ScatterND", [x, s.const(index), updates], exact, **attributes)


def pad(s):
    rng = s.rng
    x = s.pick(lambda v: 0 < v.array.ndim < 5)
    if x is None:
        return
    rank = x.array.ndim
    mode = rng.choice(("constant", "constant", "edge", "reflect") + (
        ("wrap",) if s.opset >= 19 else ()))
    if 0 in x.array.shape and mode != "constant":
        return
    low = -1 if mode == "constant" and rng.random() < 0.3 else 0
    pads = [rng.randrange(low, 2 if mode in ("reflect", "wrap") else 3) for _ in range(2 * rank)]
    if mode == "reflect":
        pads = [min(p, d - 1) for p, d in zip(pads, x.array.shape * 2)]
    attributes = {"mode": mode} if mode != "constant" or rng.random() < 0.5 else {}
    value = rng.choice((0, 1, 2))
    if s.opset < 11:
        if rng.random() < 0.5:
            attributes["value"] = float(value)
        return s.emit("Pad", [x], x.exact, pads=pads, **attributes)
    inputs = [x, s.const(np.array(pads, np.int64))]
    if rng.random() < 0.5:
        inputs.append(s.const(np.array(value, x.array.dtype)))
    elif s.opset >= 18 and rng.random() < 0.5:
        axes = rng.sample(range(rank), rng.randrange(1, rank + 1))
        inputs[1] = s.const(np.array(pads[:len(axes)] + pads[rank:rank + len(axes)], np.int64))
        inputs += [None, s.const(np.array([a - rank if rng.random() < 0.3 else a for a in axes],
                                          np.int64))]
        if mode in ("reflect", "wrap"):
            return None
    return s.emit("Pad", inputs, x.exact, **attributes)


def fill(s):
    rng = s.rng
    if rng.random() < 0.5:
        kind = np.dtype(rng.choice((np.int64, np.int32, np.float32, np.int16, np.float64)))
        numbers = [rng.choice((0, 1, -2)), rng.choice((0, 3, 5)), rng.choice((1, 2, -1))]
        if kind.kind == "f":
            numbers = [n / 4 * 2 for n in numbers]
        inputs = [s.const(np.array(n, kind)) for n in numbers]
        size = s.pick(lambda v: v.array.dtype == kind and v.array.ndim == 0 and v.exact and
                      -9 < v.array < 40)
        if size is not None:
            inputs[rng.randrange(2)] = size
        return s.emit("Range", inputs, True)
    x = s.pick(ranked)
    if x is None:
        return None
    sizes = list_of(s, x, [d for d in x.array.shape if rng.random() < 0.7][:3])
    if sizes is None:
        return None
    attributes = {}
    if rng.random() < 0.7:
        kind = np.dtype(rng.choice(FLOATS + INTS + (np.bool_,)))
        attributes["value"] = helper.make_tensor("value", ONNX[kind], [1], [1])
    return s.emit("ConstantOfShape", [sizes], True, **attributes)


def non_zero(s):
    # Of a scalar ONNX wants [0, N], the peer gives [1, N].
    x = s.pick(lambda v: v.exact and v.array.ndim > 0)
    if x is None:
        return
    found = s.emit("NonZero", [x], True, loose=True)
    if found and x.array.ndim and s.rng.random() < 0.6:
        turned = s.emit("Transpose", found, True, hidden=True, perm=[1, 0])
        if turned and s.opset >= 11:
            s.emit("GatherND", [x, turned[0]], x.exact, loose=True)


# How often each is tried.
WAYS = ((unary, 5), (binary, 6), (compare, 2), (where, 2), (cast, 3), (clip, 1), (reduce, 3),
        (arg_reduce, 1), (top_k, 1), (line_op, 2), (shape_of, 2), (reshape, 2), (flatten, 1),
        (transpose, 1), (squeeze, 2), (expand, 2), (concat, 2), (split, 1), (slice_, 2),
        (gather, 3), (scatter, 1), (pad, 1), (fill, 1), (non_zero, 0.4))
