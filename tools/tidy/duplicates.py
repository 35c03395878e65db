"""Runs of equal lines in two places, once comments and spacing are taken away."""
import re

from repo import CXX, SHADER, Problem

RUN = 12        # significant lines
RUN_TESTS = 24  # tests repeat themselves on purpose
_DULL = re.compile(r"^[\W_]*$|^#|^(public|private|protected):$|^namespace\b|^using\b"
                   r"|^(break|return|continue);$|^default:$|^(layout|precision)\b")


def check(repo):
    for suffixes, folders, run in ((CXX + SHADER, ("src/", "apps/", "tools/", "bench/"), RUN),
                                   (CXX, ("tests/",), RUN_TESTS)):
        paths = [p for p in repo.select(*suffixes) if p.startswith(folders)]
        yield from find(repo, paths, run)


def find(repo, paths, run):
    rows = {path: significant(repo, path) for path in paths}
    seen = {}
    for path in paths:
        reported_until = -1
        lines = rows[path]
        for i in range(len(lines) - run + 1):
            key = tuple(text for _, text in lines[i:i + run])
            first = seen.setdefault(key, (path, i))
            if first == (path, i) or i <= reported_until:
                continue
            if first[0] == path and i - first[1] < run:
                continue  # a run overlapping itself
            length = extent(rows[first[0]], first[1], lines, i)
            reported_until = i + length - 1
            yield Problem(path, lines[i][0], "duplicates",
                          f"{length} lines as in {first[0]}:{rows[first[0]][first[1]][0]}")


def extent(a, i, b, j):
    n = 0
    while i + n < len(a) and j + n < len(b) and a[i + n][1] == b[j + n][1]:
        n += 1
    return n


def significant(repo, path):
    out = []
    text = repo.text(path) or ""
    code = re.sub(r"//[^\n]*", "", text)
    for number, row in enumerate(code.split("\n"), 1):
        row = " ".join(row.split())
        if not _DULL.match(row):
            out.append((number, row))
    return out
