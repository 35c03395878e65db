#!/usr/bin/env python3
"""Simulated time of llama.cpp's own kernels on an RX 470 ... 590, to hold the model against figures
that owners of cards published.

    bench/polaris_peer.py --llama DIR [--chip rx470:900] mul_mat.q4_0:4096x512x14336
    bench/polaris_peer.py --llama DIR [--chip rx470:1100] pp512:ONE.gguf,TWO.gguf

DIR holds llama.cpp's shared libraries (libggml-vulkan.so, libllama*.so ...). It runs on Mesa's null
device, which makes it choose what it would on a POLARIS10; tools/gcn/record writes down its
dispatches, and `gcn replay` times them. mul_mat.FORMAT:MxNxK is one product of a weight [M, K] and
N rows. ppN is a prompt of N tokens, tgN the token after N others, of a model with --layers layers
that are all alike: ONE and TWO are files of its shapes with one and two of them, and the time is
that of ONE and, for every other layer, what TWO takes longer. --gap is what passes between two
dispatches.
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


def record_mul_mat(folder, form, m, n, k):
    base, vulkan = library(folder, "libggml-base.so"), library(folder, "libggml-vulkan.so")
    backend = function(vulkan, "ggml_backend_vk_init", POINTER, C.c_size_t)(0)
    context = function(base, "ggml_init", POINTER, Params)(Params(1 << 20, None, True))
    tensor = function(base, "ggml_new_tensor_2d", POINTER, POINTER, C.c_int, C.c_int64, C.c_int64)
    product = function(base, "ggml_mul_mat", POINTER, POINTER, POINTER, POINTER)(
        context, tensor(context, FORMATS[form], k, m), tensor(context, FORMATS["f32"], k, n))
    graph = function(base, "ggml_new_graph", POINTER, POINTER)(context)
    function(base, "ggml_build_forward_expand", None, POINTER, POINTER)(graph, product)
    function(base, "ggml_backend_alloc_ctx_tensors", POINTER, POINTER, POINTER)(context, backend)
    return function(base, "ggml_backend_graph_compute", C.c_int, POINTER, POINTER)(backend, graph)


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


def report(args, work):
    kind, _, rest = work.partition(":")
    if kind.startswith("mul_mat."):
        m, n, k = (int(x) for x in rest.split("x"))
        us, rows = replay(args, kind, str(m), str(n), str(k))
        print(f"{work} on {args.chip}: {us:.1f} us simulated, {2e-6 * m * n * k / us:.2f} TFLOPS, "
              f"{rows[0]['bound']} {rows[0]['share_of_limit']:.0%}")
        return
    tokens = int(kind[2:])
    batches = [str(tokens)] if kind.startswith("pp") else [str(tokens), "1"]
    first, second = (replay(args, "model", os.path.abspath(path), *batches)
                     for path in rest.split(","))
    us = first[0] + (args.layers - 1) * (second[0] - first[0])
    stages = [sum(row["count"] for row in rows) for _, rows in (first, second)]
    stages = stages[0] + (args.layers - 1) * (stages[1] - stages[0])
    made = tokens if kind.startswith("pp") else 1
    print(f"{kind}, {args.layers} layers, on {args.chip}: {us / 1e3:.1f} ms simulated in {stages} "
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
        code = record_mul_mat(args.llama, args.work[0].split(".")[1],
                              *(int(x) for x in args.work[1:]))
    sys.stdout.flush()
    os._exit(code)  # what is recorded is written; the driver was never told of objects to free


if __name__ == "__main__":
    sys.exit(main())
