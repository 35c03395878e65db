#!/usr/bin/env python3
"""Times single operators of ggml on its GPU backend, over rotated operands.

    ggml_ops.py FOLDER CASE...      FOLDER has libggml*.so, as npm's node-llama-cpp ships them

A case is FORMAT:MxKxN, a product of a [M, K] matrix with N columns as bench/vulkan_linear.cc times
it, or attention.FORMAT:HEADSxKV_HEADSxSIZExKVxN, N queries over KV positions of a cache. The
matrices are 8 and 256 MiB at least. Wall time of a graph over its operators, the median. As an
RX 580 would run it: GGML_VK_DISABLE_F16=1 GGML_VK_DISABLE_COOPMAT=1 GGML_VK_DISABLE_COOPMAT2=1
GGML_VK_DISABLE_INTEGER_DOT_PRODUCT=1."""
import ctypes as C
import glob
import os
import random
import statistics
import sys
import time
from array import array

TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8,
         "q4_k": 12, "q5_k": 13, "q6_k": 14}
GPU = 1
LAUNCHES = 16
ROTATED_BYTES = 256 << 20
SECONDS = 1.0


class InitParams(C.Structure):
    _fields_ = [("mem_size", C.c_size_t), ("mem_buffer", C.c_void_p), ("no_alloc", C.c_bool)]


class Ggml:
    """The functions of the libraries, by their C declarations."""

    def __init__(self, folder):
        def load(pattern):
            found = sorted(glob.glob(os.path.join(folder, pattern)))
            if not found:
                sys.exit(f"ggml_ops: no {pattern} in {folder}")
            return C.CDLL(found[0], mode=C.RTLD_GLOBAL)
        self.libs = [load("libggml-base.so*"), load("libggml.[!s]*so*")]
        self.call("ggml_backend_load_all_from_path", None, C.c_char_p)(folder.encode())
        P = C.c_void_p
        self.init = self.call("ggml_init", P, InitParams)
        self.tensor = self.call("ggml_new_tensor_3d", P, P, C.c_int, *[C.c_int64] * 3)
        self.mul_mat = self.call("ggml_mul_mat", P, P, P, P)
        self.attention = self.call("ggml_flash_attn_ext", P, *[P] * 5, *[C.c_float] * 3)
        self.new_graph = self.call("ggml_new_graph_custom", P, P, C.c_size_t, C.c_bool)
        self.expand = self.call("ggml_build_forward_expand", None, P, P)
        self.backend_init = self.call("ggml_backend_init_by_type", P, C.c_int, C.c_char_p)
        self.allocate = self.call("ggml_backend_alloc_ctx_tensors", P, P, P)
        self.set = self.call("ggml_backend_tensor_set", None, P, P, C.c_size_t, C.c_size_t)
        self.bytes = self.call("ggml_nbytes", C.c_size_t, P)
        self.compute = self.call("ggml_backend_graph_compute", C.c_int, P, P)
        self.free = self.call("ggml_free", None, P)
        self.free_buffer = self.call("ggml_backend_buffer_free", None, P)
        self.quantize = self.call("ggml_quantize_chunk", C.c_size_t, C.c_int, P, P,
                                  *[C.c_int64] * 3, P)
        self.supports = self.call("ggml_backend_supports_op", C.c_bool, P, P)

    def call(self, name, result, *arguments):
        for lib in self.libs:
            if hasattr(lib, name):
                function = getattr(lib, name)
                function.restype, function.argtypes = result, arguments
                return function
        sys.exit(f"ggml_ops: the libraries have no {name}")


def fill(ggml, tensor, kind, row):
    """Random numbers in [-1, 1): some rows of them, over and over."""
    rows = 16
    floats = array("f", [random.random() * 2 - 1 for _ in range(rows * row)])
    out = C.create_string_buffer(rows * row * 4)
    source = (C.c_float * len(floats)).from_buffer(floats)
    size = len(floats) * 4
    if kind == 0:
        C.memmove(out, source, size)
    else:
        size = ggml.quantize(kind, source, out, 0, rows, row, None)
    some = out.raw[:size]
    total = ggml.bytes(tensor)
    data = some * -(-total // size)
    ggml.set(tensor, data, 0, total)


def product(ggml, ctx, kind, sizes):
    m, k, n = sizes
    x = ggml.tensor(ctx, 0, k, n, 1)
    copies = max(8, -(-ROTATED_BYTES // (m * k // 2)))
    weights = [ggml.tensor(ctx, kind, k, m, 1) for _ in range(copies)]
    fills = [(x, 0, k)] + [(w, kind, k) for w in weights]
    nodes = [ggml.mul_mat(ctx, weights[i % copies], x) for i in range(max(LAUNCHES, copies))]
    return nodes, fills, 2 * m * k * n


def attention(ggml, ctx, kind, sizes):
    heads, kv_heads, size, kv, n = sizes
    q = ggml.tensor(ctx, 0, size, n, heads)
    mask = ggml.tensor(ctx, 1, kv, max(n, 64), 1)
    copies = max(2, -(-ROTATED_BYTES // (2 * kv * kv_heads * size)))
    caches = [[ggml.tensor(ctx, kind, size, kv, kv_heads) for _ in range(2)]
              for _ in range(copies)]
    fills = [(q, 0, size), (mask, None, kv)] + [(t, kind, size) for c in caches for t in c]
    nodes = []
    for i in range(max(LAUNCHES, copies) if n == 1 else copies):
        keys, values = caches[i % copies]
        nodes.append(ggml.attention(ctx, q, keys, values, mask, size ** -0.5, 0.0, 0.0))
    return nodes, fills, 4 * heads * size * kv * n


def time_case(ggml, backend, text):
    name, _, numbers = text.partition(":")
    sizes = [int(s) for s in numbers.split("x")]
    ctx = ggml.init(InitParams(64 << 20, None, True))
    of_attention = name.startswith("attention.")
    kind = TYPES[name.removeprefix("attention.")]
    nodes, fills, operations = (attention if of_attention else product)(ggml, ctx, kind, sizes)
    if not ggml.supports(backend, nodes[0]):
        print(f"{text}: the peer's GPU backend does not take it")
        return
    buffer = ggml.allocate(ctx, backend)
    if not buffer:
        sys.exit(f"ggml_ops: {text}: out of the device's memory")
    for tensor, of, row in fills:
        if of is None:
            ggml.set(tensor, bytes(ggml.bytes(tensor)), 0, ggml.bytes(tensor))
        else:
            fill(ggml, tensor, of, row)
    graph = ggml.new_graph(ctx, len(nodes) + 64, False)
    for node in nodes:
        ggml.expand(graph, node)
    times, begin = [], time.perf_counter()
    while len(times) < 4 or time.perf_counter() - begin < SECONDS:
        start = time.perf_counter()
        if ggml.compute(backend, graph) != 0:
            sys.exit(f"ggml_ops: {text}: the peer could not run it")
        times.append(time.perf_counter() - start)
    us = statistics.median(times[1:]) / len(nodes) * 1e6
    print(f"{text:32} {us:9.1f} us {operations / us * 1e-6:8.2f} TFLOPS", flush=True)
    ggml.free_buffer(buffer)
    ggml.free(ctx)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    random.seed(1)
    ggml = Ggml(sys.argv[1])
    backend = ggml.backend_init(GPU, None)
    if not backend:
        sys.exit("ggml_ops: the peer finds no GPU")
    for text in sys.argv[2:]:
        time_case(ggml, backend, text)


if __name__ == "__main__":
    main()
    os._exit(0)  # its libraries tear down devices in an order of their own
