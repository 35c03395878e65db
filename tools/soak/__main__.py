"""python3 tools/soak [--seconds N] [--list] [--again] [SHARD...]: the tests that take hours.

Fuzzing, thread sanitizer, cut and mutated files, failing allocations, benches. Each shard adds
one line to soak/results.jsonl with the commit it ran on; a shard whose last line passed, while no
file it covers has changed since, is not run again. Stop it at any time: what is finished is kept.
"""
import argparse
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from results import Results  # noqa: E402
from shards import all_shards  # noqa: E402


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(prog="tools/soak", description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=600, help="for each open-ended shard")
    parser.add_argument("--list", action="store_true", help="show shards and whether they count")
    parser.add_argument("--again", action="store_true", help="run shards whose evidence counts")
    parser.add_argument("shards", nargs="*", metavar="SHARD", help="names or prefixes; all if none")
    args = parser.parse_args()
    results = Results(root, os.path.join(root, "soak", "results.jsonl"))
    shards = [s for s in all_shards(root, args.seconds)
              if not args.shards or s.name.startswith(tuple(args.shards))]
    if not shards:
        parser.error("no such shard")
    failed = 0
    for shard in shards:
        counts = results.counts(shard)
        if args.list or (counts and not args.again):
            print(f"{shard.name:32} {'counts' if counts else 'to run'}", flush=True)
            continue
        print(f"{shard.name:32} ...", end="", flush=True)
        start = time.monotonic()
        ok, note = shard.run(root, shard)
        row = results.add(shard, ok, time.monotonic() - start, note)
        print(f" {'ok' if ok else 'FAILED'} ({row['seconds']} s) {note}", flush=True)
        failed += not ok
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
