"""Lines per folder."""
from repo import CODE

DEEP = ("src/backend",)  # folders told apart one level further down


def report(repo):
    count = {}
    for path in repo.select(*CODE):
        parts = path.split("/")
        if len(parts) < 2:
            folder = "."
        elif parts[0] in ("src", "tests", "tools", "apps"):
            folder = "/".join(parts[:2]) if len(parts) > 2 else parts[0]
        else:
            folder = parts[0]
        if folder in DEEP and len(parts) > 3:
            folder = "/".join(parts[:3])
        files, lines = count.get(folder, (0, 0))
        count[folder] = (files + 1, lines + len(repo.lines(path)) - 1)
    out = [f"{'folder':28} {'files':>6} {'lines':>7}"]
    out += [f"{folder:28} {files:6} {lines:7}" for folder, (files, lines) in sorted(count.items())]
    total = [sum(column) for column in zip(*count.values())] or [0, 0]
    out.append(f"{'total':28} {total[0]:6} {total[1]:7}")
    return "\n".join(out)
