"""The include graph follows the floors of docs/architecture.md, top to bottom."""
import posixpath
import re

from repo import CXX, Problem

FLOORS = ["base", "gcn", "tensor", "text", "media", "ir", "plugin", "wire", "arch", "load", "save",
          "pass", "backend", "plan", "session", "sim", "quant", "pipeline", "server", "cluster",
          "capi"]
# Floors that see less than all above them.
NARROW = {
    "gcn": {"base"},
    "text": {"base", "tensor"},
    "media": {"base", "tensor"},
    "ir": {"base", "tensor", "media"},
    "wire": {"base", "tensor"},
    "plugin": {"base", "tensor", "ir"},
    "backend": {"base", "tensor", "ir"},
}
# Floors that speak the C ABI.
PUBLIC = ("plugin", "capi")
# Folders of one floor that do not see each other.
APART = ("backend", "load", "save")
# Rooms of a floor: who does not see what.
ROOMS = [
    (("ir/op/", "ir/op_util/"), ("ir/text/",), "ops do not see the text form"),
    (("backend/vulkan/kernel/", "backend/vulkan/parts/"), ("backend/vulkan/device/",),
     "kernels are data, and see nothing of the device"),
    (("backend/vulkan/device/",), ("backend/vulkan/kernel/", "backend/vulkan/parts/"),
     "the device sees kernels as kernel.h has them"),
]
# Only these floors see concrete backends.
WIRES_BACKENDS = ("session", "sim")
GRAPH = "ir/graph.h"

# System headers and who may include them.
SYSTEM = [
    (re.compile(r"^(nlohmann|CLI)/"), ("apps/", "tests/", "tools/"),
     "seen only in apps/, tests/ and tools/"),
    (re.compile(r"^doctest/"), ("tests/",), "seen only in tests/"),
    (re.compile(r"^vulkan/"), ("src/backend/vulkan/", "src/sim/", "tools/", "tests/"),
     "seen only in backend/vulkan and sim"),
    (re.compile(r"^(.*intrin|cpuid|.*intrin-.*)\.h$"),
     ("src/backend/cpu/", "src/base/os/", "tests/"), "seen only in backend/cpu"),
    (re.compile(r"^(sys/.*|unistd|fcntl|dlfcn|pthread|sched|signal|csignal|windows|poll)(\.h)?$"),
     ("src/base/os/", "apps/", "tests/", "tools/", "bench/"), "platform calls live in base/os"),
    (re.compile(r"^regex$"), (), "std::regex is unbounded on hostile input"),
    (re.compile(r"^iostream$"), ("apps/", "tests/", "tools/", "bench/"),
     "brings a static constructor"),
]
_INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)


def includes(repo, path):
    """(line, quoted, name) of each include."""
    text = repo.text(path) or ""
    return [(text.count("\n", 0, m.start(2)) + 1, m.group(1) == '"', m.group(2))
            for m in _INCLUDE.finditer(text)]


def check(repo):
    known = set(repo.files)
    graph_users = closure(repo, GRAPH)
    for path in repo.select(*CXX):
        for line, quoted, name in includes(repo, path):
            message = None
            if not quoted:
                message = system_rule(path, name)
            elif path.startswith("src/"):
                message = rooted_rule(path, name, known) or floor_rule(path[4:], name)
                if not message and path.startswith("src/backend/") and name in graph_users:
                    message = f"a backend never sees {GRAPH}"
            elif path.startswith("include/"):
                message = None if f"include/{name}" in known else "public headers stand alone"
            if message:
                yield Problem(path, line, "floors", f"includes {name}: {message}")


def system_rule(path, name):
    for pattern, allowed, why in SYSTEM:
        if pattern.match(name) and not path.startswith(allowed or ("/",)):
            return why
    return None


def rooted_rule(path, name, known):
    if f"src/{name}" in known or f"include/{name}" in known:
        return None
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
    if beside in known and not name.endswith(".inc"):
        return "includes are rooted at src/"
    return None  # generated, or an order.inc beside its reader


def floor_rule(path, name):
    own, other = path.split("/"), name.split("/")
    floor, seen = own[0], other[0]
    if seen == "polaris":
        return None if floor in PUBLIC else f"only {' and '.join(PUBLIC)} see the public headers"
    if floor not in FLOORS:
        return f"{floor} is no floor of docs/architecture.md"
    if seen not in FLOORS or len(other) < 2:
        return None
    if FLOORS.index(seen) > FLOORS.index(floor):
        return f"{floor} lies above {seen}"
    if seen != floor and seen not in NARROW.get(floor, FLOORS):
        return f"{floor} sees only {', '.join(sorted(NARROW[floor]))}"
    if seen == floor and floor in APART and len(own) > 2 and len(other) > 2 and own[1] != other[1]:
        return f"{floor}/{own[1]} and {floor}/{other[1]} do not see each other"
    for rooms, hidden, why in ROOMS:
        if path.startswith(rooms) and name.startswith(hidden):
            return why
    if seen == floor == "backend" and len(own) == 2 and len(other) > 2:
        return "the interface knows no concrete backend"
    if seen == "backend" and len(other) > 2 and floor not in ("backend", *WIRES_BACKENDS):
        return f"only {' and '.join(WIRES_BACKENDS)} wire concrete backends"
    return None


def closure(repo, target):
    """Names (rooted at src/) of the headers that include `target`, at any depth, and itself."""
    users = {}
    for path in repo.select(".h", under="src/"):
        for _, quoted, name in includes(repo, path):
            if quoted:
                users.setdefault(name, set()).add(path[4:])
    found, todo = set(), [target]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(users.get(name, ()))
    return found
