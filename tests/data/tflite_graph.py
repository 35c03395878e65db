"""Builders of TensorFlow Lite models, and what their inputs are drawn from."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as s

TYPES = {
    np.dtype(np.float32): s.TensorType.FLOAT32,
    np.dtype(np.float16): s.TensorType.FLOAT16,
    np.dtype(np.int32): s.TensorType.INT32,
    np.dtype(np.int64): s.TensorType.INT64,
    np.dtype(np.uint8): s.TensorType.UINT8,
    np.dtype(np.int8): s.TensorType.INT8,
    np.dtype(np.int16): s.TensorType.INT16,
    np.dtype(np.bool_): s.TensorType.BOOL,
    np.dtype(np.uint32): s.TensorType.UINT32,
}


class Graph:
    """One subgraph under way. Tensors are their indices."""

    def __init__(self, model, name="main"):
        self.model = model
        self.graph = s.SubGraphT()
        self.graph.name = name
        self.graph.tensors, self.graph.operators = [], []
        self.graph.inputs, self.graph.outputs = [], []
        self.values = []

    def tensor(self, shape, dtype, data=None, quant=None, name=None, variable=False, kind=None):
        t = s.TensorT()
        t.shape = list(shape)
        t.type = TYPES[np.dtype(dtype)] if kind is None else kind
        t.name = name or f"t{len(self.graph.tensors)}_{self.graph.name}"
        t.isVariable = variable
        t.buffer = 0
        if quant is not None:
            scale, zero, *axis = quant
            q = s.QuantizationParametersT()
            q.scale = np.atleast_1d(scale).astype(np.float32)
            q.zeroPoint = np.atleast_1d(zero).astype(np.int64)
            q.quantizedDimension = axis[0] if axis else 0
            t.quantization = q
        if data is not None:
            b = s.BufferT()
            b.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.model.buffers.append(b)
            t.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(t)
        return len(self.graph.tensors) - 1

    def input(self, value, quant=None):
        value = np.asarray(value)
        i = self.tensor(value.shape, value.dtype, quant=quant)
        self.graph.inputs.append(i)
        self.values.append(value)
        return i

    def const(self, value, dtype=None, quant=None):
        value = np.asarray(value, dtype)
        return self.tensor(value.shape, value.dtype, value, quant)

    def op(self, name, inputs, outputs, options=None, custom=None, **fields):
        """`outputs`: (shape, dtype[, quant]) each; the tensors made."""
        code = s.OperatorCodeT()
        code.builtinCode = getattr(s.BuiltinOperator, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = fields.pop("version", 1)
        self.model.operatorCodes.append(code)
        op = s.OperatorT()
        op.opcodeIndex = len(self.model.operatorCodes) - 1
        op.inputs = list(inputs)
        op.outputs = [
            (
                self.tensor(o[0], o[1], quant=o[2] if len(o) > 2 else None)
                if isinstance(o, tuple)
                else o
            )
            for o in outputs
        ]
        if custom is not None:
            code.customCode, op.customOptions = custom[0], np.frombuffer(custom[1], np.uint8)
        if options:
            op.builtinOptionsType = getattr(s.BuiltinOptions, options)
            op.builtinOptions = getattr(s, options + "T")()
            for k, v in fields.items():
                assert hasattr(op.builtinOptions, k), k
                setattr(op.builtinOptions, k, v)
        self.graph.operators.append(op)
        return op.outputs

    def out(self, tensors):
        self.graph.outputs += list(tensors)
        return tensors


class File:
    def __init__(self):
        self.model = s.ModelT()
        self.model.version = 3
        self.model.description = "polaris test"
        self.model.operatorCodes, self.model.subgraphs = [], []
        self.model.buffers = [s.BufferT()]

    def graph(self, name="main"):
        g = Graph(self.model, name)
        self.model.subgraphs.append(g.graph)
        return g

    def bytes(self):
        b = flatbuffers.Builder(1024)
        b.Finish(self.model.Pack(b), b"TFL3")
        return bytes(b.Output())


R = np.random.default_rng(7)


def f32(*shape, low=-2.0, high=2.0):
    return R.uniform(low, high, shape).astype(np.float32)


def whole(*shape, low=-9, high=9, dtype=np.int32):
    return R.integers(low, high, shape, endpoint=True).astype(dtype)


F, I32, I64, B = np.float32, np.int32, np.int64, np.bool_
