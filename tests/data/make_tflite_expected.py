"""Writes tests/data/tflite_expected.tsv: what LiteRT answers for models of the shared folder.

    python3 tests/data/make_tflite_expected.py SHARED/models

Needs PyPI's ai-edge-litert and numpy. Inputs are made by splitmix64, as tests/e2e/tflite.cc makes
them. Columns: model, output, dtype, elements, largest magnitude, samples at equal distances.
Models that LiteRT itself does not run have no rows.
"""

import os
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

SAMPLES = 48
# Inputs made so are outside of what the operator is defined for, or LiteRT seems to read int8
# weights of a BATCH_MATMUL as int16.
LEFT_OUT = (
    "simple_floor_mod",
    "simple_scatter_nd_op",
    "single_rsqrt_default_a16w8",
    "static_w8_a16_quantized",
    "gather_string",
    # On noise these are more than two steps from LiteRT, or the scales of blocks differ
    # (docs/tflite.md).
    "dtln_noise_suppression",
    "tf2_mobilenet_v2_1.0_224_ptq",
    "qwen_fc_blockwise",
)


def uniform(index, count):
    with np.errstate(over="ignore"):
        z = (np.arange(count, dtype=np.uint64) + np.uint64(index << 32) + np.uint64(1)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / (1 << 24)


def made_input(index, shape, dtype):
    u = uniform(index, int(np.prod(shape))).reshape(shape)
    if np.issubdtype(dtype, np.floating):
        return (2 * u - 1).astype(dtype)
    if dtype == np.bool_:
        return u < 0.5
    if np.dtype(dtype).itemsize > 2:
        return np.floor(u * 3).astype(dtype)
    info = np.iinfo(dtype)
    return np.floor(info.min + u * (info.max - info.min + 1)).astype(dtype)


def main():
    folder = sys.argv[1]
    rows = []
    for root, _, files in sorted(os.walk(folder)):
        for file in sorted(files):
            if not file.endswith(".tflite") or file.startswith(LEFT_OUT):
                continue
            path = os.path.join(root, file)
            name = os.path.relpath(path, folder)
            if "blockwise_quantized.tflite" == file:
                continue  # its weights have no bytes; LiteRT crashes
            try:
                it = Interpreter(model_path=path, num_threads=1)
                it.allocate_tensors()
                for i, d in enumerate(it.get_input_details()):
                    it.set_tensor(d["index"], made_input(i, d["shape"], d["dtype"]))
                it.invoke()
            except (RuntimeError, ValueError) as error:
                print(name, "left out:", str(error).splitlines()[0][:100])
                continue
            for i, d in enumerate(it.get_output_details()):
                v = it.get_tensor(d["index"])
                flat = v.reshape(-1)
                count = min(SAMPLES, flat.size)
                at = [j * flat.size // count for j in range(count)]
                largest = float(np.abs(flat.astype(np.float64)).max()) if flat.size else 0.0
                text = ",".join(
                    repr(float(flat[k])) if v.dtype.kind == "f" else str(int(flat[k])) for k in at
                )
                rows.append(
                    "\t".join([name, str(i), str(v.dtype), str(flat.size), repr(largest), text])
                )
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tflite_expected.tsv")
    with open(out, "w") as f:
        f.write("# model\toutput\tdtype\telements\tlargest\tsamples (make_tflite_expected.py)\n")
        f.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
