"""Files nothing uses: headers, shaders, test data, tools."""
import posixpath
import re

from floors import includes
from repo import CODE, CXX, SHADER, Problem

READERS = CODE + (".txt", ".yml", ".json", ".md", "Makefile", ".ci/run", ".inc")


def check(repo):
    yield from headers(repo)
    yield from shaders(repo)
    yield from data(repo)
    yield from tools(repo)


def headers(repo):
    used = set()
    for path in repo.select(*CXX, *SHADER, ".inc"):
        used.update(posixpath.basename(name) for _, _, name in includes(repo, path))
    generated = "\n".join(repo.text(f) or "" for f in repo.select(".cmake"))
    for path in repo.select(".h", ".glsl"):
        name = posixpath.basename(path)
        if path.startswith("include/") or name in used or name in generated:
            continue
        yield Problem(path, 1, "dead", "no file includes it")


def shaders(repo):
    """A shader lives when backend/vulkan names it, or one of its variants, in a literal."""
    text = "\n".join(repo.text(f) or "" for f in repo.select(*CXX, under="src/backend/vulkan/"))
    for path in repo.select(".comp", under="src/backend/vulkan/shader/"):
        stem = posixpath.basename(path)[:-len(".comp")]
        if not re.search(rf'"{re.escape(stem)}(["._])', text):
            yield Problem(path, 1, "dead", "no kernel names it")


def data(repo):
    """Test data is named, or its folder is, by a file that reads it."""
    readers = "\n".join(repo.text(f) or "" for f in repo.files
                        if f.endswith(READERS) and not f.startswith("docs/"))
    for path in repo.select("", under="tests/"):
        if path.endswith(CODE) or posixpath.basename(path) == "README.md":
            continue
        folder, name = posixpath.split(path)
        stem = name.split(".")[0]
        folders = [folder, folder[len("tests/"):]]
        while posixpath.dirname(folders[-1]):
            folders.append(posixpath.dirname(folders[-1]))
        named = name in readers or re.search(rf'"{re.escape(stem)}"', readers)
        if not named and not any(f and re.search(rf'["/ ]{re.escape(f)}/?["/ \n]', readers)
                                 for f in folders):
            yield Problem(path, 1, "dead", "no test reads it")


def tools(repo):
    """A script in tools/ is run by something, or told of in a document."""
    for path in repo.files:
        parts = path.split("/")
        if parts[0] != "tools" or len(parts) != 2 or path.endswith(".md"):
            continue
        name = parts[1]
        if not any(name in (repo.text(f) or "") for f in repo.files if f != path):
            yield Problem(path, 1, "dead", "nothing runs it or tells of it")
