"""python3 tools/tidy [--stats] [--root DIR] [CHECK...]: what compilers and formatters do not see.

Checks: floors (the include graph), style (limits, bans, words, globals), dead (unused files),
duplicates, one_name (types that the linker takes for one), sizes (bytes of dtypes). A line that
says `tidy: allow CHECK`, with its reason, is let through. Prints one problem a line and exits 1 if
there are any.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dead  # noqa: E402
import duplicates  # noqa: E402
import floors  # noqa: E402
import one_name  # noqa: E402
import sizes  # noqa: E402
import stats  # noqa: E402
import style  # noqa: E402
from repo import Repo  # noqa: E402

CHECKS = {"floors": floors, "style": style, "one_name": one_name, "dead": dead,
          "duplicates": duplicates, "sizes": sizes}


def main():
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(prog="tools/tidy", description=__doc__.split("\n")[0])
    parser.add_argument("--root", default=top)
    parser.add_argument("--stats", action="store_true", help="print lines per folder and stop")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(CHECKS))
    args = parser.parse_args()
    unknown = [name for name in args.checks if name not in CHECKS]
    if unknown:
        parser.error(f"no check named {unknown[0]}, wanted one of {', '.join(CHECKS)}")
    repo = Repo(args.root)
    if args.stats:
        print(stats.report(repo))
        return 0
    problems = sorted(p for name in args.checks or CHECKS for p in CHECKS[name].check(repo)
                      if not repo.allowed(p))
    for problem in problems:
        print(problem)
    if problems:
        print(f"tidy: {len(problems)} problems", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
