#!/usr/bin/env python3
"""Whether drafts are worth it: generation with and without them, in turn on one machine.

    bench/speculation.py MODEL.gguf [--draft SMALL.gguf] [--lookup 3] [--rounds 5]

Two texts: `repeat` asks a chat model to write a file of code again with a small edit, where what
stood in the prompt comes again; `story` is one where hardly anything does. Both are greedy. Each
round runs every text with drafts and without, the order changing from round to round, so that what
else the machine does falls on both. Printed for each text: the median over the rounds of speed with
drafts over speed without, by the clock and by processor time (which other programs disturb less;
that of loading and of the prompt is taken off, as a run of one token has it), with the smallest and
the largest round, tokens drafted and accepted, and whether both wrote the same tokens."""
import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CODE = '''import csv
import sys


class Account:
    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance
        self.history = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.history.append(("deposit", amount))

    def withdraw(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        if amount > self.balance:
            raise ValueError("balance is too small")
        self.balance -= amount
        self.history.append(("withdraw", amount))

    def report(self):
        for kind, amount in self.history:
            print(f"{self.owner}: {kind} {amount}")
        print(f"{self.owner}: balance {self.balance}")


def load(path):
    accounts = {}
    with open(path) as file:
        for row in csv.DictReader(file):
            account = accounts.setdefault(row["owner"], Account(row["owner"]))
            amount = float(row["amount"])
            if amount > 0:
                account.deposit(amount)
            else:
                account.withdraw(-amount)
    return accounts


if __name__ == "__main__":
    for account in load(sys.argv[1]).values():
        account.report()
'''
TEXTS = {
    "repeat": "Rename the method `report` to `summary` everywhere in this file, change nothing "
              "else, and write the whole file again:\n\n```python\n" + CODE + "```\n",
    "story": "Write a story about a lighthouse keeper, a storm and a letter that arrives too "
             "late. Do not repeat yourself.",
}


def run(args, messages, tokens, extra):
    command = [args.polaris, "generate", args.model, "--messages", messages, "-n", str(tokens),
               "--temperature", "0", "--device", args.device, "--threads", str(args.threads),
               "-c", str(args.context), "--json"] + extra
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    row = json.loads(out.strip().splitlines()[-1])
    row["cpu_s"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return row


def bench(args, name, text, folder):
    messages = str(Path(folder) / f"{name}.json")
    Path(messages).write_text(json.dumps([{"role": "user", "content": text}]))
    drafts = ["--draft-tokens", str(args.draft_tokens), "--lookup", str(args.lookup)]
    if args.draft:
        drafts += ["--draft", args.draft]
    pairs = []
    for number in range(args.rounds):
        row = {}
        for kind in ("plain", "drafts") if number % 2 == 0 else ("drafts", "plain"):
            extra = drafts if kind == "drafts" else []
            one = run(args, messages, 1, extra)
            whole = run(args, messages, args.tokens, extra)
            whole["generation_cpu_s"] = max(whole["cpu_s"] - one["cpu_s"], 1e-9)
            row[kind] = whole
        pairs.append((row["plain"], row["drafts"]))
        plain, with_drafts = pairs[-1]
        print(f"{name}, round {number + 1}: {plain['tokens_per_s']:.1f} tokens/s and "
              f"{plain['generation_cpu_s']:.1f} s of processor plain, "
              f"{with_drafts['tokens_per_s']:.1f} and {with_drafts['generation_cpu_s']:.1f} with "
              "drafts", file=sys.stderr, flush=True)
    speed = [b["tokens_per_s"] / a["tokens_per_s"] for a, b in pairs]
    cpu = [a["generation_cpu_s"] / b["generation_cpu_s"] for a, b in pairs]
    return {"text": name, "tokens": len(pairs[0][0]["ids"]),
            "speed": statistics.median(speed), "speed_min": min(speed), "speed_max": max(speed),
            "cpu": statistics.median(cpu), "cpu_min": min(cpu), "cpu_max": max(cpu),
            "plain_tokens_per_s": statistics.median(a["tokens_per_s"] for a, _ in pairs),
            "drafts_tokens_per_s": statistics.median(b["tokens_per_s"] for _, b in pairs),
            "drafted": pairs[0][1]["drafted"], "accepted": pairs[0][1]["accepted"],
            "same": all(a["ids"] == b["ids"] for a, b in pairs)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--draft")
    parser.add_argument("--lookup", type=int, default=3)
    parser.add_argument("--draft-tokens", type=int, default=7)
    parser.add_argument("--polaris", default=str(ROOT / "build/release/polaris"))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts", nargs="*", choices=sorted(TEXTS), default=sorted(TEXTS))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [bench(args, name, TEXTS[name], folder) for name in args.texts]
    if args.json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(f"{row['text']}: {row['speed']:.2f} of plain by the clock "
              f"({row['speed_min']:.2f} to {row['speed_max']:.2f}), {row['cpu']:.2f} by processor "
              f"time ({row['cpu_min']:.2f} to {row['cpu_max']:.2f}); "
              f"{row['plain_tokens_per_s']:.1f} and {row['drafts_tokens_per_s']:.1f} tokens/s over "
              f"{row['tokens']} tokens; {row['accepted']} of {row['drafted']} drafted were right; "
              f"{'same tokens' if row['same'] else 'OTHER tokens'}")


if __name__ == "__main__":
    main()
