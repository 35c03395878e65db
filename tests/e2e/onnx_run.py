"""Runs an ONNX model with onnxruntime: onnx_run.py MODEL FOLDER. FOLDER/in/NAME.npy holds each
input, FOLDER/out/0.npy ... will hold the outputs in order."""
import glob
import os
import sys

import numpy as np
import onnx
import onnxruntime

model, folder = sys.argv[1:]
onnx.checker.check_model(model, full_check=True)
given = {os.path.basename(path)[:-4]: np.load(path) for path in glob.glob(folder + "/in/*.npy")}
for i, value in enumerate(onnxruntime.InferenceSession(model).run(None, given)):
    np.save(f"{folder}/out/{i}.npy", value)
