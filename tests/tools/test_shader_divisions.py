"""Every float division of the shaders is one that is known to divide by a number of fitting size.

Vulkan promises nothing of a quotient whose divisor is above 2^126 or below 2^-126: a device may
multiply by the reciprocal, which then counts as zero. exact.glsl has wide_div and exact_div for
divisors that may be of any size; whatever else divides is listed here, and why it may.
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
SHADERS = TOP / "src" / "backend" / "vulkan" / "shader"

# By function, in main by shader: how many divisions there are, and what they divide by.
KNOWN = {
    "wide_div": (1, "at most 2^124"),
    "exact_div": (2, "a mantissa, 2^23 to 2^24"),
    "exact_sqrt": (1, "twice a root of 24 bits"),
    "field_of": (1, "a power of two, a constant"),
    "quotient_of": (1, "a float16"),
    "float_op": (1, "a float16 and 1"),
    "tan_accurate": (2, "a sine or cosine, which no float brings below 2^-32"),
    "atan_accurate": (2, "2.4 and more, of whose quotient nothing is left; 1.4 to 3.5"),
    "atanh_accurate": (1, "0, or 2^-24 to 2"),
    "sinh_accurate": (1, "an exponential, beside which a quotient is nothing where it is large"),
    "cosh_accurate": (1, "as in sinh_accurate"),
    "tanh_accurate": (1, "at most e^40"),
    "erf_accurate": (1, "1 to 5"),
    "sigmoid_accurate": (1, "what has a subnormal reciprocal, which is the result"),
    "mish_accurate": (1, "at most e^41"),
    "logistic_times": (1, "at most e^64"),
    "log2_accurate": (1, "1.7 to 2.5"),
    "capped": (1, "a soft cap: 1e-30 to 1e30"),
    "main of batch_norm": (1, "the root of a float: at most 2^64"),
    "main of norm": (3, "counts, and the root of a float"),
    "main of prompt_attention": (1, "0, or 1 to the number of positions"),
    "inverse_of": (2, "the length of a row, and the root of a float"),
    "finish": (1, "softmax: 1 to the number of elements"),
    "add_deals": (1, "0, or 1 to the number of positions"),
    "combine": (1, "0, or 1 to the number of positions"),
}


def variants(source):
    """The flags of each module that is made of a shader."""
    found = re.findall(r"^// variants: *(.*)$", source.read_text(), re.MULTILINE)
    return [shlex.split(line)[1:] for line in found] or [[]]


def divisions(assembly, stem):
    """How often each function divides floats."""
    names = dict(re.findall(r'OpName (%\S+) "([^"(]+)', assembly))
    counts = {}
    function = None
    for line in assembly.splitlines():
        begin = re.match(r"\s*(%\S+) = OpFunction ", line)
        if begin:
            function = names.get(begin.group(1), begin.group(1))
            if function == "main":
                function = f"main of {stem}"
        elif " = OpFDiv " in line:
            counts[function] = counts.get(function, 0) + 1
    return counts


def assemble(source, flags):
    # Not optimized, so that functions are still there.
    return subprocess.run(["glslc", "-S", "-O0", "--target-env=vulkan1.2", "-I", str(SHADERS),
                           "-I", str(TOP / "src"), *[f for f in flags if not f.startswith("-O")],
                           str(source), "-o", "-"],
                          check=True, capture_output=True, text=True).stdout


@unittest.skipUnless(shutil.which("glslc"), "no glslc")
class Divisions(unittest.TestCase):
    def test_each_is_known(self):
        seen = {}
        for source in sorted(SHADERS.glob("*.comp")):
            for flags in variants(source):
                for function, count in divisions(assemble(source, flags), source.stem).items():
                    seen[function] = max(count, seen.get(function, 0))
        self.assertEqual(seen, {name: count for name, (count, _) in KNOWN.items()})

    def test_a_bare_one_is_found(self):
        text = ("#version 450\nlayout(binding = 0) buffer B { float x[]; };\n"
                "float half_of(float v) { return v / x[1]; }\n"
                "void main() { x[0] = half_of(x[2]) / 3.0 + float(7 / int(x[3])); }\n")
        path = pathlib.Path(os.environ.get("TMPDIR", "/tmp"), f"division{os.getpid()}.comp")
        try:
            path.write_text(text)
            self.assertEqual(divisions(assemble(path, []), "x"), {"half_of": 1, "main of x": 1})
        finally:
            path.unlink()


if __name__ == "__main__":
    unittest.main()
