"""What onnxruntime makes of models that `polaris convert` wrote, beside the models themselves.

usage: onnx_round_trip.py POLARIS PASSES MODEL.onnx...   (a folder with model.onnx is a node test)
Prints a line of JSON: counts by outcome, and under "bad" a line for each model that is not right.
"""
import collections
import glob
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

onnxruntime.set_default_logger_severity(4)
RTOL, ATOL = 1e-3, 1e-5


def read(path, kind):
    message, convert = onnx.TensorProto(), numpy_helper.to_array
    if kind.HasField("sequence_type"):
        message, convert = onnx.SequenceProto(), numpy_helper.to_list
    if kind.HasField("optional_type"):
        message, convert = onnx.OptionalProto(), numpy_helper.to_optional
    with open(path, "rb") as file:
        message.ParseFromString(file.read())
    return convert(message)


def same(got, wanted):
    if got is None or wanted is None:
        return got is wanted
    if isinstance(got, list) or isinstance(wanted, list):
        return len(got) == len(wanted) and all(map(same, got, wanted))
    got, wanted = np.asarray(got), np.asarray(wanted)
    if got.shape != wanted.shape:
        return False
    if got.dtype.kind in "OUS":
        return got.astype(str).tolist() == wanted.astype(str).tolist()
    scale = np.abs(np.nan_to_num(wanted.astype(np.float64), posinf=0, neginf=0)).max(initial=0)
    return np.allclose(got.astype(np.float64), wanted.astype(np.float64), rtol=RTOL,
                       atol=max(ATOL, RTOL * min(scale, 1)), equal_nan=True)


def session(path):
    try:
        return onnxruntime.InferenceSession(path), ""
    except Exception as error:  # what onnxruntime throws has no common base
        return None, str(error)


def node_test_inputs(model, folder):
    out = {}
    for i, value in enumerate(model.graph.input):
        path = f"{folder}/test_data_set_0/input_{i}.pb"
        if os.path.exists(path):
            out[value.name] = read(path, value.type)
    return {name: value for name, value in out.items() if value is not None}


def random_inputs(loaded):
    rng = np.random.default_rng(1)
    types = {"tensor(float)": np.float32, "tensor(float16)": np.float16,
             "tensor(int64)": np.int64, "tensor(int32)": np.int32}
    out = {}
    for value in loaded.get_inputs():
        last = len(value.shape) - 1
        # Free sizes of images are such that nothing becomes empty on its way.
        shape = [d if isinstance(d, int) and d > 0 else 64 if 0 < i and last == 3 else 1
                 for i, d in enumerate(value.shape)]
        out[value.name] = rng.uniform(0, 2, shape).astype(types[value.type])
    return out


def outcome(polaris, passes, path, out):
    folder = os.path.dirname(path)
    is_test = os.path.isdir(folder + "/test_data_set_0")
    done = subprocess.run([polaris, "convert", path, "-o", out, "--passes", passes, "-q",
                           "--device", "reference"], capture_output=True, text=True, check=False)
    if done.returncode:
        return "refused", done.stderr
    model = onnx.load(path, load_external_data=False)
    onnx.checker.check_model(out)
    theirs, why = session(path)
    ours, why_not = session(out)
    if ours is None:
        return ("no peer", why) if theirs is None else ("not loaded", why_not)
    try:
        given = node_test_inputs(model, folder) if is_test else random_inputs(theirs)
    except Exception as error:
        return "no peer", str(error)
    names = [value.name for value in model.graph.output]
    try:
        wanted = theirs.run(names, given) if theirs else None
    except Exception as error:
        wanted, why = None, str(error)
    try:
        known = {value.name for value in ours.get_inputs()}
        got = ours.run(names, {k: v for k, v in given.items() if k in known})
    except Exception as error:
        return ("no peer", why) if wanted is None else ("not run", str(error))
    if wanted is None:
        wanted = [read(f"{folder}/test_data_set_0/output_{i}.pb", value.type)
                  for i, value in enumerate(model.graph.output)]
    return ("same", "") if all(map(same, got, wanted)) else ("differs", "")


def main(polaris, passes, *paths):
    counts = collections.Counter()
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            found = sorted(glob.glob(path + "/*/model.onnx")) if os.path.isdir(path) else [path]
            for model in found:
                try:
                    word, why = outcome(polaris, passes, model, folder + "/out.onnx")
                except onnx.checker.ValidationError as error:
                    word, why = "not valid", str(error)
                counts[word] += 1
                if word not in ("same", "no peer"):
                    name = os.path.basename(os.path.dirname(model)) + "/" + os.path.basename(model)
                    bad.append(f"{word}: {name}: {why.strip()[:200]}")
    print(json.dumps({"counts": counts, "bad": bad}))


main(*sys.argv[1:])
