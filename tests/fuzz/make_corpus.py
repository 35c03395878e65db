#!/usr/bin/env python3
"""Writes the seeds in tests/fuzz/corpus: small files of each format, by its specification."""
import io
import json
import math
import os
import struct
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))


def save(format_name, name, data):
    folder = os.path.join(HERE, "corpus", format_name)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


# GGUF

def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def key(name, kind, data):
    return text(name) + struct.pack("<I", kind) + data


def gguf(version, keys, tensors, alignment=32):
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(keys)) + b"".join(keys)
    offset, data = 0, b""
    for name, dims, kind, size in tensors:
        out += text(name) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims)
        out += struct.pack("<IQ", kind, offset)
        data += bytes(size) + bytes(-size % alignment)
        offset = len(data)
    return out + bytes(-len(out) % alignment) + data


def llama(kind, width, block, block_bytes):
    keys = [key("general.architecture", 8, text("llama"))]
    for name, value in (("block_count", 1), ("context_length", 8), ("embedding_length", width),
                        ("feed_forward_length", width), ("attention.head_count", 2),
                        ("attention.head_count_kv", 1)):
        keys.append(key("llama." + name, 4, struct.pack("<I", value)))
    rows = [("token_embd.weight", (width, 4))]
    for name, outs in (("attn_q", width), ("attn_k", width // 2), ("attn_v", width // 2),
                       ("attn_output", width), ("ffn_gate", width), ("ffn_up", width),
                       ("ffn_down", width)):
        rows.append((f"blk.0.{name}.weight", (width, outs)))
    tensors = [(name, dims, kind, math.prod(dims) // block * block_bytes) for name, dims in rows]
    tensors += [(name, (width,), 0, width * 4) for name in
                ("blk.0.attn_norm.weight", "blk.0.ffn_norm.weight", "output_norm.weight")]
    return gguf(3, keys, tensors)


def gguf_seeds():
    scalars = [key(f"k{kind}", kind, bytes(size)) for kind, size in
               enumerate((1, 1, 2, 2, 4, 4, 4, 1, 8))]
    scalars += [key("k10", 10, bytes(8)), key("k11", 11, bytes(8)), key("k12", 12, bytes(8))]
    arrays = [key("words", 9, struct.pack("<IQ", 8, 2) + text("a") + text("bc")),
              key("ints", 9, struct.pack("<IQ", 5, 3) + bytes(12)),
              key("reals", 9, struct.pack("<IQ", 6, 2) + bytes(8)),
              key("general.alignment", 4, struct.pack("<I", 64))]
    save("gguf", "scalars", gguf(3, scalars, []))
    save("gguf", "arrays", gguf(2, arrays, [("w", (4, 2), 0, 32)], 64))
    save("gguf", "types", gguf(3, [], [("h", (3,), 1, 6), ("b", (2,), 30, 4), ("q", (32,), 8, 34),
                                       ("k", (256,), 12, 144)]))
    save("gguf", "llama_f32", llama(0, 8, 1, 4))
    save("gguf", "llama_q4_0", llama(2, 32, 32, 18))


# ONNX

def varint(value):
    out = b""
    value &= (1 << 64) - 1
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def message(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def tensor(name, kind, dims, raw):
    sizes = b"".join(number(1, d) for d in dims)
    return sizes + number(2, kind) + message(8, name) + message(9, raw)


def value(name, kind, dims):
    entry = lambda d: number(1, d) if isinstance(d, int) else message(2, d)
    shape = b"".join(message(1, entry(d)) for d in dims)
    return message(1, name) + message(2, message(1, number(1, kind) + message(2, shape)))


def node(op, inputs, outputs, *attributes):
    return (b"".join(message(1, i) for i in inputs) + b"".join(message(2, o) for o in outputs) +
            message(4, op) + b"".join(message(5, a) for a in attributes))


def ints(name, values):
    return message(1, name) + message(8, b"".join(map(varint, values))) + number(20, 7)


def integer(name, v):
    return message(1, name) + number(3, v) + number(20, 2)


def nested(name, data):
    return message(1, name) + message(6, data) + number(20, 5)


def graph(nodes, weights, inputs, outputs):
    return (b"".join(message(1, n) for n in nodes) + message(2, "g") +
            b"".join(message(5, w) for w in weights) + b"".join(message(11, i) for i in inputs) +
            b"".join(message(12, o) for o in outputs))


def function(name, inputs, outputs, nodes, more):
    imports = b"".join(message(9, message(1, domain) + number(2, version))
                       for domain, version in (("", 17), ("own", 1)))
    return message(25, message(1, name) + b"".join(message(4, i) for i in inputs) +
                   b"".join(message(5, o) for o in outputs) +
                   b"".join(message(7, n) for n in nodes) + more + imports + message(10, "own"))


def model(data, opset):
    return number(1, 8) + message(2, "seed") + message(7, data) + message(8, message(1, "") +
                                                                          number(2, opset))


def onnx_seeds():
    x, y = value("x", 1, ["N", 3]), value("y", 1, ["N", 3])
    floats = lambda *v: struct.pack(f"<{len(v)}f", *v)
    save("onnx", "add", model(graph([node("Add", ["x", "w"], ["y"])],
                                    [tensor("w", 1, [3], floats(1, 2, 3))], [x], [y]), 17))
    save("onnx", "reshape", model(graph(
        [node("Shape", ["x"], ["s"]), node("Gather", ["s", "i"], ["n"], integer("axis", 0)),
         node("Concat", ["n", "one"], ["t"], integer("axis", 0)),
         node("Reshape", ["x", "t"], ["y"])],
        [tensor("i", 7, [1], bytes(8)), tensor("one", 7, [1], b"\xff" * 8)], [x], [y]), 17))
    save("onnx", "old", model(graph(
        [node("Unsqueeze", ["x"], ["u"], ints("axes", [0])), node("Softmax", ["u"], ["v"]),
         node("Squeeze", ["v"], ["y"], ints("axes", [0]))], [], [x], [y]), 9))
    then = graph([node("Neg", ["x"], ["a"])], [], [], [value("a", 1, ["N", 3])])
    other = graph([node("Abs", ["x"], ["b"])], [], [], [value("b", 1, ["N", 3])])
    save("onnx", "if", model(graph(
        [node("If", ["c"], ["y"], nested("then_branch", then), nested("else_branch", other))], [],
        [x, value("c", 9, [])], [y]), 17))
    body = graph([node("Add", ["a", "x"], ["b"])], [],
                 [value("i", 7, []), value("go", 9, []), value("a", 1, ["N", 3])],
                 [value("go", 9, []), value("b", 1, ["N", 3])])
    save("onnx", "loop", model(graph([node("Loop", ["n", "", "x"], ["y"], nested("body", body))],
                                     [], [x, value("n", 7, [])], [y]), 17))
    # A carried input that is not there: ONNX has no such thing.
    two = graph([node("Add", ["b", "b"], ["c"])], [],
                [value("i", 7, []), value("go", 9, []), value("a", 1, [2]), value("b", 1, [2])],
                [value("go", 9, []), value("b", 1, [2]), value("c", 1, [2])])
    save("onnx", "loop_absent", model(graph(
        [node("Loop", ["n", "", "", "x"], ["p", "y"], nested("body", two))], [],
        [value("x", 1, [2]), value("n", 7, [])], [value("y", 1, [2])]), 17))
    # An empty trip count.
    save("onnx", "loop_empty_count", model(graph(
        [node("Loop", ["n", "", "x"], ["y"], nested("body", body))],
        [tensor("n", 7, [0], b"")], [x], [y]), 17))
    # Branches of different rank, chosen by a size.
    squeeze = graph([node("Squeeze", ["x", "axis"], ["a"])], [], [], [value("a", 1, ["N"])])
    keep = graph([node("Identity", ["x"], ["b"])], [], [], [value("b", 1, ["N", "M"])])
    save("onnx", "if_rank", model(graph(
        [node("Shape", ["x"], ["s"]), node("Gather", ["s", "axis"], ["m"], integer("axis", 0)),
         node("Equal", ["m", "axis"], ["c"]),
         node("If", ["c"], ["y"], nested("then_branch", squeeze), nested("else_branch", keep))],
        [tensor("axis", 7, [1], struct.pack("<q", 1))], [value("x", 1, ["N", "M"])],
        [value("y", 1, ["?"])]), 17))
    # Scan along the second axis, backward, and as it was, with a batch.
    step = graph([node("Add", ["s", "e"], ["t"]), node("Mul", ["t", "k"], ["o"])], [],
                 [value("s", 1, [2]), value("e", 1, [2])], [value("t", 1, [2]), value("o", 1, [2])])
    operands = [value("k", 1, [2]), value("s0", 1, [2]), value("e0", 1, [2, "N"])]
    results = [value("f", 1, [2]), value("y", 1, ["N", 2])]
    save("onnx", "scan", model(graph(
        [node("Scan", ["s0", "e0"], ["f", "y"], nested("body", step), integer("num_scan_inputs", 1),
              ints("scan_input_axes", [-1]), ints("scan_input_directions", [1]),
              ints("scan_output_axes", [0]))], [], operands, results), 17))
    operands = [value("k", 1, [2]), value("s0", 1, [3, 2]), value("e0", 1, [3, "N", 2])]
    results = [value("f", 1, [3, 2]), value("y", 1, [3, "N", 2])]
    save("onnx", "scan_batch", model(graph(
        [node("Scan", ["", "s0", "e0"], ["f", "y"], nested("body", step),
              integer("num_scan_inputs", 1), ints("directions", [1]))], [], operands, results), 8))
    # Functions: one calls the other, an attribute is handed on, an input is left out.
    slope = message(1, "slope") + message(21, "slope") + number(20, 1)
    alpha = message(1, "alpha") + message(21, "slope") + number(20, 1)
    default = message(1, "slope") + varint(2 << 3 | 5) + floats(0.5) + number(20, 1)
    own = message(7, "own")
    leak = function("Leak", ["x", "low"], ["y"], [
        node("LeakyRelu", ["x"], ["a"], alpha), node("Clip", ["a", "low"], ["y"])],
        message(11, default))
    twice = function("Twice", ["x"], ["y"], [
        node("Leak", ["x"], ["a"], slope) + own, node("Leak", ["a"], ["y"], slope) + own],
        message(6, "slope"))
    save("onnx", "functions", model(graph(
        [node("Twice", ["x"], ["a"], message(1, "slope") + varint(2 << 3 | 5) + floats(0.25) +
              number(20, 1)) + own, node("Leak", ["a"], ["y"]) + own], [], [x], [y]), 17) +
        message(8, message(1, "own") + number(2, 1)) + leak + twice)


# NumPy

def npy(version, header, data):
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header.encode() + data


def safetensors_seeds():
    def file(header, data):
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + bytes(data)

    def entry(dtype, shape, begin, end):
        return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    save("safetensors", "empty", file({}, 0))
    save("safetensors", "two", file({"__metadata__": {"format": "pt"},
                                     "b": entry("F16", [2, 2], 4, 12),
                                     "a": entry("F32", [1], 0, 4)}, 12))
    save("safetensors", "scalar_and_none", file({"s": entry("BOOL", [], 0, 1),
                                                 "n": entry("BF16", [0, 3], 1, 1)}, 1))


def npy_seeds():
    row = "{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}\n".format
    save("npy", "f4", npy(1, row("<f4", False, (2, 3)), bytes(24)))
    save("npy", "i2_fortran", npy(2, row(">i2", True, (2, 2, 2)), bytes(16)))
    save("npy", "bool_scalar", npy(3, row("|b1", False, ()), b"\1"))
    save("npy", "bf16", npy(1, row("<V2", False, "(4,)"), bytes(8)))


def zip_seeds():
    for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            for item in range(2):
                entry = zipfile.ZipInfo(f"arr_{item}.npy")
                entry.compress_type = method
                archive.writestr(entry, npy(1, "{'descr': '<f4', 'fortran_order': False, "
                                            "'shape': (64,), }\n", bytes(256)))
        save("zip", name, out.getvalue())


# Text IR

def text_seeds():
    save("text", "matmul", b"""graph main {
  symbol T bucketed 512
  input %x : float32[T, 2]
  const %w : float32[2, 2] = [1, 0, 0, 1]
  %h = MatMul(%x, %w) : float32[T, 2]
  %y = Softmax(%h, axis = 1) : float32[T, 2]
  output %y
}
""")
    save("text", "model", b"""state s : float32[2] = [1, 2]
graph a {
  symbol P
  input %x : float32[2]
  state %m : float32[2] named "s"
  output %m
  update %m = %x
}
graph b {
  state %s : float32[2]
  output %s
}
""")
    save("text", "control", b"""graph main {
  input %x : float32[2, 3]
  input %i : int32[]
  %a = polaris.Call(%x) graph f {
    input %p : float32[2, 3]
    %r = Neg(%p)
    output %r
  }
  %b = polaris.Call(%a) graph f
  %c, %u = Scan(%b, %x, num_scan_inputs = 1, scan_input_axes = [1], scan_output_axes = [1]) graph {
    input %s : float32[2, 3]
    input %e : float32[2]
    %t = Abs(%s)
    output %t
    output %e
  }
  %d = polaris.While(%c, %i, captures = 1) graph {
    input %v : float32[2, 3]
    input %k : int32[]
    %sum = ReduceSum(%v, keepdims = 0)
    const %low : float32[] = 0
    %go = Less(%sum, %low)
    output %go
  } graph {
    input %v : float32[2, 3]
    input %k : int32[]
    %w = Abs(%v)
    output %w
  }
  %y = polaris.Case(%i, %d) graph {
    input %v : float32[2, 3]
    output %v
  } graph {
    input %v : float32[2, 3]
    %r = Neg(%v)
    output %r
  }
  output %y
  output %u
}
""")
    save("text", "shapes", b"""graph main {
  symbol N
  input %x : float32[N, 4]
  const %s : int64[3] = [-1, 2, 2]
  %r = Reshape(%x, %s)
  %t = Transpose(%r, perm = [0, 2, 1])
  output %t
}
""")


# Tokenizers

def piece(data, score, kind=1):
    return message(1, message(1, data) + b"\x15" + struct.pack("<f", score) + number(3, kind))


def sentencepiece(model_type, normalizer=b""):
    pieces = [piece("<unk>", 0, 2), piece("<s>", 0, 3), piece("</s>", 0, 3), piece("<0x61>", 0, 6),
              piece("\u2581", -1), piece("a", -2), piece("b", -3), piece("ab", -2.5),
              piece("\u2581ab", -4), piece("user", 0, 4)]
    trainer = number(3, model_type) + number(35, 1)
    return b"".join(pieces) + message(2, trainer) + message(3, normalizer)


def tokenizer_seeds():
    # One node, whose leaf is the text "b".
    units = struct.pack("<4I", 1 << 10, 0x61 | 1 << 8 | 2 << 10, 0, 0)
    save("tokenizer", "sentencepiece_bpe", sentencepiece(2))
    save("tokenizer", "sentencepiece_unigram",
         sentencepiece(1, message(2, struct.pack("<I", len(units)) + units + b"b\0")))
    save("tokenizer", "vocab_txt", b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nab\n##c\na\n,\n")
    save("tokenizer", "tiktoken", b"IQ== 0\nIg== 1\nIyM= 2\n")
    save("tokenizer", "pair", b'{"a":0,"b":1,"ab":2,"\xc4\xa0":3,"<|endoftext|>":4}\xfe'
                              b"#version: 0.2\na b\n\xc4\xa0 a\n")
    save("tokenizer", "clip", b'{"a":0,"b</w>":1,"ab</w>":2,"<|startoftext|>":3,'
                              b'"<|endoftext|>":4}\xfea b</w>\n')
    bpe = ('"type":"BPE","unk_token":"<u>","byte_fallback":true,"fuse_unk":true,"vocab":{"<u>":0,'
           '"a":1,"b":2,"ab":3,"\u2581":4,"<0x0A>":5},"merges":["a b",["\u2581","ab"]]')
    steps = ('"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"\u2581"},'
             '{"type":"Replace",'
             '"pattern":{"Regex":" +|\\\\p{Lu}"},"content":"\u2581"},{"type":"NFKC"},'
             '{"type":"Strip","strip_left":true,"strip_right":false}]}')
    save("tokenizer", "json_bpe", (
        '{"added_tokens":[{"id":6,"content":"<x>","special":true,"lstrip":true,"rstrip":true},'
        '{"id":7,"content":"w","special":false,"single_word":true,"normalized":true}],'
        f'{steps},"model":{{{bpe}}},"post_processor":{{"type":"TemplateProcessing",'
        '"single":[{"SpecialToken":{"id":"<x>"}},{"Sequence":{"id":"A"}}],'
        '"special_tokens":{"<x>":{"ids":[6]}}},'
        '"decoder":{"type":"Metaspace","replacement":"\u2581"}}').encode())
    split = '{"type":"Split","pattern":{"Regex":"%s"},"behavior":"%s"}'
    splits = ",".join(split % parts for parts in ((r"\\s+(?!\\S)|\\s+", "Removed"),
                                                  (r"(?i:'s|[^a-c]{2,3})+?", "MergedWithNext"),
                                                  (r"(?<!a)\\p{N}++|\\bb", "Contiguous")))
    save("tokenizer", "json_unigram", (
        '{"model":{"type":"Unigram","unk_id":0,"vocab":[["<u>",0],["a",-1],["ab",-2.5],["b",-2]]},'
        f'"pre_tokenizer":{{"type":"Sequence","pretokenizers":[{splits},{{"type":"Digits"}},'
        '{"type":"Metaspace","replacement":"\u2581","prepend_scheme":"first"}]}}').encode())
    save("tokenizer", "json_wordpiece", (
        '{"model":{"type":"WordPiece","unk_token":"[U]","vocab":{"[U]":0,"a":1,"##b":2}},'
        '"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},'
        '"decoder":{"type":"WordPiece","prefix":"##"}}').encode())


# Chat templates, each behind a conversation

def jinja_seeds():
    folder = os.path.join(HERE, "..", "data", "chat")
    with open(os.path.join(folder, "conversations.jsonl"), encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    given = {row["name"]: row["names"] for row in rows}
    for name, conversation in (("arithmetic", "user"), ("content_parts", "parts"),
                               ("filters_lists", "turns"), ("filters_texts", "unicode"),
                               ("loops", "system"), ("macros", "user"), ("scopes", "user"),
                               ("strings", "marks"), ("tests_of_values", "user"),
                               ("thinking", "turns"), ("tool_calls", "tool_calls"),
                               ("tools_as_json", "tools"), ("whitespace", "none")):
        with open(os.path.join(folder, "templates", name + ".jinja"), "rb") as file:
            template = file.read()
        text = json.dumps(given[conversation], ensure_ascii=False).encode()
        save("jinja", name, text + b"\xfe" + template)


# Pictures and recordings: those that tests/data/make_media.py made

def media_seeds():
    for name in ("rgb.png", "palette.png", "interlaced.png", "grey16.png", "cmyk.jpg",
                 "turned6.jpg", "progressive.jpg", "rgb565.bmp", "bits.bmp", "grey.pgm",
                 "float.wav", "mono.flac"):
        with open(os.path.join(HERE, "..", "data", "media", name), "rb") as file:
            save("media", name, file.read())


if __name__ == "__main__":
    text_seeds()
    tokenizer_seeds()
    gguf_seeds()
    onnx_seeds()
    npy_seeds()
    safetensors_seeds()
    zip_seeds()
    jinja_seeds()
    media_seeds()
