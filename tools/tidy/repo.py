"""The files under check and what a check reports."""
import os
import re
import subprocess
from typing import NamedTuple

CXX = (".h", ".cc")
SHADER = (".comp", ".glsl")
CODE = CXX + SHADER + (".py", ".sh", ".cmake", ".mjs", ".js")


class Problem(NamedTuple):
    path: str
    line: int
    check: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: [{self.check}] {self.message}"


class Repo:
    """Text of every tracked file, and of those git would track, read once."""

    def __init__(self, root, files=None):
        self.root = root
        self.files = sorted(files if files is not None else list_files(root))
        self._text = {}
        self._code = {}

    def select(self, *suffixes, under=""):
        return [f for f in self.files if f.startswith(under) and f.endswith(suffixes)]

    def text(self, path):
        """The file as text, or None for a binary file."""
        if path not in self._text:
            with open(os.path.join(self.root, path), "rb") as file:
                data = file.read()
            binary = b"\0" in data[:8192]
            self._text[path] = None if binary else data.decode("utf-8", "replace")
        return self._text[path]

    def lines(self, path):
        return (self.text(path) or "").split("\n")

    def allowed(self, problem):
        """Whether the line, or the one above it, carries `tidy: allow CHECK`."""
        rows = self.lines(problem.path)
        at = min(problem.line, len(rows))
        return any(f"tidy: allow {problem.check}" in row for row in rows[max(0, at - 2):at])

    def code(self, path):
        """C++ or GLSL text with comments and literals blanked, line numbers kept."""
        if path not in self._code:
            self._code[path] = blank_comments(self.text(path) or "")
        return self._code[path]


def list_files(root):
    out = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True).stdout.decode()
    return [f for f in set(out.split("\0")) if f and os.path.isfile(os.path.join(root, f))]


_TOKEN = re.compile(
    r'R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)"'
    r'|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)


def blank_comments(text):
    def blank(match):
        token = match.group(0)
        body = re.sub(r"[^\n]", " ", token)
        if token.startswith("/"):
            return body
        return '"' + body[1:-1] + '"' if len(body) > 1 else body
    return _TOKEN.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
