#!/usr/bin/env python3
"""A block format that nothing serves must not compile.

    unserved_format.py BUILD_DIR

Compiles every source that chooses by block format against a tensor/encoding.h with one format more
than there is. Each must fail at its switch, and as it is must compile. Where a source tells formats
apart in any other way than by a switch, the test fails too: `format == kQ8_0 ? a : b` takes the new
one for an old one without a word."""
import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NEW = "kUnserved"
# A comparison with a format by name.
CHOICE = re.compile(r"[=!]=\s*BlockFormat::k|BlockFormat::k\w+\s*[=!]=")
CASE = re.compile(r"case BlockFormat::k")


def with_one_more(text):
    text, enums = re.subn(r"(enum class BlockFormat[^}]*)\}", rf"\1  {NEW},\n}}", text, count=1)
    text, counts = re.subn(r"(kBlockFormatCount = )(\d+)",
                           lambda m: f"{m[1]}{int(m[2]) + 1}", text, count=1)
    if (enums, counts) != (1, 1):
        sys.exit("unserved_format: tensor/encoding.h is not as expected")
    return text


def users_of(path):
    """A source that includes the header, by way of another header if need be."""
    name = f'#include "{path.relative_to(ROOT / "src")}"'
    found = [p for p in sorted((ROOT / "src").rglob("*.*")) if name in p.read_text()]
    sources = [p for p in found if p.suffix == ".cc"]
    if sources:
        return sources[0]
    return users_of(found[0]) if found else None


def choosing_files():
    """Source to compile -> files that name a format in a case; and what chooses otherwise."""
    files, bad = {}, []
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix not in (".h", ".cc") or path.name == "encoding.h":
            continue
        text = path.read_text()
        for number, line in enumerate(text.splitlines(), 1):
            if CHOICE.search(line):
                bad.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
        if CASE.search(text):
            files.setdefault(path if path.suffix == ".cc" else users_of(path), []).append(path)
    return files, bad


def compile_source(command, first_include):
    words, out = shlex.split(command), []
    skip = False
    for word, following in zip(words, words[1:] + [""]):
        if skip:
            skip = False
        elif word == "-o" or (word == "-include" and "cmake_pch" in following):
            skip = True
        elif word not in ("-c", "-Winvalid-pch", "-fpch-preprocess") and "ccache" not in word:
            out.append(word)
    out[1:1] = [f"-I{first_include}", "-fsyntax-only"]
    return subprocess.run(out, capture_output=True, text=True)


def main():
    build = Path(sys.argv[1])
    entries = json.loads((build / "compile_commands.json").read_text())
    commands = {Path(entry["file"]): entry["command"] for entry in entries}
    files, faults = choosing_files()
    with tempfile.TemporaryDirectory() as folder:
        more, same = Path(folder, "more"), Path(folder, "same")
        text = (ROOT / "src/tensor/encoding.h").read_text()
        for root, content in ((more, with_one_more(text)), (same, text)):
            (root / "tensor").mkdir(parents=True)
            (root / "tensor/encoding.h").write_text(content)
        for source, choosers in files.items():
            failed = compile_source(commands[source], more)
            for path in choosers:
                name = path.relative_to(ROOT)
                refusal = re.search(rf"{path.name}:\d+:.*{NEW}.*not handled in switch",
                                    failed.stderr)
                print(f"{name}: {'refuses it' if refusal else 'TAKES IT'}")
                if not refusal:
                    faults.append(f"{name}: takes a format that it does not serve\n{failed.stderr}")
            control = compile_source(commands[source], same)
            if control.returncode != 0:
                faults.append(f"{source}: does not compile as it is:\n{control.stderr}")
    found = [str(path.relative_to(ROOT)) for paths in files.values() for path in paths]
    for folder in ("src/tensor", "src/backend/cpu", "src/backend/vulkan"):
        if not any(path.startswith(folder) for path in found):
            faults.append(f"{folder}: nothing chooses by format; is the test looking?")
    print("\n".join(faults))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
