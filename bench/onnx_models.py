"""The models of bench/onnx_vs_onnxruntime.py: files of the folder of models, and nets of the usual
shapes with random weights that are made here."""
import math
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Builder:
    """A graph of one output, with random weights; `shape` is that of its input x."""

    def __init__(self, shape, dtype=TensorProto.FLOAT):
        self.random = np.random.default_rng(1)
        self.nodes, self.weights, self.inputs, self.count = [], [], [], 0
        self.input("x", shape, dtype)

    def input(self, name, shape, dtype):
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def weight(self, *shape, scale=None, value=None):
        name = f"w{len(self.weights)}"
        if value is None:
            fan_in = math.prod(shape[1:]) if len(shape) > 1 else 1
            scale = scale if scale is not None else math.sqrt(2 / fan_in)
            value = self.random.standard_normal(shape, dtype=np.float32) * np.float32(scale)
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def op(self, kind, *inputs, **attributes):
        self.count += 1
        name = f"v{self.count}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def conv(self, x, c, m, k, stride=1, groups=1, activation=None, norm=False):
        pad = (k - 1) // 2
        operands = [x, self.weight(m, c // groups, k, k)]
        if not norm:
            operands.append(self.weight(m, scale=0.1))
        y = self.op("Conv", *operands, kernel_shape=[k, k], strides=[stride] * 2, pads=[pad] * 4,
                    group=groups)
        if norm:
            ones = np.ones(m, np.float32)
            y = self.op("BatchNormalization", y, self.weight(value=ones), self.weight(m, scale=0.1),
                        self.weight(m, scale=0.1), self.weight(value=ones))
        if activation == "clip":
            low, high = (self.weight(value=np.float32(v)) for v in (0, 6))
            return self.op("Clip", y, low, high)
        return self.op(activation, y) if activation else y

    def linear(self, x, c, m):
        return self.op("Add", self.op("MatMul", x, self.weight(c, m, scale=c ** -0.5)),
                       self.weight(m, scale=0.1))

    def model(self, y):
        output = helper.make_tensor_value_info(y, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "made", self.inputs, [output], self.weights)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        made.ir_version = 8
        return made


def resnet50():
    b = Builder([1, 3, 224, 224])
    x = b.conv("x", 3, 64, 7, 2, activation="Relu", norm=True)
    x = b.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    c = 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        m = 64 << stage
        for block in range(blocks):
            stride = 2 if block == 0 and stage > 0 else 1
            y = b.conv(x, c, m, 1, activation="Relu", norm=True)
            y = b.conv(y, m, m, 3, stride, activation="Relu", norm=True)
            y = b.conv(y, m, 4 * m, 1, norm=True)
            x = b.conv(x, c, 4 * m, 1, stride, norm=True) if block == 0 else x
            x, c = b.op("Relu", b.op("Add", y, x)), 4 * m
            x = b.op("Mul", x, b.weight(value=np.float32(0.7)))  # keeps random nets in range
    x = b.op("Flatten", b.op("GlobalAveragePool", x))
    return b.model(b.op("Gemm", x, b.weight(1000, c), b.weight(1000), transB=1))


def mobilenetv2():
    b = Builder([1, 3, 224, 224])
    x, c = b.conv("x", 3, 32, 3, 2, activation="clip", norm=True), 32
    rows = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
            (6, 160, 3, 2), (6, 320, 1, 1))
    for expand, m, blocks, first in rows:
        for block in range(blocks):
            stride, wide = first if block == 0 else 1, c * expand
            y = b.conv(x, c, wide, 1, activation="clip", norm=True) if expand > 1 else x
            y = b.conv(y, wide, wide, 3, stride, groups=wide, activation="clip", norm=True)
            y = b.conv(y, wide, m, 1, norm=True)
            x, c = b.op("Add", x, y) if stride == 1 and c == m else y, m
    x = b.conv(x, c, 1280, 1, activation="clip", norm=True)
    x = b.op("Flatten", b.op("GlobalAveragePool", x))
    return b.model(b.op("Gemm", x, b.weight(1000, 1280), b.weight(1000), transB=1))


def bert(layers, tokens=128, wide=768, heads=12, vocabulary=30522):
    """Ids and their mask to the last hidden state, as exporters write it."""
    b = Builder([1, tokens], TensorProto.INT64)
    mask = b.input("mask", [1, tokens], TensorProto.INT64)
    split = b.weight(value=np.array([1, tokens, heads, wide // heads]))
    joined = b.weight(value=np.array([1, tokens, wide]))
    scale = b.weight(value=np.float32((wide // heads) ** -0.5))

    def norm(x):
        return b.op("LayerNormalization", x, b.weight(value=np.ones(wide, np.float32)),
                    b.weight(wide, scale=0.1), axis=-1)

    def head(x, perm):
        return b.op("Transpose", b.op("Reshape", b.linear(x, wide, wide), split), perm=perm)

    one, low = (b.weight(value=np.float32(v)) for v in (1, -10000))
    present = b.op("Unsqueeze", mask, b.weight(value=np.array([1, 2])))
    hidden = b.op("Mul", b.op("Sub", one, b.op("Cast", present, to=TensorProto.FLOAT)), low)
    x = b.op("Gather", b.weight(vocabulary, wide, scale=1), "x")
    x = norm(b.op("Add", x, b.weight(1, tokens, wide, scale=1)))
    for _ in range(layers):
        scores = b.op("MatMul", head(x, [0, 2, 1, 3]), head(x, [0, 2, 3, 1]))
        mix = b.op("Softmax", b.op("Add", b.op("Mul", scores, scale), hidden), axis=-1)
        mixed = b.op("Transpose", b.op("MatMul", mix, head(x, [0, 2, 1, 3])), perm=[0, 2, 1, 3])
        x = norm(b.op("Add", x, b.linear(b.op("Reshape", mixed, joined), wide, wide)))
        y = b.linear(x, wide, 4 * wide)
        root, half = (b.weight(value=np.float32(v)) for v in (2 ** 0.5, 0.5))
        erf = b.op("Add", b.op("Erf", b.op("Div", y, root)), one)
        y = b.op("Mul", b.op("Mul", y, erf), half)
        x = norm(b.op("Add", x, b.linear(y, 4 * wide, wide)))
    return b.model(x)


def one_conv(c, m, size, k, stride=1, groups=1):
    b = Builder([1, c, size, size])
    return b.model(b.conv("x", c, m, k, stride, groups))


def one_pool(kind, c, size, **attributes):
    b = Builder([1, c, size, size])
    return b.model(b.op(kind, "x", **attributes))


def recurrent(kind, gates, steps, batch, inputs, hidden):
    b = Builder([steps, batch, inputs])
    return b.model(b.op(kind, "x", b.weight(1, gates * hidden, inputs, scale=inputs ** -0.5),
                        b.weight(1, gates * hidden, hidden, scale=hidden ** -0.5),
                        b.weight(1, 2 * gates * hidden, scale=0.1), hidden_size=hidden))


POOL = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
MADE = {
    "resnet50": resnet50,
    "mobilenetv2": mobilenetv2,
    "bert_base": lambda: bert(12),
    "minilm": lambda: bert(6, wide=384),
    "depthwise_32x112": lambda: one_conv(32, 32, 112, 3, groups=32),
    "depthwise_96x112_s2": lambda: one_conv(96, 96, 112, 3, 2, groups=96),
    "depthwise_144x56": lambda: one_conv(144, 144, 56, 3, groups=144),
    "depthwise_384x14": lambda: one_conv(384, 384, 14, 3, groups=384),
    "depthwise_960x7": lambda: one_conv(960, 960, 7, 3, groups=960),
    "conv3x3_64x56": lambda: one_conv(64, 64, 56, 3),
    "conv3x3_128x56_s2": lambda: one_conv(128, 128, 56, 3, 2),
    "conv3x3_256x14": lambda: one_conv(256, 256, 14, 3),
    "conv1x1_64x56": lambda: one_conv(64, 256, 56, 1),
    "conv1x1_512x14": lambda: one_conv(512, 512, 14, 1),
    "maxpool_64x112_s2": lambda: one_pool("MaxPool", 64, 112, strides=[2, 2], **POOL),
    "averagepool_128x56": lambda: one_pool("AveragePool", 128, 56, **POOL),
    "globalpool_2048x7": lambda: one_pool("GlobalAveragePool", 2048, 7),
    "lstm_batch1": lambda: recurrent("LSTM", 4, 64, 1, 128, 128),
    "lstm_batch8": lambda: recurrent("LSTM", 4, 64, 8, 128, 256),
    "gru_batch8": lambda: recurrent("GRU", 3, 64, 8, 128, 256),
}

# Files of the folder of models, and the shapes of inputs whose dims are free.
FILES = {
    "squeezenet": ("onnx/light/light_squeezenet.onnx", {}),
    "squeezenet_fp16": ("onnx/SqueezeNet_fp16.onnx", {}),
    "fastestdet": ("onnx/FastestDet.onnx", {}),
    "ppocr_det": ("onnx/ppocr/ch_PP-OCRv4_det_infer.onnx", {"x": [1, 3, 320, 320]}),
    "ppocr_rec": ("onnx/ppocr/ch_PP-OCRv4_rec_infer.onnx", {"x": [1, 3, 48, 320]}),
    "silero_vad": ("cross/silero-vad/silero_vad.onnx",
                   {"input": [1, 576], "state": [2, 1, 128], "sr": []}),
}

# What is compared where no model is named.
USUAL = ("squeezenet", "squeezenet_fp16", "mobilenetv2", "resnet50", "fastestdet", "ppocr_det",
         "ppocr_rec", "bert_base", "minilm", "silero_vad")


def find_model(name, files, made):
    """Where the model `name` is (a path, a file of the folder `files`, or made in the folder
    `made`), and the shapes of its free inputs."""
    if name in FILES:
        return files / FILES[name][0], FILES[name][1]
    if name not in MADE:
        return Path(name), {}
    path = made / f"{name}.onnx"
    if not path.exists():
        onnx.save(MADE[name](), path)
    return path, {}


def inputs_of(session, shapes, dims):
    """Random inputs: floats, ones for a mask, ids below 1000, 16000 for a rate. Free dims are those
    of `shapes`, then of `dims`, else 1."""
    random = np.random.default_rng(2)
    inputs = {}
    for port in session.get_inputs():
        shape = shapes.get(port.name, [d if isinstance(d, int) else dims.get(d, 1)
                                       for d in port.shape])
        if port.type in ("tensor(float)", "tensor(float16)"):
            dtype = np.float16 if port.type == "tensor(float16)" else np.float32
            inputs[port.name] = random.standard_normal(shape).astype(dtype)
        elif port.type == "tensor(int64)" and port.name == "sr":
            inputs[port.name] = np.array(16000, np.int64)
        elif port.type == "tensor(int64)" and "mask" in port.name:
            inputs[port.name] = np.ones(shape, np.int64)
        elif port.type == "tensor(int64)":
            inputs[port.name] = random.integers(1, 1000, shape)
        else:
            raise RuntimeError(f"input {port.name} is a {port.type}, wanted floats or int64")
    return inputs
