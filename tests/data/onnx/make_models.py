"""Writes the small models of this folder and what onnxruntime answers on them.

    python tests/data/onnx/make_models.py     (needs the PyPI packages onnx, onnxruntime, numpy)

Each NAME.onnx comes with NAME.<case>.in.<input>.npy and NAME.<case>.out.<output>.npy, the outputs
computed by onnxruntime's default CPU kernels. Deterministic; rerun it only to add a model.
"""

import pathlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

HERE = pathlib.Path(__file__).resolve().parent


def const(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def save(name, graph, cases, by_numpy=None, opsets=(("", 17),), **more):
    """by_numpy: functions of the inputs for outputs that onnxruntime computes otherwise."""
    imports = [h.make_opsetid(domain, version) for domain, version in opsets]
    model = h.make_model(graph, opset_imports=imports, ir_version=8, **more)
    onnx.checker.check_model(model, full_check=True)
    path = HERE / f"{name}.onnx"
    onnx.save(model, path)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    for case, inputs in cases.items():
        inputs = {key: np.asarray(value) for key, value in inputs.items()}
        for key, value in inputs.items():
            np.save(HERE / f"{name}.{case}.in.{key}.npy", value)
        for key, value in zip(names, session.run(names, inputs)):
            if by_numpy and key in by_numpy:
                value = by_numpy[key](**inputs).astype(value.dtype)
            np.save(HERE / f"{name}.{case}.out.{key}.npy", value)


def loop_dynamic():
    """Doubles v until its sum passes `limit`: the number of trips, the length of the scan output
    and the length of the carried list depend on the data. `two` is captured from outside."""
    body = h.make_graph(
        [
            h.make_node("Mul", ["v", "two"], ["v_out"], "double"),
            h.make_node("ReduceSum", ["v_out"], ["total"], "total", keepdims=0),
            h.make_node("Less", ["total", "limit"], ["go_on"], "go_on"),
            h.make_node("Slice", ["v_out", "zero", "one"], ["head"], "head"),
            h.make_node("Concat", ["list", "head"], ["list_out"], "append", axis=0),
            h.make_node("Relu", ["v_out"], ["scan"], "scan"),
        ],
        "body",
        [
            h.make_tensor_value_info("trip", T.INT64, []),
            h.make_tensor_value_info("cond", T.BOOL, []),
            h.make_tensor_value_info("v", T.FLOAT, ["N"]),
            h.make_tensor_value_info("list", T.FLOAT, [None]),
        ],
        [
            h.make_tensor_value_info("go_on", T.BOOL, []),
            h.make_tensor_value_info("v_out", T.FLOAT, ["N"]),
            h.make_tensor_value_info("list_out", T.FLOAT, [None]),
            h.make_tensor_value_info("scan", T.FLOAT, ["N"]),
        ],
        [const("zero", np.array([0], np.int64)), const("one", np.array([1], np.int64))],
    )
    graph = h.make_graph(
        [
            h.make_node("Add", ["x", "bias"], ["start"], "shift"),
            h.make_node("Loop", ["max_trips", "", "start", "empty"], ["last", "list", "scans"],
                        "loop", body=body),
            h.make_node("Exp", ["list"], ["list_exp"], "after"),
        ],
        "loop_dynamic",
        [
            h.make_tensor_value_info("x", T.FLOAT, ["N"]),
            h.make_tensor_value_info("limit", T.FLOAT, []),
        ],
        [
            h.make_tensor_value_info("last", T.FLOAT, ["N"]),
            h.make_tensor_value_info("list_exp", T.FLOAT, [None]),
            h.make_tensor_value_info("scans", T.FLOAT, [None, "N"]),
        ],
        [
            const("two", np.float32(2)),
            const("bias", np.float32(0.125)),
            const("max_trips", np.int64(50)),
            const("empty", np.zeros(0, np.float32)),
        ],
    )
    x = np.array([0.01, -0.2, 0.3], np.float32)
    cases = {
        "few": {"x": x, "limit": np.float32(2)},
        "many": {"x": x, "limit": np.float32(4000)},
        "once": {"x": np.array([0.5], np.float32), "limit": np.float32(-1)},
    }
    save("loop_dynamic", graph, cases)


def if_in_loop():
    """Collatz steps on a whole vector: the branch depends on the data, its two sides capture
    different outer values, and one of them changes nothing but reads the loop's own value."""
    then = h.make_graph(
        [h.make_node("Mul", ["v", "half"], ["then_v"], "halve")],
        "then", [], [h.make_tensor_value_info("then_v", T.FLOAT, ["N"])])
    other = h.make_graph(
        [
            h.make_node("Mul", ["v", "three"], ["tripled"], "triple"),
            h.make_node("Add", ["tripled", "offset"], ["else_v"], "plus"),
        ],
        "else", [], [h.make_tensor_value_info("else_v", T.FLOAT, ["N"])])
    body = h.make_graph(
        [
            h.make_node("ReduceMax", ["v"], ["peak"], "peak", keepdims=0),
            h.make_node("Greater", ["peak", "high"], ["is_high"], "is_high"),
            h.make_node("If", ["is_high"], ["v_out"], "choose", then_branch=then,
                        else_branch=other),
            h.make_node("Identity", ["cond"], ["cond_out"], "pass"),
            h.make_node("Identity", ["is_high"], ["taken"], "taken"),
        ],
        "body",
        [
            h.make_tensor_value_info("trip", T.INT64, []),
            h.make_tensor_value_info("cond", T.BOOL, []),
            h.make_tensor_value_info("v", T.FLOAT, ["N"]),
        ],
        [
            h.make_tensor_value_info("cond_out", T.BOOL, []),
            h.make_tensor_value_info("v_out", T.FLOAT, ["N"]),
            h.make_tensor_value_info("taken", T.BOOL, []),
        ],
        [const("high", np.float32(10)), const("half", np.float32(0.5))],
    )
    graph = h.make_graph(
        [
            h.make_node("Abs", ["x"], ["offset"], "offset"),
            h.make_node("Loop", ["trips", "", "x"], ["y", "branches"], "loop", body=body),
            h.make_node("Sub", ["y", "x"], ["moved"], "after"),
        ],
        "if_in_loop",
        [
            h.make_tensor_value_info("x", T.FLOAT, ["N"]),
            h.make_tensor_value_info("trips", T.INT64, []),
        ],
        [
            h.make_tensor_value_info("moved", T.FLOAT, ["N"]),
            h.make_tensor_value_info("branches", T.BOOL, [None]),
        ],
        [const("three", np.float32(3))],
    )
    cases = {
        "seven": {"x": np.array([1.5, -2, 3], np.float32), "trips": np.int64(7)},
        "none": {"x": np.array([4.0], np.float32), "trips": np.int64(0)},
    }
    save("if_in_loop", graph, cases)


def nonzero_gather():
    """The places of large elements feed a GatherND, and their count feeds a Reshape."""
    graph = h.make_graph(
        [
            h.make_node("Mul", ["x", "gain"], ["scaled"], "scale"),
            h.make_node("Greater", ["scaled", "threshold"], ["mask"], "mask"),
            h.make_node("NonZero", ["mask"], ["places"], "places"),
            h.make_node("Transpose", ["places"], ["rows"], "rows", perm=[1, 0]),
            h.make_node("GatherND", ["scaled", "rows"], ["picked"], "pick"),
            h.make_node("Relu", ["picked"], ["positive"], "positive"),
            h.make_node("Gather", ["places", "first"], ["row_index"], "row_index", axis=0),
            h.make_node("Gather", ["table", "row_index"], ["looked_up"], "look_up", axis=0),
            h.make_node("Shape", ["picked"], ["count"], "count"),
            h.make_node("Concat", ["count", "minus_one"], ["column"], "column", axis=0),
            h.make_node("Reshape", ["positive", "column"], ["y"], "as_column"),
            h.make_node("ReduceSum", ["looked_up", "axis0"], ["sums"], "sums", keepdims=0),
        ],
        "nonzero_gather",
        [
            h.make_tensor_value_info("x", T.FLOAT, ["H", "W"]),
            h.make_tensor_value_info("table", T.FLOAT, ["H", 5]),
        ],
        [
            h.make_tensor_value_info("y", T.FLOAT, [None, None]),
            h.make_tensor_value_info("places", T.INT64, [2, None]),
            h.make_tensor_value_info("sums", T.FLOAT, [5]),
        ],
        [
            const("gain", np.float32(1.5)),
            const("threshold", np.float32(0.4)),
            const("first", np.int64(0)),
            const("minus_one", np.array([1], np.int64)),
            const("axis0", np.array([0], np.int64)),
        ],
    )
    rng = np.random.default_rng(5)
    x = rng.standard_normal((7, 11)).astype(np.float32)
    table = rng.standard_normal((7, 5)).astype(np.float32)
    cases = {
        "some": {"x": x, "table": table},
        "one": {"x": (x > 2).astype(np.float32), "table": table},
        "none": {"x": -np.abs(x), "table": table},
    }
    save("nonzero_gather", graph, cases)


def quantize(array, scale, zero_point, dtype):
    info = np.iinfo(dtype)
    return np.clip(np.rint(array / scale) + zero_point, info.min, info.max).astype(dtype)


def qdq_cnn():
    """A small CNN with QuantizeLinear/DequantizeLinear around every op: uint8 activations, int8
    weights with a scale per output channel, int32 biases; a strided, a depthwise and a pointwise
    convolution, Relu, MaxPool, a residual Add, GlobalAveragePool and a Gemm."""
    rng = np.random.default_rng(11)
    nodes, weights = [], []

    def activation(value, scale, zero_point):
        weights.append(const(f"{value}_scale", np.float32(scale)))
        weights.append(const(f"{value}_zero", np.uint8(zero_point)))
        params = [f"{value}_scale", f"{value}_zero"]
        nodes.append(h.make_node("QuantizeLinear", [value, *params], [f"{value}_q"], f"{value}_q"))
        nodes.append(h.make_node("DequantizeLinear", [f"{value}_q", *params], [f"{value}_dq"],
                                 f"{value}_dq"))
        return f"{value}_dq"

    def weight(name, array, input_scale, bias):
        axes = tuple(range(1, array.ndim))
        scale = (np.abs(array).max(axis=axes) / 127).astype(np.float32)
        shape = (-1,) + (1,) * (array.ndim - 1)
        weights.append(const(f"{name}_w_q", quantize(array, scale.reshape(shape), 0, np.int8)))
        weights.append(const(f"{name}_w_scale", scale))
        weights.append(const(f"{name}_w_zero", np.zeros(len(scale), np.int8)))
        nodes.append(h.make_node("DequantizeLinear", [f"{name}_w_q", f"{name}_w_scale",
                                                      f"{name}_w_zero"], [f"{name}_w"],
                                 f"{name}_w", axis=0))
        bias_scale = (scale * np.float32(input_scale)).astype(np.float32)
        weights.append(const(f"{name}_b_q", np.rint(bias / bias_scale).astype(np.int32)))
        weights.append(const(f"{name}_b_scale", bias_scale))
        weights.append(const(f"{name}_b_zero", np.zeros(len(scale), np.int32)))
        nodes.append(h.make_node("DequantizeLinear", [f"{name}_b_q", f"{name}_b_scale",
                                                      f"{name}_b_zero"], [f"{name}_b"],
                                 f"{name}_b", axis=0))
        return [f"{name}_w", f"{name}_b"]

    def conv(name, source, input_scale, shape, **attrs):
        fan_in = np.prod(shape[1:])
        array = (rng.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32)
        bias = (rng.standard_normal(shape[0]) * 0.1).astype(np.float32)
        nodes.append(h.make_node("Conv", [source, *weight(name, array, input_scale, bias)],
                                 [f"{name}_out"], name, kernel_shape=shape[2:], **attrs))
        nodes.append(h.make_node("Relu", [f"{name}_out"], [f"{name}_relu"], f"{name}_relu"))
        return f"{name}_relu"

    x = activation("x", 0.03, 128)
    a = activation(conv("c1", x, 0.03, (16, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1]), 0.02, 0)
    b = activation(conv("c2", a, 0.02, (16, 1, 3, 3), group=16, pads=[1, 1, 1, 1]), 0.015, 0)
    c = activation(conv("c3", b, 0.015, (16, 16, 1, 1)), 0.01, 0)
    nodes.append(h.make_node("Add", [a, c], ["sum"], "residual"))
    s = activation("sum", 0.025, 3)
    nodes.append(h.make_node("MaxPool", [s], ["pool"], "pool", kernel_shape=[2, 2], strides=[2, 2]))
    p = activation("pool", 0.025, 3)
    d = activation(conv("c4", p, 0.025, (29, 16, 3, 3), pads=[1, 1, 1, 1]), 0.02, 0)
    nodes.append(h.make_node("GlobalAveragePool", [d], ["mean"], "mean"))
    m = activation("mean", 0.01, 0)
    nodes.append(h.make_node("Flatten", [m], ["flat"], "flat"))
    f = activation("flat", 0.01, 0)
    array = (rng.standard_normal((10, 29)) / 3).astype(np.float32)
    bias = (rng.standard_normal(10) * 0.1).astype(np.float32)
    nodes.append(h.make_node("Gemm", [f, *weight("fc", array, 0.01, bias)], ["logits"], "fc",
                             transB=1))
    y = activation("logits", 0.02, 120)
    graph = h.make_graph(
        nodes, "qdq_cnn",
        [h.make_tensor_value_info("x", T.FLOAT, ["batch", 3, 20, 20])],
        [h.make_tensor_value_info(y, T.FLOAT, ["batch", 10]),
         h.make_tensor_value_info("c4_relu_q", T.UINT8, ["batch", 29, 5, 5])],
        weights)
    rng = np.random.default_rng(12)
    cases = {
        "one": {"x": rng.standard_normal((1, 3, 20, 20)).astype(np.float32)},
        "three": {"x": (rng.standard_normal((3, 3, 20, 20)) * 1.5).astype(np.float32)},
    }
    save("qdq_cnn", graph, cases)


def special_values():
    """NaN, infinities, zeros and subnormals through the ops that treat them apart. onnxruntime's
    TopK and what it finds along axes depend on where a NaN stands: NumPy tells those."""
    unary = ["Abs", "Neg", "Relu", "LeakyRelu", "Elu", "Selu", "Celu", "HardSigmoid", "HardSwish",
             "Sign", "Round", "Floor", "Ceil", "Sqrt", "Exp", "Log", "Sigmoid", "Tanh", "Erf",
             "Softplus", "Softsign", "ThresholdedRelu", "Reciprocal", "IsNaN", "IsInf", "Softmax",
             "LogSoftmax"]
    binary = ["Add", "Sub", "Mul", "Div", "Min", "Max", "Pow", "Less", "LessOrEqual", "Greater",
              "GreaterOrEqual", "Equal"]
    bools = {"IsNaN", "IsInf", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"}
    # Subnormals are left out: a device may take them for zeros.
    specials = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1, -1, 0.5, -2.5, 3e4], np.float32)
    n = len(specials)
    x = np.stack([specials, specials[::-1], np.linspace(-3, 4, n, dtype=np.float32)])
    nodes, outputs = [], []

    def add(op, inputs, name, element=T.FLOAT, shape=None, **attributes):
        nodes.append(h.make_node(op, inputs, [name], name, **attributes))
        outputs.append(h.make_tensor_value_info(name, element, shape))

    # One output for all ops of a kind, so that there are few files.
    for kind, ops, inputs, rows in (("unary", unary, ["x"], 3), ("binary", binary, ["a", "b"], n)):
        for element in (T.FLOAT, T.BOOL):
            chosen = [op for op in ops if (op in bools) == (element == T.BOOL)]
            nodes.extend(h.make_node(op, inputs, [op], op) for op in chosen)
            name = f"{kind}_{'bool' if element == T.BOOL else 'float'}"
            add("Concat", chosen, name, element, [rows * len(chosen), n], axis=0)
    add("PRelu", ["x", "b"], "PRelu", shape=[3, n])
    add("Clip", ["x", "low", "high"], "Clip", shape=[3, n])
    add("Clip", ["x", "nan", "high"], "Clip_nan", shape=[3, n])
    add("ArgMax", ["x"], "ArgMax", T.INT64, [3, 1], axis=1)
    add("ArgMin", ["x"], "ArgMin", T.INT64, [3, 1], axis=1)
    add("ReduceMax", ["x"], "ReduceMax", shape=[3, 1], axes=[1])
    add("ReduceMin", ["x"], "ReduceMin", shape=[3, 1], axes=[1])
    for largest in (0, 1):
        names = [f"top{largest}", f"top{largest}_at"]
        nodes.append(h.make_node("TopK", ["x", "k"], names, names[0], largest=largest))
        outputs.append(h.make_tensor_value_info(names[0], T.FLOAT, [3, n - 1]))
        outputs.append(h.make_tensor_value_info(names[1], T.INT64, [3, n - 1]))

    def order(x, largest):
        # NaN above all; -x would not keep the lower index of equals first.
        key = np.where(np.isnan(x), np.inf, x)
        rank = np.isnan(x) * 2 + 1.0 * (x > 0) * np.isinf(x)
        sign = -1 if largest else 1
        return np.lexsort((sign * np.where(np.isinf(key), 3e38 * np.sign(key), key), sign * rank),
                          axis=1)[:, : n - 1]

    by_numpy = {
        "ArgMax": lambda x, a, b: x.argmax(axis=1, keepdims=True),
        "ArgMin": lambda x, a, b: x.argmin(axis=1, keepdims=True),
        "ReduceMax": lambda x, a, b: x.max(axis=1, keepdims=True),
        "ReduceMin": lambda x, a, b: x.min(axis=1, keepdims=True),
    }
    for largest in (0, 1):
        by_numpy[f"top{largest}_at"] = lambda x, a, b, g=largest: order(x, g)
        by_numpy[f"top{largest}"] = lambda x, a, b, g=largest: np.take_along_axis(
            x, order(x, g), axis=1)
    graph = h.make_graph(
        nodes, "special_values",
        [h.make_tensor_value_info("x", T.FLOAT, [3, n]),
         h.make_tensor_value_info("a", T.FLOAT, [n, 1]),
         h.make_tensor_value_info("b", T.FLOAT, [n])],
        outputs,
        [const("low", np.float32(-1)), const("high", np.float32(2)),
         const("nan", np.float32("nan")), const("k", np.array([n - 1], np.int64))])
    cases = {"all": {"x": x, "a": specials[:, None], "b": specials}}
    save("special_values", graph, cases, by_numpy)


def scan_axes():
    """A Scan with a carried value, two scanned inputs along axes of their own, one backward, two
    stacked outputs along axes of their own, one backward, and a value captured from outside."""
    body = h.make_graph(
        [
            h.make_node("Mul", ["a", "gain"], ["scaled"], "scale"),
            h.make_node("Add", ["s", "scaled"], ["sum"], "sum"),
            h.make_node("ReduceMax", ["b"], ["peak"], "peak", keepdims=0),
            h.make_node("Sub", ["sum", "peak"], ["s_out"], "next"),
            h.make_node("Concat", ["s", "b"], ["row"], "row", axis=0),
            h.make_node("Identity", ["peak"], ["peak_out"], "peak_out"),
        ],
        "body",
        [h.make_tensor_value_info("s", T.FLOAT, [3]), h.make_tensor_value_info("a", T.FLOAT, [3]),
         h.make_tensor_value_info("b", T.FLOAT, [None])],
        [h.make_tensor_value_info("s_out", T.FLOAT, [3]),
         h.make_tensor_value_info("row", T.FLOAT, [None]),
         h.make_tensor_value_info("peak_out", T.FLOAT, [])],
    )
    graph = h.make_graph(
        [
            h.make_node("Scan", ["s0", "x", "y"], ["last", "rows", "peaks"], "scan", body=body,
                        num_scan_inputs=2, scan_input_axes=[1, -1], scan_input_directions=[0, 1],
                        scan_output_axes=[-1, 0], scan_output_directions=[1, 0]),
            h.make_node("Neg", ["rows"], ["negative"], "after"),
        ],
        "scan_axes",
        [h.make_tensor_value_info("s0", T.FLOAT, [3]),
         h.make_tensor_value_info("x", T.FLOAT, [3, "L"]),
         h.make_tensor_value_info("y", T.FLOAT, ["W", "L"]),
         h.make_tensor_value_info("gain", T.FLOAT, [])],
        [h.make_tensor_value_info("last", T.FLOAT, [3]),
         h.make_tensor_value_info("negative", T.FLOAT, [None, None]),
         h.make_tensor_value_info("peaks", T.FLOAT, [None])],
    )
    rng = np.random.default_rng(21)

    def case(length, width):
        return {"s0": rng.standard_normal(3).astype(np.float32),
                "x": rng.standard_normal((3, length)).astype(np.float32),
                "y": rng.standard_normal((width, length)).astype(np.float32),
                "gain": np.float32(0.75)}

    save("scan_axes", graph, {"five": case(5, 4), "one": case(1, 2)})


def scan_batch():
    """Scan as it was before op-set 9: a batch as the first dim of everything."""
    body = h.make_graph(
        [h.make_node("Add", ["s", "a"], ["s_out"], "sum"),
         h.make_node("Mul", ["s_out", "b"], ["product"], "product")],
        "body",
        [h.make_tensor_value_info("s", T.FLOAT, [2]), h.make_tensor_value_info("a", T.FLOAT, [2]),
         h.make_tensor_value_info("b", T.FLOAT, [2])],
        [h.make_tensor_value_info("s_out", T.FLOAT, [2]),
         h.make_tensor_value_info("product", T.FLOAT, [2])],
    )
    graph = h.make_graph(
        [h.make_node("Scan", ["", "s0", "x", "y"], ["last", "products"], "scan", body=body,
                     num_scan_inputs=2, directions=[0, 1])],
        "scan_batch",
        [h.make_tensor_value_info("s0", T.FLOAT, [3, 2]),
         h.make_tensor_value_info("x", T.FLOAT, [3, 4, 2]),
         h.make_tensor_value_info("y", T.FLOAT, [3, 4, 2])],
        [h.make_tensor_value_info("last", T.FLOAT, [3, 2]),
         h.make_tensor_value_info("products", T.FLOAT, [3, 4, 2])],
    )
    rng = np.random.default_rng(22)
    cases = {"three": {"s0": rng.standard_normal((3, 2)).astype(np.float32),
                       "x": rng.standard_normal((3, 4, 2)).astype(np.float32),
                       "y": rng.standard_normal((3, 4, 2)).astype(np.float32)}}
    save("scan_batch", graph, cases, opsets=[("", 8)])


def function_attribute(node, attribute, name, kind):
    """Makes an attribute of a node in a function the function's own."""
    made = onnx.AttributeProto(name=attribute, ref_attr_name=name, type=kind)
    node.attribute.append(made)
    return node


def local_functions():
    """Functions of the model's own: called with equal and with other attributes, with and without
    an optional input, from within each other, from a branch, and for two ranks and types."""
    alpha = function_attribute(h.make_node("LeakyRelu", ["shifted"], ["y"]), "alpha", "slope",
                               onnx.AttributeProto.FLOAT)
    leak = h.make_function(
        "own", "Leak", ["x", "shift"], ["y"],
        [h.make_node("Add", ["x", "shift"], ["shifted"]), alpha],
        [h.make_opsetid("", 17)], [], [h.make_attribute("slope", 0.25)])
    limited = h.make_function(
        "own", "Limited", ["x", "low"], ["y", "twice"],
        [h.make_node("Clip", ["x", "low"], ["y"]), h.make_node("Add", ["y", "y"], ["twice"])],
        [h.make_opsetid("", 17)])
    nested = h.make_function(
        "own", "Nested", ["x", "shift"], ["y"],
        [function_attribute(h.make_node("Leak", ["x", "shift"], ["inner"], domain="own"), "slope",
                            "outer_slope", onnx.AttributeProto.FLOAT),
         h.make_node("Limited", ["inner"], ["y", "unread"], domain="own")],
        [h.make_opsetid("", 17), h.make_opsetid("own", 1)], ["outer_slope"])
    then = h.make_graph([h.make_node("Leak", ["b", "shift"], ["then_y"], domain="own")], "then", [],
                        [h.make_tensor_value_info("then_y", T.FLOAT, None)])
    other = h.make_graph([h.make_node("Neg", ["b"], ["else_y"])], "else", [],
                         [h.make_tensor_value_info("else_y", T.FLOAT, None)])
    graph = h.make_graph(
        [
            h.make_node("Leak", ["x", "shift"], ["a"], "first", domain="own"),
            h.make_node("Leak", ["a", "shift"], ["b"], "second", domain="own"),
            h.make_node("Leak", ["b", "shift"], ["c"], "third", domain="own", slope=0.5),
            h.make_node("Nested", ["c", "shift"], ["d"], "nested", domain="own", outer_slope=2.0),
            h.make_node("Limited", ["d", "low"], ["", "e"], "limited", domain="own"),
            h.make_node("If", ["flag"], ["f"], "choose", then_branch=then, else_branch=other),
            h.make_node("Limited", ["n"], ["m", ""], "integers", domain="own"),
        ],
        "local_functions",
        [h.make_tensor_value_info("x", T.FLOAT, ["N", 3]),
         h.make_tensor_value_info("flag", T.BOOL, []),
         h.make_tensor_value_info("n", T.INT64, [4])],
        [h.make_tensor_value_info("e", T.FLOAT, ["N", 3]),
         h.make_tensor_value_info("f", T.FLOAT, ["N", 3]),
         h.make_tensor_value_info("m", T.INT64, [4])],
        [const("shift", np.array([0.5, -1, 0.25], np.float32)), const("low", np.float32(-0.75))],
    )
    rng = np.random.default_rng(23)

    def case(rows, flag):
        return {"x": rng.standard_normal((rows, 3)).astype(np.float32), "flag": np.bool_(flag),
                "n": np.array([3, -1, 0, 7], np.int64)}

    save("local_functions", graph, {"two": case(2, True), "five": case(5, False)},
         opsets=[("", 17), ("own", 1)], functions=[leak, limited, nested])


if __name__ == "__main__":
    scan_axes()
    scan_batch()
    local_functions()
    special_values()
    loop_dynamic()
    if_in_loop()
    nonzero_gather()
    qdq_cnn()
