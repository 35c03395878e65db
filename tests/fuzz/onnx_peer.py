"""What onnxruntime, and ONNX's own evaluator, are given in place of ops that they answer otherwise
than their definition.

Each entry says why. The rest of the graph stays, so that what comes after is compared as well.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper

# The doc_string of a node of EXTREMA whose operand may hold a NaN. A NaN wins there, as in NumPy,
# whose functions ONNX's reference evaluator takes (docs/adr/0012); the peer's vectorized kernels
# lose some, by where they stand.
MAY_BE_NAN = "may be NaN"
EXTREMA = ("ReduceMax", "ReduceMin")
ROWS = ("Softmax", "LogSoftmax", "Hardmax")
OPSET_MIN = 15  # of CastLike: below it such nodes are not generated

# Of these the peer lacks kernels for many integer types that ONNX allows. In int64 and back they
# give the same, low bits included.
WIDENS = {"Add", "Sub", "Mul", "Neg", "Abs", "Sign", "Min", "Max", "Equal", "Less", "Greater",
          "LessOrEqual", "GreaterOrEqual", "Where", "Clip", "Div", "Mod", "ReduceSum", "ReduceMax",
          "ReduceMin", "ReduceL1", "ReduceSumSquare", "ArgMax", "ArgMin", "CumSum", "Relu",
          "MatMul", "TopK", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot", "Concat",
          "Transpose", "Pad", "Tile", "Expand", "GatherND", "GatherElements", "ScatterND",
          "ScatterElements", "Slice", "Split", "Squeeze", "Unsqueeze", "Range"}
# Their outputs that are not of the operands' type.
OTHER_OUTPUTS = {"Equal": [0], "Less": [0], "Greater": [0], "LessOrEqual": [0],
                 "GreaterOrEqual": [0], "ArgMax": [0], "ArgMin": [0], "TopK": [1]}
NARROW = {np.dtype(t) for t in (np.int8, np.int16, np.int32, np.uint8, np.uint16, np.uint32)}
AS_INT64 = "as int64 of "


def widen(node, arrays, opset):
    """Marks a node to be run in int64 by the peer; False where that is not the same, or where ONNX
    does not know the node with such operands. `arrays` are its inputs, None where absent."""
    if node.op_type not in WIDENS or arrays[0] is None:
        return False
    of = 1 if node.op_type == "Where" else 0
    dtype = arrays[of].dtype
    try:
        schema = onnx.defs.get_schema(node.op_type, opset)
    except onnx.defs.SchemaError:  # of a later op-set
        return False
    port = schema.inputs[of].type_str
    allowed = next((c.allowed_type_strs for c in schema.type_constraints
                    if c.type_param_str == port), ())
    if dtype not in NARROW or f"tensor({dtype})" not in allowed:
        return False
    # Axes, indices and the like keep their type.
    wide = [i for i, a in enumerate(arrays) if a is not None and a.dtype == dtype and
            schema.inputs[min(i, len(schema.inputs) - 1)].type_str == port]
    node.doc_string = f"{AS_INT64}{helper.np_dtype_to_tensor_dtype(dtype)}:" + \
        ",".join(map(str, wide))
    return True


def in_int64(node):
    kind, wide = node.doc_string[len(AS_INT64):].split(":")
    kind, wide = int(kind), [int(i) for i in wide.split(",")]
    inner = onnx.NodeProto.FromString(node.SerializeToString())
    nodes, after = [], []
    for i in wide:
        inner.input[i] = f"{node.output[0]}/in{i}"
        nodes.append(helper.make_node("Cast", [node.input[i]], [inner.input[i]],
                                      to=TensorProto.INT64))
    for i, name in enumerate(node.output):
        if i in OTHER_OUTPUTS.get(node.op_type, ()):
            continue
        inner.output[i] = name + "/wide"
        after.append(helper.make_node("Cast", [inner.output[i]], [name], to=kind))
    return nodes + [inner] + after


def extremum(node):
    """y + (any NaN ? NaN : 0)."""
    out = node.output[0]
    rest, count = (onnx.NodeProto.FromString(node.SerializeToString()) for _ in range(2))
    rest.output[0] = out + "/rest"
    count.op_type, count.input[0], count.output[0] = "ReduceMax", out + "/01", out + "/any"
    return [
        helper.make_node("Cast", node.input[:1], [out + "/float"], to=TensorProto.FLOAT),
        helper.make_node("IsNaN", [out + "/float"], [out + "/nan"]),
        helper.make_node("Cast", [out + "/nan"], [out + "/01"], to=TensorProto.FLOAT),
        count, rest,
        # 0 / 0 where there is one, 0 / 1 elsewhere.
        helper.make_node("Constant", [], [out + "/1"], value_float=1.0),
        helper.make_node("Constant", [], [out + "/0"], value_float=0.0),
        helper.make_node("Sub", [out + "/1", out + "/any"], [out + "/divisor"]),
        helper.make_node("Div", [out + "/0", out + "/divisor"], [out + "/extra"]),
        helper.make_node("CastLike", [out + "/extra", out + "/rest"], [out + "/like"]),
        helper.make_node("Add", [out + "/rest", out + "/like"], [out]),
    ]


def replace(graph):
    nodes = []
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                replace(attribute.g)
        if node.op_type in EXTREMA and node.doc_string == MAY_BE_NAN:
            nodes += extremum(node)
        elif node.doc_string.startswith(AS_INT64):
            nodes += in_int64(node)
        else:
            nodes.append(node)
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(nodes)


def flattened(node):
    """Softmax and its kin before op-set 13: over all dims from `axis` on, as one."""
    out, axis = node.output[0], next((a.i for a in node.attribute if a.name == "axis"), 1)
    return [
        helper.make_node("Shape", node.input[:1], [out + "/shape"]),
        helper.make_node("Flatten", node.input[:1], [out + "/rows"], axis=axis),
        helper.make_node(node.op_type, [out + "/rows"], [out + "/done"], axis=1),
        helper.make_node("Reshape", [out + "/done", out + "/shape"], [out]),
    ]


def for_evaluator(model):
    """The model for ONNX's own evaluator, which reads these ops as of op-set 13 in any op-set."""
    if next(o.version for o in model.opset_import if o.domain == "") >= 13:
        return model
    out = onnx.ModelProto.FromString(model.SerializeToString())
    nodes = [one for node in out.graph.node
             for one in (flattened(node) if node.op_type in ROWS else [node])]
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del out.graph.node[:]
    out.graph.node.extend(nodes)
    return out


def stand_in(model):
    """The model with such nodes replaced by others of the same meaning."""
    out = onnx.ModelProto.FromString(model.SerializeToString())
    replace(out.graph)
    return out
