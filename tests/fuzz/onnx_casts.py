"""Cast between every pair of types of which one is small: random numbers and edges through
libpolaris and through ONNX's reference evaluator.

    python3 tests/fuzz/onnx_casts.py --library build/release/libpolaris.so [--seeds 5]

Left out is what ONNX calls undefined: a float beyond an integer's range, numbers that are not
positive as float8_e8m0fnu, NaN as float4_e2m1fn. The rounding of float8_e8m0fnu is written out here
(docs/adr/0028 says why). Prints a line for each run that differs; exits 1 if there is one.
"""
import argparse
import os
import sys
import tempfile

import capi
import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

SMALL = ["FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "FLOAT8E8M0",
         "FLOAT4E2M1", "INT4", "UINT4", "INT2", "UINT2"]
WIDE = ["FLOAT", "FLOAT16", "BFLOAT16", "DOUBLE", "INT8", "UINT8", "INT16", "UINT16", "INT32",
        "UINT32", "INT64", "UINT64", "BOOL"]
COUNT = 301


def dtype_of(name):
    return np.dtype(helper.tensor_dtype_to_np_dtype(getattr(TensorProto, name)))


def is_float(name):
    return "FLOAT" in name or name == "DOUBLE"


def numbers(name, random):
    """Every code of a type of a byte; of others numbers of all sizes, with the edges."""
    dtype = dtype_of(name)
    if name == "BOOL":
        return random.integers(0, 2, COUNT).astype(bool)
    if dtype.itemsize == 1:
        bits = 2 if "2" == name[-1] and "INT" in name else 4 if name[-1] == "4" or \
            name == "FLOAT4E2M1" else 8
        codes = random.permutation(np.resize(np.arange(1 << bits, dtype=np.uint8), COUNT))
        if bits < 8 and dtype in (ml_dtypes.int4, ml_dtypes.int2):
            return codes.astype(np.int8).astype(dtype)
        return codes.view(dtype)
    if is_float(name):
        sizes = np.exp2(random.uniform(-20, 20, COUNT))
        x = sizes * random.uniform(-1, 1, COUNT)
        x[:12] = [0, -0.0, np.inf, -np.inf, np.nan, 448, 464, 464.01, 57344, 61440, 6, 0.25]
        return x.astype(dtype)
    info = np.iinfo(dtype)
    x = [int(v) >> int(s) for v, s in zip(random.integers(info.min, info.max, COUNT, dtype=dtype),
                                          random.integers(0, dtype.itemsize * 8, COUNT))]
    return np.array(x, dtype)


def model(source, target, saturate, mode):
    attributes = {"to": getattr(TensorProto, target), "saturate": int(saturate)}
    if target == "FLOAT8E8M0":
        attributes["round_mode"] = mode
    graph = helper.make_graph(
        [helper.make_node("Cast", ["x"], ["y"], **attributes)], "g",
        [helper.make_tensor_value_info("x", getattr(TensorProto, source), [COUNT])],
        [helper.make_tensor_value_info("y", getattr(TensorProto, target), [COUNT])])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)])
    made.ir_version = 11
    return made


def defined(source, target, x, saturate):
    """Where the result is defined."""
    wide = x.astype(np.float64)
    if is_float(target):
        if target == "FLOAT8E8M0":
            inside = (wide > 0) | np.isnan(wide)
            # Beyond its range without saturation, and at 0, the evaluator differs from the table.
            return inside & (saturate | ((wide >= 2.0 ** -127) & (wide <= 2.0 ** 126)))
        # NaN has no place in float4; a cast to the type that x has changes nothing.
        return ~np.isnan(wide) if target == "FLOAT4E2M1" else np.full(len(x), source != target)
    if target == "BOOL" or not is_float(source):
        return np.ones(len(x), bool)
    if target in ("INT4", "UINT4", "INT2", "UINT2"):
        return np.abs(wide) < 100  # low bits; the evaluator goes through int8
    info = np.iinfo(dtype_of(target))
    return (np.trunc(wide) >= info.min) & (np.trunc(wide) < float(info.max) + 1)


def expected(source, target, x, saturate, mode):
    if target == "FLOAT8E8M0":
        # By its definition: the evaluator leaves two bits of the mantissa out.
        with np.errstate(all="ignore"):
            fraction, exponent = np.frexp(x.astype(np.float64))
        up = fraction > 0.5 if mode == "up" else \
            fraction >= 0.75 if mode == "nearest" else np.zeros(len(x), bool)
        code = np.where(np.isinf(x.astype(np.float64)), 254,
                        np.clip(exponent - 1 + up + 127, 0, 254))
        code = np.where(np.isnan(x.astype(np.float64)), 255, code)
        return code.astype(np.uint8).view(ml_dtypes.float8_e8m0fnu)
    # The evaluator lacks some casts between two small types.
    if source in SMALL:
        source = "FLOAT" if is_float(source) else "INT8"
        x = x.astype(dtype_of(source))
    made = model(source, target, saturate, mode)
    with np.errstate(all="ignore"):
        return ReferenceEvaluator(made).run(None, {"x": x})[0]


def same(a, b):
    wide = np.float64 if a.dtype.kind not in "iu" else a.dtype
    a, b = a.astype(wide), b.astype(wide)
    with np.errstate(all="ignore"):
        nan = np.isnan(a) & np.isnan(b) if a.dtype.kind == "f" else np.zeros(len(a), bool)
        return nan | ((a == b) & (np.signbit(a) == np.signbit(b) if a.dtype.kind == "f" else True))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--library", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--devices", default="reference")
    args = parser.parse_args()
    runtime = capi.Runtime(capi.Library(args.library), args.devices)
    pairs = [(a, b) for a in SMALL + WIDE for b in SMALL + WIDE if a in SMALL or b in SMALL]
    wrong = compared = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "cast.onnx")
        for source, target in pairs:
            modes = ("up", "down", "nearest") if target == "FLOAT8E8M0" else ("up",)
            for saturate, mode in [(s, m) for s in (True, False) for m in modes]:
                onnx.save(model(source, target, saturate, mode), path)
                loaded = capi.Model(runtime, path)
                for seed in range(args.seeds):
                    x = numbers(source, np.random.default_rng(seed))
                    got = loaded.run({"x": x})[0]
                    want = expected(source, target, x, saturate, mode)
                    where = defined(source, target, x, saturate)
                    compared += int(where.sum())
                    bad = np.flatnonzero(where & ~same(got, want))
                    if len(bad):
                        wrong += 1
                        i = bad[0]
                        print(f"{source} to {target} saturate={saturate} {mode}: {len(bad)} differ,"
                              f" {x[i]} gave {got[i]}, wanted {want[i]}")
                loaded.close()
    print(f"{len(pairs)} pairs, {compared} elements compared, {wrong} runs differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
