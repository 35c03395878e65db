#!/usr/bin/env python3
"""Simulated time of llama.cpp's own kernels on an RX 470 ... 590, to hold the model against figures
that owners of cards published.

    bench/polaris_peer.py --llama DIR [--chip rx470:900] mul_mat.q4_0:4096x512x14336
    bench/polaris_peer.py --llama DIR attention.q8_0:64x8x64,1on7680 conv:1,64,56,56,64,3,3
    bench/polaris_peer.py --llama DIR [--chip rx470:1100] pp512:ONE.gguf,TWO.gguf

DIR holds llama.cpp's shared libraries (libggml-vulkan.so, libllama*.so ...). It runs on Mesa's null
device, which makes it choose what it would on a POLARIS10; tools/gcn/record writes down its
dispatches, and `gcn replay` times them. mul_mat.FORMAT:MxNxK is one product of a weight [M, K] and
N rows, attention and conv are what bench/polaris_sim.py calls so. ppN is a prompt of N tokens, tgN
the token after N others, of a model with --layers layers that are all alike: ONE and TWO are files
of its shapes with one and two of them (bench/random_gguf.py), and the time is that of ONE and, for
every other layer, what TWO takes longer. Where layers differ, each kind has its own file and
count: ONE,13*TWO,14*OTHER. --gap is what passes between two dispatches.
"""
import argparse
import ctypes as C
import glob
import json
import os
import subprocess
import sys
import tempfile

ICD = "/usr/share/vulkan/icd.d/radeon_icd.x86_64.json"
FORMATS = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 8, "q4_k": 12, "q6_k": 14}
POINTER = C.c_void_p


class Params(C.Structure):
    """ggml_init_params."""
    _fields_ = [("size", C.c_size_t), ("buffer", POINTER), ("no_alloc", C.c_bool)]


class Settings(C.Structure):
    """Room for llama.cpp's parameter structs, which are passed by value and only partly known."""
    _fields_ = [("words", C.c_uint32 * 128)]


class Batch(C.Structure):
    """llama_batch."""
    _fields_ = [("tokens", C.c_int32), ("pointers", POINTER * 6)]


def function(library, name, result, *arguments):
    found = getattr(library, name)
    found.restype, found.argtypes = result, arguments
    return found


def library(folder, pattern):
    found = sorted(glob.glob(os.path.join(folder, pattern)))
    if not found:
        raise SystemExit(f"polaris_peer: no {pattern} in {folder}")
    return C.CDLL(found[0], mode=C.RTLD_GLOBAL)


class Ggml:
    """A graph of one op on the Vulkan backend."""

    def __init__(self, folder):
        self.base = library(folder, "libggml-base.so")
        self.vulkan = library(folder, "libggml-vulkan.so")
        self.context = self.call("ggml_init", Params(1 << 20, None, True))

    def call(self, name, *arguments):
        """Pointers, as every function here gives them; of arguments, Python's integers are int."""
        plain = {int: C.c_int, float: C.c_float}
        types = [plain.get(type(x), type(x)) for x in arguments]
        return POINTER(function(self.base, name, POINTER, *types)(*arguments))

    def tensor(self, form, *sizes):
        sizes = [C.c_int64(size) for size in (*sizes, 1, 1, 1)[:4]]
        return self.call("ggml_new_tensor_4d", self.context, FORMATS[form], *sizes)

    def compute(self, result):
        backend = POINTER(function(self.vulkan, "ggml_backend_vk_init", POINTER, C.c_size_t)(0))
        graph = self.call("ggml_new_graph", self.context)
        self.call("ggml_build_forward_expand", graph, result)
        self.call("ggml_backend_alloc_ctx_tensors", self.context, backend)
        return function(self.base, "ggml_backend_graph_compute", C.c_int, POINTER, POINTER)(
            backend, graph)


def record_mul_mat(folder, form, sizes):
    ggml = Ggml(folder)
    m, n, k = (int(x) for x in sizes.split("x"))
    return ggml.compute(ggml.call("ggml_mul_mat", ggml.context, ggml.tensor(form, k, m),
                                  ggml.tensor("f32", k, n)))


def record_attention(folder, form, sizes):
    ggml = Ggml(folder)
    heads, _, new = sizes.partition(",")
    heads, kv_heads, size = (int(x) for x in heads.split("x"))
    queries, positions = (int(x) for x in new.split("on"))
    cache = [ggml.tensor(form, size, positions, kv_heads) for _ in "kv"]
    return ggml.compute(ggml.call(
        "ggml_flash_attn_ext", ggml.context, ggml.tensor("f32", size, queries, heads), *cache,
        ggml.tensor("f16", positions, -(-queries // 64) * 64), size ** -0.5, 0.0, 0.0))


def record_conv(folder, sizes):
    ggml = Ggml(folder)
    n, c, h, w, o, kh, kw = (int(x) for x in sizes.split(","))
    return ggml.compute(ggml.call(
        "ggml_conv_2d_direct", ggml.context, ggml.tensor("f32", kw, kh, c, o),
        ggml.tensor("f32", w, h, c, n), 1, 1, kw // 2, kh // 2, 1, 1))


def record_model(folder, path, batches, record):
    """Decodes batches of so many tokens; only the last one stays in the record."""
    library(folder, "libggml-base.so")
    ggml, llama = library(folder, "libggml.[!s]*so*"), library(folder, "libllama.[!s]*so*")
    function(ggml, "ggml_backend_load_all_from_path", None, C.c_char_p)(folder.encode())
    settings = function(llama, "llama_model_default_params", Settings)()
    model = function(llama, "llama_model_load_from_file", POINTER, C.c_char_p, Settings)(
        path.encode(), settings)
    settings = function(llama, "llama_context_default_params", Settings)()
    settings.words[0] = 1024  # n_ctx
    context = function(llama, "llama_init_from_model", POINTER, POINTER, Settings)(model, settings)
    decode = function(llama, "llama_decode", C.c_int32, POINTER, Batch)
    one = function(llama, "llama_batch_get_one", Batch, POINTER, C.c_int32)
    for count in batches:
        with open(record, "r+", encoding="ascii") as file:
            file.truncate(0)
        tokens = (C.c_int32 * count)(*[300 + i * 7919 % 30000 for i in range(count)])
        if decode(context, one(C.cast(tokens, POINTER), count)) != 0:
            return 1
        function(llama, "llama_synchronize", None, POINTER)(context)
    return 0


def replay(args, *inside):
    """Records in a process of its own and times what it dispatched: (us, rows)."""
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, GCN_RECORD=folder, RADV_FORCE_FAMILY="polaris10",
                           VK_ICD_FILENAMES=ICD, GGML_VK_VISIBLE_DEVICES="0",
                           LD_PRELOAD=os.path.abspath(os.path.join(args.build, "libgcn_record.so")))
        command = [sys.executable, os.path.abspath(__file__), "--llama", args.llama, "--inside",
                   *inside]
        done = subprocess.run(command, env=environment, capture_output=True, text=True,
                              errors="replace", check=False)
        if done.returncode != 0:
            raise SystemExit(f"polaris_peer: recording: {done.stderr[-600:]}")
        command = [os.path.join(args.build, "gcn"), "replay", folder, "--chip", args.chip,
                   "--instructions", str(args.instructions)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"polaris_peer: {done.stderr.strip()[-600:]}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return sum(row["count"] * row["simulated_us"] for row in rows), rows


def mul_mat_flops(sizes):
    m, n, k = (int(x) for x in sizes.split("x"))
    return 2 * m * n * k


def conv_flops(sizes):
    n, c, h, w, o, kh, kw = (int(x) for x in sizes.split(","))
    return 2 * n * c * h * w * o * kh * kw


def dispatches(replayed):
    return sum(row["count"] for row in replayed[1])


def report(args, work):
    kind, _, rest = work.partition(":")
    if not kind.startswith(("pp", "tg")):
        us, rows = replay(args, kind, rest)
        longest = max(rows, key=lambda row: row["count"] * row["simulated_us"])
        flops = {"mul_mat": mul_mat_flops, "conv": conv_flops}.get(kind.partition(".")[0])
        rate = f", {1e-6 * flops(rest) / us:.2f} TFLOPS" if flops else ""
        print(f"{work} on {args.chip}: {us:.1f} us simulated in "
              f"{dispatches((us, rows))} dispatches{rate}, "
              f"{longest['bound']} {longest['share_of_limit']:.0%}")
        return
    tokens = int(kind[2:])
    batches = [str(tokens)] if kind.startswith("pp") else [str(tokens), "1"]
    one, *others = rest.split(",")
    first = replay(args, "model", os.path.abspath(one), *batches)
    us, stages, layers = first[0], dispatches(first), 1
    for other in others:
        count, star, path = other.partition("*")
        count, path = (int(count), path) if star else (args.layers - 1, other)
        longer = replay(args, "model", os.path.abspath(path), *batches)
        us += count * (longer[0] - first[0])
        stages += count * (dispatches(longer) - dispatches(first))
        layers += count
    made = tokens if kind.startswith("pp") else 1
    print(f"{kind}, {layers} layers, on {args.chip}: {us / 1e3:.1f} ms simulated in {stages} "
          f"dispatches, {made * 1e6 / (us + args.gap * stages):.1f} tokens/s with {args.gap:g} us "
          "between them")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llama", required=True, metavar="DIR")
    parser.add_argument("--chip", default="rx580")
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--layers", type=int, default=32)
    parser.add_argument("--gap", type=float, default=0, metavar="US")
    parser.add_argument("--instructions", type=int, default=4000000,
                        help="of waves, simulated; of more the card is simulated in part")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("work", nargs="+")
    args = parser.parse_args()
    if not args.inside:
        for work in args.work:
            report(args, work)
        return 0
    if args.work[0] == "model":
        record = os.path.join(os.environ["GCN_RECORD"], "dispatches.jsonl")
        code = record_model(args.llama, args.work[1], [int(x) for x in args.work[2:]], record)
    else:
        kind, *form = args.work[0].split(".")
        record_one = {"mul_mat": record_mul_mat, "attention": record_attention,
                      "conv": record_conv}[kind]
        code = record_one(args.llama, *form, args.work[1])
    sys.stdout.flush()
    os._exit(code)  # what is recorded is written; the driver was never told of objects to free


if __name__ == "__main__":
    sys.exit(main())
