"""soak/results.jsonl: one line a finished shard, and whether an old line still counts."""
import json
import os
import subprocess


def git(root, *args):
    return subprocess.run(["git", "-C", root, *args], capture_output=True, text=True)


def head(root):
    return git(root, "rev-parse", "HEAD").stdout.strip()


def clean(root, covers):
    """Whether no covered file differs from what is committed."""
    return git(root, "status", "--porcelain", "--", *covers).stdout.strip() == ""


def unchanged(root, commit, covers):
    return git(root, "diff", "--quiet", commit, "HEAD", "--", *covers).returncode == 0


class Results:
    def __init__(self, root, path):
        self.root = root
        self.path = path
        self.rows = []
        if os.path.exists(path):
            with open(path) as file:
                self.rows = [json.loads(line) for line in file if line.strip()]

    def counts(self, shard):
        """Whether the newest row of this shard passed, as long, over what is there now."""
        for row in reversed(self.rows):
            if row["shard"] == shard.name:
                return (row["ok"] and row["covers"] == shard.covers
                        and row["seconds_wanted"] >= shard.seconds
                        and clean(self.root, shard.covers)
                        and unchanged(self.root, row["commit"], shard.covers))
        return False

    def add(self, shard, ok, seconds, note):
        row = {"shard": shard.name, "ok": ok, "commit": head(self.root),
               "clean": clean(self.root, shard.covers), "covers": shard.covers,
               "seconds_wanted": shard.seconds, "seconds": round(seconds, 1), "note": note}
        self.rows.append(row)
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path, "a") as file:
            file.write(json.dumps(row) + "\n")
        return row
