"""One name, one type: two types of one name in one program are one to the linker, which keeps the
functions of either; no compiler sees both."""
import re

from repo import CXX, Problem, line_of

_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE)
_NAMESPACE = re.compile(r"\b(?:inline\s+)?namespace\s*([\w:]*)$")
_TYPE = re.compile(r"^(?:template\s*<.*>\s*)?(?:class|struct|union|enum(?:\s+(?:class|struct))?)\s+"
                   r"(?:alignas\([^)]*\)\s*|\[\[.*?\]\]\s*)*(\w+)\s*(?:final\s*)?(?::[^:].*)?$",
                   re.DOTALL)


def check(repo):
    seen = {}
    for path in repo.select(*CXX):
        for name, line in types(repo.code(path)):
            others = seen.setdefault(name, [])
            met = next((o for o in others if are_linked(o[0], path)), None)
            if met:
                yield Problem(path, line, "one_name",
                              f"'{name}' is a type of {met[0]}:{met[1]} too")
            others.append((path, line))


def are_linked(a, b):
    """Whether one program may hold both files."""
    if a == b:
        return True
    first, second = group(a), group(b)
    if "src" in (first, second) or first == second:
        return True
    return "tests/support" in (first, second) and first[:6] == second[:6] == "tests/"


def group(path):
    """What is linked together: all of src, a folder of apps, tests or tools; a bench by itself."""
    parts = path.split("/")
    if parts[0] in ("src", "include"):
        return "src"
    return path if parts[0] == "bench" else "/".join(parts[:2])


def types(code):
    """(qualified name, line) of each type defined in a namespace that has a name."""
    code = _DIRECTIVE.sub(lambda m: "\n" * m.group(0).count("\n"), code)
    scopes = []  # names of the open namespaces, None where nothing of interest stands
    start = 0
    for found in re.finditer(r"[{};]", code):
        mark = found.group(0)
        head = code[start:found.start()].strip()
        start = found.end()
        if mark == "}" and scopes:
            scopes.pop()
        if mark != "{":
            continue
        space = _NAMESPACE.search(head)
        if None not in scopes and not space:
            defined = _TYPE.match(head)
            if defined:
                yield "::".join([*scopes, defined.group(1)]), line_of(code, found.start())
        scopes.append((space.group(1) or None) if space else None)
