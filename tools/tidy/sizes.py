"""A size in bytes comes from one place: nothing outside src/tensor/dtype multiplies by the bytes of
a dtype. Followed are the expressions that give such bytes, and the names that they are given."""
import re

from repo import CXX, Problem, line_of

HOME = ("src/tensor/dtype.h", "src/tensor/dtype.cc", "src/tensor/element.cc")
# What gives the bytes or bits of one element: ElementWidth::raw, ElementWidth::of(1), bytes_of of
# one, DTypeInfo::bits.
_UNIT = r"(?:\.raw\(\)|\.of\(1\)|\bbytes_of\([^;()]*(?:\([^()]*\)[^;()]*)*,\s*1\)|\)\.bits\b)"
_PRODUCT = [
    (re.compile(_UNIT + r"\s*\*(?!\w*/)"), "a product with the width of an element"),
    (re.compile(r"[\w)\]]\s*\*\s*(?:static_cast<[\w:]+>\()?[\w.>()\[\]-]*" + _UNIT),
     "a product with the width of an element"),
    (re.compile(r"\)\.bits\s*/"), "bytes made of the bits of an element"),
]
_NAMED = re.compile(r"(\w+)\s*(?:=|\{|\()[^;={}]*?" + _UNIT + r"(?!\s*(?:==|!=|<|>))")


def check(repo):
    for prefix in ("src/", "apps/"):
        for path in repo.select(*CXX, under=prefix):
            if path not in HOME:
                yield from products(path, repo.code(path))


def products(path, code):
    for pattern, what in _PRODUCT:
        for found in pattern.finditer(code):
            yield problem(path, code, found.start(), what)
    names = {m.group(1) for m in _NAMED.finditer(code)} - {"if", "while", "return", "switch"}
    for name in sorted(names):
        pattern = rf"\b{name}\s*\*\s*[\w(]|[\w)\]]\s*\*\s*(?:static_cast<[\w:]+>\()?{name}\b(?!\()"
        for found in re.finditer(pattern, code):
            yield problem(path, code, found.start(), f"a product with '{name}', the width of one")


def problem(path, code, at, what):
    return Problem(path, line_of(code, at), "sizes",
                   what + ": use bytes_of, TensorType::bytes or ElementWidth::of")
