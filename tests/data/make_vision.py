"""Small models of pictures and recordings, and what onnxruntime, Pillow and numpy make of them:
tests/data/vision. Needs onnx, onnxruntime and Pillow; soundfile for media, which comes first:

    python3 tests/data/make_vision.py [SHARED]

With a folder of real models (docs/testing.md), also what they say of real pictures. Each NAME.json
is one run of the command line: {"command", "model", "files", "arguments", "card" (or null),
"answers": one list a file}. Models and files that begin with `shared/` lie in that folder, others
in tests/data.
"""
import json
import pathlib
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
import onnx
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "vision"
F, U8, I8, I64 = TensorProto.FLOAT, TensorProto.UINT8, TensorProto.INT8, TensorProto.INT64
rng = np.random.default_rng(49)
onnxruntime.set_default_logger_severity(4)


# Models

class Builder:
    def __init__(self):
        self.nodes, self.constants, self.count = [], [], 0

    def constant(self, array):
        self.count += 1
        self.constants.append(numpy_helper.from_array(np.asarray(array), f"c{self.count}"))
        return f"c{self.count}"

    def node(self, op, *inputs, out=None, **attributes):
        self.count += 1
        name = out or f"v{self.count}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def save(self, name, inputs, outputs, metadata=None):
        graph = helper.make_graph(
            self.nodes, name, [helper.make_tensor_value_info(*i) for i in inputs],
            [helper.make_tensor_value_info(*o) for o in outputs], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        for key, value in (metadata or {}).items():
            model.metadata_props.add(key=key, value=value)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, OUT / name)


def normal(*shape, scale=1.0):
    return (rng.standard_normal(shape) * scale).astype(np.float32)


def head(b, x, channels, classes):
    """Of [1, C, H, W]: the logits of its classes."""
    x = b.node("Relu", b.node("Conv", x, b.constant(normal(6, channels, 3, 3)), strides=[2, 2]))
    x = b.node("Flatten", b.node("GlobalAveragePool", x))
    return x, b.constant(normal(6, classes, scale=2.0)), b.constant(normal(classes))


def classifiers():
    b = Builder()
    b.node("Gemm", *head(b, "x", 3, 5), out="y")
    b.save("logits.onnx", [("x", F, [1, 3, 12, 12])], [("y", F, [1, 5])],
           {"names": "{0: 'ant', 1: \"bee's\", 2: 'cat', 3: 'dog', 4: 'eel'}"})

    b = Builder()
    b.node("Softmax", b.node("Gemm", *head(b, "x", 1, 4)), out="y", axis=1)
    b.save("grey.onnx", [("x", F, ["n", 1, "h", "w"])], [("y", F, ["n", 4])],
           {"Image.NominalPixelRange": "NominalRange_0_255"})

    b = Builder()  # as converters write what was quantized: uint8 in, uint8 out, channels last
    x = b.node("DequantizeLinear", "x", b.constant(np.float32(1 / 127.5)),
               b.constant(np.uint8(128)))
    y = b.node("Gemm", *head(b, b.node("Transpose", x, perm=[0, 3, 1, 2]), 3, 5))
    b.node("QuantizeLinear", y, b.constant(np.float32(0.1)), b.constant(np.uint8(100)), out="y")
    b.save("bytes.onnx", [("x", U8, [1, 10, 14, 3])], [("y", U8, [1, 5])])

    b = Builder()
    b.node("MatMul", "x", b.constant(normal(300, 3)), out="y")
    b.save("sound.onnx", [("x", F, [1, 300])], [("y", F, [1, 3])])

    b = Builder()  # rows of scores, one for each 100 samples
    x = b.node("Reshape", "x", b.constant(np.array([-1, 100], np.int64)))
    y = b.node("Gemm", x, b.constant(normal(100, 3, scale=0.1)),
               b.constant(np.array([-1, 0.5, 2], np.float32)))
    b.node("Sigmoid", y, out="y")
    b.save("rows.onnx", [("x", F, ["samples"])], [("y", F, ["rows", 3])])


def shifted(b, values, x, factor):
    """Constant outputs that yet hang on every pixel."""
    mean = b.node("ReduceMean", x, axes=[0, 1, 2, 3], keepdims=0)
    return b.node("Add", b.constant(values.astype(np.float32)),
                  b.node("Mul", mean, b.constant(np.float32(factor))))


def corners(count, width, height):
    """x0, y0, x1, y1, several of which overlap."""
    x = rng.uniform(0, width * 0.6, count)
    y = rng.uniform(0, height * 0.6, count)
    return np.stack([x, y, x + rng.uniform(0.2, 0.5, count) * width,
                     y + rng.uniform(0.2, 0.5, count) * height], axis=1)


def detectors():
    b = Builder()
    boxes = corners(12, 1, 1)
    b.node("Identity", shifted(b, boxes[None, :, [1, 0, 3, 2]], "x", 0.01), out="detection_boxes:0")
    scores = np.sort(rng.uniform(0.3, 0.95, 12))[::-1]
    b.node("Identity", shifted(b, scores[None], "x", 0.01), out="detection_scores:0")
    b.node("Identity", b.constant(rng.integers(1, 4, (1, 12)).astype(np.float32)),
           out="detection_classes:0")
    b.node("Identity", b.constant(np.array([9], np.float32)), out="num_detections:0")
    b.save("ssd.onnx", [("x", F, [1, 3, 24, 32])],
           [("num_detections:0", F, [1]), ("detection_classes:0", F, [1, 12]),
            ("detection_scores:0", F, [1, 12]), ("detection_boxes:0", F, [1, 12, 4])])

    b = Builder()
    x = b.node("Unsqueeze", "x", b.constant(np.array([0], np.int64)))
    b.node("Identity", shifted(b, corners(9, 21, 13), x, 0.5), out="dets")
    b.node("Identity", b.constant(rng.integers(0, 3, 9)), out="ids")
    b.node("Identity", shifted(b, rng.uniform(0.3, 0.9, 9), x, 0.05), out="conf")
    b.save("torchvision.onnx", [("x", F, [3, "h", "w"])],
           [("dets", F, [9, 4]), ("ids", I64, [9]), ("conf", F, [9])])

    b = Builder()
    b.node("Identity", shifted(b, corners(40, 1, 1)[None], "x", 0.01), out="boxes")
    logits = shifted(b, normal(1, 40, 3, scale=3.0), "x", 0.3)
    b.node("Softmax", logits, out="scores", axis=2)
    b.save("ultraface.onnx", [("x", F, [1, 3, 24, 32])],
           [("scores", F, [1, 40, 3]), ("boxes", F, [1, 40, 4])])

    def xywh(box):
        return np.concatenate([(box[:, :2] + box[:, 2:]) / 2, box[:, 2:] - box[:, :2]], axis=1)

    cells = 64 + 16 + 4  # of 64 x 64 by strides 8, 16, 32
    values = np.concatenate([xywh(corners(cells, 64, 64)), rng.uniform(0, 0.9, (cells, 3))], axis=1)
    for name, rows in (("yolov8.onnx", values.T), ("yolov8_rows.onnx", values)):
        b = Builder()
        b.node("Identity", shifted(b, rows[None], "x", 0.05), out="output0")
        b.save(name, [("x", F, [1, 3, 64, 64])], [("output0", F, [1, *rows.shape])],
               {"names": "{0: 'ant', 1: 'bee', 2: 'cat'}"})
    values = np.concatenate([xywh(corners(3 * cells, 64, 64)), rng.uniform(0, 1, (3 * cells, 4))],
                            axis=1)
    b = Builder()
    b.node("Identity", shifted(b, values[None], "x", 0.05), out="output0")
    b.save("yolov5.onnx", [("x", F, [1, 3, 64, 64])], [("output0", F, [1, 3 * cells, 8])])


# What they are given, and what their outputs mean: by the definitions in docs/vision.md

def picture(path):
    with Image.open(path) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def cropped(image, shorter, width, height):
    w, h = image.size
    size = (shorter, int(shorter * h / w)) if w <= h else (int(shorter * w / h), shorter)
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = round((size[0] - width) / 2), round((size[1] - height) / 2)
    return image.crop((left, top, left + width, top + height))


def letterboxed(image, side):
    ratio = min(side / image.width, side / image.height)
    size = (round(image.width * ratio), round(image.height * ratio))
    out = Image.new("RGB", (side, side), (114, 114, 114))
    at = ((side - size[0]) // 2, (side - size[1]) // 2)
    out.paste(image.resize(size, Image.Resampling.BILINEAR), at)
    return out, (size[0] / image.width, size[1] / image.height, *at)


def nchw(image, scale, mean, std, bgr=False, dtype=np.float32):
    x = (np.asarray(image, dtype=np.float64) * scale - mean) / std
    return (x[:, :, ::-1] if bgr else x).transpose(2, 0, 1)[None].astype(dtype)


def top(scores, labels, count=5):
    order = np.argsort(-scores, kind="stable")[:count]
    return [{"index": int(i), "label": labels[i] if labels else "", "score": float(scores[i])}
            for i in order]


def softmax(x):
    e = np.exp(x.astype(np.float64) - x.max())
    return e / e.sum()


def suppressed(found, iou_max, most=100):
    found = sorted(found, key=lambda d: -d["score"])
    kept = []
    for d in found:
        def iou(k):
            a, b = d["box"], k["box"]
            w = max(0, min(a[2], b[2]) - max(a[0], b[0]))
            h = max(0, min(a[3], b[3]) - max(a[1], b[1]))
            areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
            return w * h / (areas - w * h)
        if all(k["index"] != d["index"] or iou(k) <= iou_max for k in kept):
            kept.append(d)
    return kept[:most]


def objects(boxes, scores, classes, score_min, iou_max, size, place, labels=None):
    """Boxes are corners in the input's pixels; place: scale and shift of x and y."""
    sx, sy, dx, dy = place
    found = [{"index": int(c), "score": float(s), "box": [float(v) for v in b]}
             for b, s, c in zip(boxes, scores, classes) if s >= score_min]
    out = []
    for d in suppressed(found, iou_max):
        b = (np.array(d["box"]) - [dx, dy, dx, dy]) / [sx, sy, sx, sy]
        b = b.clip(0, [size[0], size[1], size[0], size[1]])
        out.append({**d, "label": labels[d["index"]] if labels else "", "box": b.tolist()})
    return out


def from_middle(b):
    return np.concatenate([b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2], axis=1)


def session(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def run(path, x):
    s = session(path)
    return dict(zip([o.name for o in s.get_outputs()], s.run(None, {s.get_inputs()[0].name: x})))


def save(name, command, model, files, arguments, answers, card=None):
    case = {"command": command, "model": model, "files": files, "arguments": arguments,
            "card": card, "answers": answers}
    (OUT / f"{name}.json").write_text(json.dumps(case, indent=1) + "\n")


MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
SCENES = ["media/rgb.png", "media/turned6.jpg"]


def small_cases():
    names = ["ant", "bee's", "cat", "dog", "eel"]
    answers = []
    for file in SCENES:
        x = nchw(cropped(picture(HERE / file), 12, 12, 12), 1 / 255, MEAN, STD)
        answers.append(top(softmax(run(OUT / "logits.onnx", x)["y"][0]), names))
    save("logits", "classify", "vision/logits.onnx", SCENES, [], answers)

    x = nchw(cropped(picture(HERE / SCENES[0]), 16, 12, 12), 1, [128, 120, 110], [60, 61, 62], True)
    y = run(OUT / "logits.onnx", x)["y"][0]
    answer = [top(1 / (1 + np.exp(-y.astype(np.float64))), ["a", "b", "c", "d", "e"], 3)]
    arguments = ["--resize", "16", "--crop", "12", "--mean", "128,120,110", "--std", "60,61,62",
                 "--bgr", "--activation", "sigmoid", "--top", "3"]
    card = {"labels": ["a", "b", "c", "d", "e"], "top": 4}
    save("logits_options", "classify", "vision/logits.onnx", SCENES[:1], arguments, answer, card)
    card = {"labels": ["a", "b", "c", "d", "e"], "resize": 16, "crop": 12, "mean": [128, 120, 110],
            "std": [60, 61, 62], "bgr": True, "activation": "sigmoid", "top": 3, "layout": "nchw"}
    save("logits_card", "classify", "vision/logits.onnx", SCENES[:1], [], answer, card)

    image = picture(HERE / "media/grey.png").convert("L")
    image = cropped(image.convert("RGB"), 10, 9, 9).convert("L")
    x = np.asarray(image, dtype=np.float32)[None, None]
    save("grey", "classify", "vision/grey.onnx", ["media/grey.png"],
         ["--resize", "10", "--crop", "9"], [top(run(OUT / "grey.onnx", x)["y"][0], None)])

    image = picture(HERE / SCENES[0]).resize((14, 10), Image.Resampling.BILINEAR)
    y = run(OUT / "bytes.onnx", np.asarray(image)[None])["y"][0].astype(np.float64)
    save("bytes", "classify", "vision/bytes.onnx", SCENES[:1], [],
         [top(softmax((y - 100) * 0.1), None)])
    real = (np.asarray(image, dtype=np.float64) / 255 - [0.5, 0.4, 0.3]) / [0.5, 0.6, 0.7]
    x = np.rint(real * 127.5 + 128).clip(0, 255).astype(np.uint8)[None]
    y = run(OUT / "bytes.onnx", x)["y"][0].astype(np.float64)
    save("bytes_mean", "classify", "vision/bytes.onnx", SCENES[:1],
         ["--mean", "0.5,0.4,0.3", "--std", "0.5,0.6,0.7"], [top(softmax((y - 100) * 0.1), None)])

    table = [r.split("\t") for r in (HERE / "media_expected.tsv").read_text().splitlines()]
    sounds = {r[1]: np.frombuffer(bytes.fromhex(r[4]), "<f4") for r in table if r[0] == "sound"}
    files = ["media/stereo.wav", "media/mono.flac"]
    answers = []
    for f in files:
        x = sounds[pathlib.Path(f).name][None, :300]
        answers.append(top(softmax(run(OUT / "sound.onnx", x)["y"][0]), None))
    save("sound", "classify", "vision/sound.onnx", files, ["--rate", "8000"], answers)
    y = run(OUT / "rows.onnx", sounds["float.wav"])["y"].astype(np.float64).mean(axis=0)
    save("rows", "classify", "vision/rows.onnx", ["media/float.wav"], [], [top(y, None)])

    image = picture(HERE / SCENES[0])
    w, h = image.size
    wide = image.resize((32, 24), Image.Resampling.BILINEAR)
    place = (32 / w, 24 / h, 0, 0)
    o = run(OUT / "ssd.onnx", nchw(wide, 1 / 255, 0, 1))
    o = {k.split(":")[0]: v for k, v in o.items()}
    boxes = o["detection_boxes"][0, :9][:, [1, 0, 3, 2]] * [32, 24, 32, 24]
    answer = objects(boxes, o["detection_scores"][0, :9], o["detection_classes"][0, :9], 0.5, 1,
                     (w, h), place)
    save("ssd", "detect", "vision/ssd.onnx", SCENES[:1], [], [answer])

    o = run(OUT / "torchvision.onnx", nchw(image, 1 / 255, 0, 1)[0])
    answer = objects(o["dets"], o["conf"], o["ids"], 0.5, 1, (w, h), (1, 1, 0, 0))
    save("torchvision", "detect", "vision/torchvision.onnx", SCENES[:1], [], [answer])

    o = run(OUT / "ultraface.onnx", nchw(wide, 1, 127, 128))
    best = o["scores"][0, :, 1:].argmax(axis=1) + 1
    answer = objects(o["boxes"][0] * [32, 24, 32, 24], o["scores"][0].max(axis=1, where=np.array(
        [False, True, True]), initial=-1), best, 0.7, 0.3, (w, h), place)
    save("ultraface", "detect", "vision/ultraface.onnx", SCENES[:1], [], [answer])

    boxed, place = letterboxed(image, 64)
    x = nchw(boxed, 1 / 255, 0, 1)
    for name in ("yolov8", "yolov8_rows"):
        v = run(OUT / f"{name}.onnx", x)["output0"][0]
        v = v.T if name == "yolov8" else v
        answer = objects(from_middle(v[:, :4]), v[:, 4:].max(axis=1), v[:, 4:].argmax(axis=1), 0.25,
                         0.45, (w, h), place, ["ant", "bee", "cat"])
        save(name, "detect", f"vision/{name}.onnx", SCENES[:1], [], [answer])
    v = run(OUT / "yolov5.onnx", x)["output0"][0]
    scores = v[:, 4:5] * v[:, 5:]
    answer = objects(from_middle(v[:, :4]), scores.max(axis=1), scores.argmax(axis=1), 0.4, 0.6,
                     (w, h), place)
    save("yolov5", "detect", "vision/yolov5.onnx", SCENES[:1],
         ["--score-min", "0.4", "--iou-max", "0.6"], [answer])


def shared_cases(shared):
    def of(name):
        return f"shared/models/{name}"

    photos = sorted(p.name for p in (shared / "models/inputs/imagenet").iterdir())
    labels = json.loads((shared / "models/inputs/labels/imagenet-simple-labels.json").read_text())
    answers = []
    net = session(shared / "models/onnx/SqueezeNet_fp16.onnx")
    for photo in photos:
        image = cropped(picture(shared / "models/inputs/imagenet" / photo), 256, 224, 224)
        x = nchw(image, 1, [123, 117, 104], 1, True, np.float16)
        y = net.run(None, {"data_0": x})[0].reshape(-1).astype(np.float64)
        answers.append(top(y, labels))
    save("shared_squeezenet", "classify", of("onnx/SqueezeNet_fp16.onnx"),
         [of(f"inputs/imagenet/{p}") for p in photos],
         ["--resize", "256", "--crop", "224", "--bgr", "--mean", "123,117,104"], answers,
         {"labels": labels})

    digits = [f"sample{i}.png" for i in range(10)]
    answers = []
    for digit in digits:
        x = np.asarray(Image.open(shared / "models/inputs/mnist" / digit).convert("L"), np.float32)
        answers.append(top(softmax(run(shared / "models/onnx/mnist.onnx", x[None, None])
                                   ["Plus214_Output_0"][0]), None, 1))
    save("shared_mnist", "classify", of("onnx/mnist.onnx"),
         [of(f"inputs/mnist/{d}") for d in digits], ["--top", "1"], answers)

    faces = ["1.jpg", "16.jpg"]
    for model in ("version-RFB-320", "version-RFB-320_simplified",
                  "version-RFB-320_without_postprocessing"):
        answers = []
        for face in faces:
            # The boxes of the one that decodes them itself are those of all three.
            image = picture(shared / "models/cross/ultraface" / face)
            w, h = image.size
            x = nchw(image.resize((320, 240), Image.Resampling.BILINEAR), 1, 127, 128)
            o = run(shared / "models/cross/ultraface/version-RFB-320.onnx", x)
            answers.append(objects(o["boxes"][0] * [320, 240, 320, 240], o["scores"][0, :, 1],
                                   np.ones(len(o["boxes"][0])), 0.7, 0.3, (w, h),
                                   (320 / w, 240 / h, 0, 0)))
        save(f"shared_{model}", "detect", of(f"cross/ultraface/{model}.onnx"),
             [of(f"cross/ultraface/{f}") for f in faces], [], answers)

    files = [f"{i}.jpg" for i in range(5)]
    answers = []
    for file in files:
        image = picture(shared / "models/onnx/fastestdet_data" / file)
        w, h = image.size
        x = nchw(image.resize((352, 352), Image.Resampling.BOX), 1 / 255, 0, 1, True)
        m = run(shared / "models/onnx/FastestDet.onnx", x)["758"][0].astype(np.float64)
        rows, columns = m.shape[1:]
        y, x = np.mgrid[0:rows, 0:columns]
        middle = np.stack([(x + np.tanh(m[1])) / columns, (y + np.tanh(m[2])) / rows,
                           1 / (1 + np.exp(-m[3])), 1 / (1 + np.exp(-m[4]))], axis=-1)
        middle = middle.reshape(-1, 4)
        score = (m[0] ** 0.6 * m[5:].max(axis=0) ** 0.4).reshape(-1)
        answers.append(objects(from_middle(middle) * 352, score, m[5:].argmax(axis=0).reshape(-1),
                               0.65, 0.45, (w, h), (352 / w, 352 / h, 0, 0)))
    save("shared_fastestdet", "detect", of("onnx/FastestDet.onnx"),
         [of(f"onnx/fastestdet_data/{f}") for f in files], [], answers)


def main():
    OUT.mkdir(exist_ok=True)
    classifiers()
    detectors()
    small_cases()
    if len(sys.argv) > 1:
        shared_cases(pathlib.Path(sys.argv[1]))


if __name__ == "__main__":
    main()
