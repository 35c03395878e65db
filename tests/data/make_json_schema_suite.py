"""Writes tests/data/json_schema_suite/draft2020-12.json: the cases of JSON-Schema-Test-Suite (MIT,
its LICENSE beside it) in one file, from an unpacked source package of PyPI's jsonschema, which
carries it:

    pip download --no-deps --no-binary :all: jsonschema==4.26.0 && tar xf jsonschema-4.26.0.tar.gz
    python tests/data/make_json_schema_suite.py jsonschema-4.26.0/json
"""
import json
import os
import shutil
import sys

FORMATS = ("date", "time", "date-time", "uuid", "ipv4", "ipv6", "email")


def main() -> None:
    suite = sys.argv[1]
    folder = os.path.join(suite, "tests", "draft2020-12")
    files = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    files += [f"optional/format/{name}.json" for name in FORMATS]
    out = []
    for name in files:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            for group in json.load(file):
                tests = [[t["description"], t["valid"], t["data"]] for t in group["tests"]]
                out.append({"file": name[:-5], "group": group["description"],
                            "schema": group["schema"], "tests": tests})
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "json_schema_suite")
    os.makedirs(here, exist_ok=True)
    shutil.copyfile(os.path.join(suite, "LICENSE"), os.path.join(here, "LICENSE"))
    with open(os.path.join(here, "draft2020-12.json"), "w", encoding="utf-8") as file:
        lines = (json.dumps(group, ensure_ascii=False, separators=(",", ":")) for group in out)
        file.write("[" + ",\n".join(lines) + "]\n")


if __name__ == "__main__":
    main()
