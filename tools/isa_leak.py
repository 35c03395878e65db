"""python3 tools/isa_leak.py BUILD_DIR: inline code must not leave an AVX file for the baseline.

A function that several objects define inline is kept once, from whichever object the linker sees
first. If that is a file compiled for AVX2, an old CPU dies of an illegal instruction in code that
never asked for it. So no object of a file ending in _avx2, _avx512 or _vnni may define an inline
function that an object outside of them defines too.
"""
import pathlib
import re
import subprocess
import sys


def inline_functions(path):
    out = subprocess.run(["nm", "--defined-only", "-C", str(path)], check=True,
                         capture_output=True, text=True).stdout
    return {m.group(1) for m in re.finditer(r"^[0-9a-f]+ W (.*)$", out, re.MULTILINE)}


def leaks(objects):
    """(object, function) pairs that would leak."""
    special = {o: inline_functions(o) for o in objects
               if re.search(r"_(avx2|avx512|vnni)\.cc\.o$", str(o))}
    if not any(special.values()):
        return []
    baseline = set().union(*(inline_functions(o) for o in objects if o not in special))
    return [(str(o), name) for o, names in special.items() for name in sorted(names & baseline)]


def main():
    if len(sys.argv) != 2:
        print(__doc__.split("\n", maxsplit=1)[0], file=sys.stderr)
        return 2
    objects = sorted(pathlib.Path(sys.argv[1]).glob("CMakeFiles/polaris_*.dir/**/*.o"))
    if not objects:
        print(f"isa_leak: no objects in {sys.argv[1]}", file=sys.stderr)
        return 1
    found = leaks(objects)
    for path, name in found:
        print(f"{path}: {name}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
