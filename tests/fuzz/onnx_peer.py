"""What onnxruntime is given in place of ops that it answers otherwise than their definition.

Each entry says why. The rest of the graph stays, so that what comes after is compared as well.
"""
import onnx
from onnx import TensorProto, helper

# The doc_string of a node of EXTREMA whose operand may hold a NaN. A NaN wins there, as in NumPy,
# whose functions ONNX's reference evaluator takes (docs/adr/0012); the peer's vectorized kernels
# lose some, by where they stand.
MAY_BE_NAN = "may be NaN"
EXTREMA = ("ReduceMax", "ReduceMin")
OPSET_MIN = 15  # of CastLike: below it such nodes are not generated


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
        wanted = node.op_type in EXTREMA and node.doc_string == MAY_BE_NAN
        nodes += extremum(node) if wanted else [node]
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(nodes)


def stand_in(model):
    """The model with such nodes replaced by others of the same meaning."""
    out = onnx.ModelProto.FromString(model.SerializeToString())
    replace(out.graph)
    return out
