"""Line and file limits, banned calls and words, headers, globals."""
import posixpath
import re

from repo import CODE, CXX, SHADER, Problem, line_of

LINES_MAX = 800
COLUMNS_MAX = 100
PROSE = (".md", ".txt", ".yml", ".json")

_CONSTANT_SIZE = r"(sizeof\b[^;,]*?|[k\d][\w +*]*|k\w+\.size\(\)|[A-Z_]+)"

# (pattern over code without comments and literals, path prefixes it holds for, why)
BANS = [
    (r"\b(std::)?(atoi|atol|atoll|atof)\s*\(", "", "hides errors: use std::from_chars"),
    (r"\bstd::sto(i|l|ll|ul|ull|f|d|ld)\b", "", "throws: use std::from_chars"),
    (r"\b(std::)?(strcpy|strcat|sprintf|vsprintf|gets|strtok)\s*\(", "", "writes without a bound"),
    (r"\b(std::)?s?rand\s*\(", "", "global state: pass a generator"),
    (r"\balloca\s*\(", "", "unbounded stack"),
    (r"\bmem(cpy|move|set|cmp)\s*\((?![^;]*?,\s*" + _CONSTANT_SIZE + r"\)[\s);&|=]*)",
     r"src/(?!base/bytes\.h|backend/cpu/simd/)",
     "what is empty may have no address: copy_bytes and kin of base/bytes.h"),
    (r"\b(setjmp|longjmp)\s*\(", "", "hidden control flow"),
    (r"\bdynamic_cast\s*<|\btypeid\s*\(", "", "there is no RTTI"),
    (r"\bstd::regex\b", "", "unbounded on hostile input"),
    (r"\bthrow\b(?!\s+std::bad_alloc\b)", "", "return an Error"),
    (r"(?<!static_)\bassert\s*\(", "src/load/", "input is checked with an Error"),
    (r"(?<!static_)\bassert\s*\(", "src/wire/", "input is checked with an Error"),
    (r"(?<![\w:.>])(std::)?(system|popen)\s*\(", "src/", "starts a shell"),
    (r"\b(std::)?(abort|exit|_exit|quick_exit)\s*\(", "src/", "a library never ends its process"),
    (r"\bstd::(cout|cerr)\b|(?<![\w])(std::)?printf\s*\(", "src/", "a library does not print"),
    (r"\b(std::)?getenv\s*\(", "src/(?!base/)", "pass it in: the environment is read in base/os"),
    (r"\bstd::(thread|jthread)\b(?!::)|\bstd::async\b|\bpthread_create\b",
     r"(?!tests/|src/base/os/thread\.)", "a start can fail: use Thread of base/os/thread.h"),
    (r"\bdlopen\s*\(|\bmmap\s*\(", "src/(?!base/os/)", "platform calls live in base/os"),
    (r"\bAttr(Visitor|Reader)\b|\battrs\s*(->|\.)\s*(visit|read)\s*\(|static_cast<const \w*Attrs&>",
     r"src/backend/(?!backend\.h|limit_ops\.)",
     "a kernel reads attributes as a struct: node.attributes<XAttrs>()"),
    (r"\bfma\s*\(", "src/backend/vulkan/shader/", "quarter rate on Polaris: write a * b + c"),
]
_BANS = [(re.compile(p), re.compile(where), why) for p, where, why in BANS]

# Spelled in parts, so that this file does not find itself.
WORDS = [
    (r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b", "say it in an issue or do it"),
    (r"\b(place" r"holder|not imple" r"mented|st" r"ub|dum" r"my)\b", "unfinished work"),
    (r"(?<![\w.])/(wo" r"rk|fa" r"rm|ho" r"me|ro" r"ot)/", "a path of one machine"),
    (r"(?i)\b(py" r"pi\.org|registry\.np" r"mjs\.org|crates\.i" r"o|proxy\.gol" r"ang\.org"
     r"|files\.python" r"hosted\.org)", "a registry host"),
]
_WORDS = [(re.compile(p), why) for p, why in WORDS]
WORDS_SKIP = ("LICENSE", "models/")


def check(repo):
    for path in repo.select(*CODE, *PROSE):
        if path.startswith("tests/") and path.endswith(PROSE):
            continue  # data
        yield from lines(repo, path)
    for path in repo.files:
        if not path.startswith(WORDS_SKIP) and repo.text(path) is not None:
            yield from words(repo, path)
    for path in repo.select(*CXX, *SHADER):
        yield from bans(repo, path)
    for path in repo.select(*CXX):
        yield from headers(repo, path)
    for path in repo.select(*CXX, under="src/"):
        yield from global_state(repo, path)


def lines(repo, path):
    text = repo.text(path) or ""
    rows = text.split("\n")
    if text and not text.endswith("\n"):
        yield Problem(path, len(rows), "lines", "no newline at the end")
    if path.endswith(CODE) and len(rows) - 1 > LINES_MAX:
        yield Problem(path, 1, "lines", f"{len(rows) - 1} lines, at most {LINES_MAX}")
    for number, row in enumerate(rows, 1):
        if path.endswith(CODE) and len(row) > COLUMNS_MAX and "://" not in row:
            yield Problem(path, number, "lines", f"{len(row)} columns, at most {COLUMNS_MAX}")
        if "\t" in row or "\r" in row:
            yield Problem(path, number, "lines", "a tab or carriage return")
        if row != row.rstrip():
            yield Problem(path, number, "lines", "space at the end of the line")


def words(repo, path):
    for number, row in enumerate(repo.lines(path), 1):
        for pattern, why in _WORDS:
            found = pattern.search(row)
            if found:
                yield Problem(path, number, "words", f"'{found.group(0).strip()}': {why}")


def bans(repo, path):
    code = repo.code(path)
    for pattern, where, why in _BANS:
        if not where.match(path):
            continue
        for found in pattern.finditer(code):
            name = found.group(0).strip(" (<")
            yield Problem(path, line_of(code, found.start()), "bans", f"{name}: {why}")
    if path.endswith(".h"):
        for found in re.finditer(r"^\s*using\s+namespace\b", code, re.MULTILINE):
            yield Problem(path, line_of(code, found.end()), "bans", "using namespace in a header")


_FIRST_INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)


def headers(repo, path):
    text = repo.text(path) or ""
    if path.endswith(".h"):
        plain_c = path.endswith("_c.h")
        if not plain_c and not re.search(r"^#pragma once$", text, re.MULTILINE):
            yield Problem(path, 1, "headers", "no #pragma once")
        return
    own = path[:-3] + ".h"
    if own in set(repo.files) and path.startswith(("src/", "apps/")):
        first = _FIRST_INCLUDE.search(text)
        name = posixpath.basename(own) if path.startswith("apps/") else own[4:]
        if not first or first.group(1) != name:
            yield Problem(path, 1, "headers", f"its own header {name} is included first")


_NOT_DATA = re.compile(
    r"^(using|typedef|template|struct|class|enum|operator|union|friend|static_assert|extern"
    r"|namespace|inline\s+namespace|asm|public|private|protected|concept|requires)\b")
_CONSTANT = re.compile(r"\b(constexpr|constinit|const)\b")
_CONSTRUCTED = re.compile(r"std::(string|vector|map|set|unordered_\w+|function|unique_ptr"
                          r"|shared_ptr|mutex|filesystem::path|array<std::string>)\b(?!_view)")


_NAMESPACE = re.compile(r"\bnamespace\b[^;]*$|^extern\s*\"[^\"]*\"$")
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE)
_STATIC = re.compile(r"(?<=[;{}])\s*((?:static|thread_local)\s[^;={}()]*)[;={]")


def global_state(repo, path):
    """Data at namespace scope, and `static` data anywhere, that is mutable or built at start."""
    code = _DIRECTIVE.sub(lambda m: "\n" * m.group(0).count("\n"), repo.code(path))
    found = {line_at(code, start): text for start, text in statements(code)}
    found.update({line_at(code, m.start(1)): m.group(1) for m in _STATIC.finditer(code)})
    for line, head in sorted(found.items()):
        message = judge(head.strip())
        if message:
            yield Problem(path, line, "globals", message)


def line_at(code, start):
    return line_of(code, start + len(code[start:]) - len(code[start:].lstrip()))


def statements(code):
    """(offset, text) of each statement at namespace scope that may define data."""
    start = inner = 0
    opaque = False  # inside a body, not a namespace
    data = False    # the open body is an initializer: the statement goes on after it
    for found in re.finditer(r"[{};]", code):
        mark = found.group(0)
        head = code[start:found.start()].strip()
        if opaque:
            inner += {"{": 1, "}": -1, ";": 0}[mark]
            if inner == 0:
                opaque = False
                start = start if data else found.end()
        elif mark == "{" and not _NAMESPACE.search(head):
            opaque, inner = True, 1
            data = "(" not in head.split("=")[0] and not _NOT_DATA.match(head)
        else:
            if mark == ";":
                yield start, code[start:found.start()]
            start = found.end()


def judge(head):
    if re.search(r"\boperator\b", head):
        return None
    head = re.split(r"[={]", head)[0].strip()
    if not head or "(" in head or _NOT_DATA.match(head) or len(head.split()) < 2:
        return None
    name = " ".join(head.split())[-60:]
    if not _CONSTANT.search(head):
        return f"'{name}' is mutable state: pass a context"
    if _CONSTRUCTED.search(head) and not re.search(r"\bconst(expr|init)\b", head):
        return f"'{name}' needs a constructor at start"
    return None
