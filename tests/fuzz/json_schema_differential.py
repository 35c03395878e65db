#!/usr/bin/env python3
"""Random JSON schemas, and texts drawn at random from what their grammars allow a tokenizer: each
text parses, and fits its schema as PyPI's jsonschema has it.

    tests/fuzz/json_schema_differential.py build/release/bench_grammar_masks MODEL... --count 200

MODEL is any file with a tokenizer. Needs jsonschema 4 and rfc3339-validator from PyPI."""
import argparse
import json
import random
import re
import subprocess
import sys
import tempfile

import jsonschema

NAMES = ["a", "b", "id", "name", "größe", "x y", "say \"so\"", "back\\slash", "kind", "a/b~c"]
PATTERNS = ["^[a-z]{2,6}$", "^\\d{3}-\\d{4}$", "^(yes|no)$", "ab+c", "^[^\"\\\\]*$", "^.{1,3}$",
            "é?$", "^[A-Z][a-z]*( [A-Z][a-z]*)*$", "^\\w+@\\w+\\.com$", "^(?:0|[1-9]\\d*)$"]
FORMATS = ["date", "time", "date-time", "uuid", "ipv4", "ipv6"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.defs = 0

    def number(self):
        r = self.random
        return r.choice([r.randrange(-20, 300), r.randrange(-10 ** 6, 10 ** 6), r.randrange(0, 10),
                         round(r.uniform(-50, 50), r.randrange(1, 5)), 0, 1e3, -1.5])

    def bounded(self, out):
        r = self.random
        low, high = sorted((self.number(), self.number()))
        if r.random() < 0.7:
            out[r.choice(["minimum", "exclusiveMinimum"])] = low
        if r.random() < 0.7:
            out[r.choice(["maximum", "exclusiveMaximum"])] = high + 3
        return out

    def value(self):
        return self.random.choice([None, True, 7, -2.5, 1.0, "text", "quote \" and \\ and \n",
                                   "日本", [1, "x"], {"a": 1, "b": [None]}, [], {}, 1e2])

    def schema(self, depth):
        r = self.random
        leaf = depth <= 0
        kind = r.randrange(9 if leaf else 20)
        if kind in (7, 8):
            return self.bounded_value()
        if kind >= 9:
            kind -= 2
        if kind >= 14:
            return self.conditional(depth)
        if kind == 0:
            return {} if not leaf else {"type": ["null", "boolean"]}
        if kind == 1:
            return self.bounded({"type": "integer"})
        if kind == 2:
            return self.bounded({"type": "number"})
        if kind == 3:
            out = {"type": "string"}
            if r.random() < 0.6:
                out["minLength"] = r.randrange(0, 4)
            if r.random() < 0.6:
                out["maxLength"] = 4 + r.randrange(0, 30)
            return out
        if kind == 4:
            return {"type": "string", **r.choice([{"pattern": r.choice(PATTERNS)},
                                                  {"format": r.choice(FORMATS)}])}
        if kind == 5:
            values = [self.value() for _ in range(r.randrange(1, 5))]
            return r.choice([{"enum": values}, {"const": values[0]}])
        if kind == 6:
            return {"type": r.sample(["null", "boolean", "integer", "string"], r.randrange(1, 4))}
        if kind in (7, 8, 9):
            return self.object(depth)
        if kind in (10, 11):
            return self.array(depth)
        if kind == 12:
            return {"anyOf": [self.schema(depth - 1) for _ in range(r.randrange(1, 4))]}
        if r.random() < 0.5:
            return {"oneOf": [{"type": "object", "properties": {"kind": {"const": str(i)},
                                                               "v": self.schema(depth - 1)},
                               "required": ["kind"]} for i in range(r.randrange(1, 4))]}
        first, second = self.object(depth - 1), self.object(depth - 1)
        return {"allOf": [first, second]}

    def object(self, depth):
        r = self.random
        names = r.sample(NAMES, r.randrange(0, 5))
        out = {"type": "object", "properties": {n: self.schema(depth - 1) for n in names}}
        if names and r.random() < 0.8:
            out["required"] = r.sample(names, r.randrange(0, len(names) + 1))
        more = r.randrange(4)
        if more == 0:
            out["additionalProperties"] = False
        elif more == 1:
            out["additionalProperties"] = self.schema(depth - 1)
        if r.random() < 0.2:
            del out["properties"]
            out["maxProperties"] = r.randrange(max(1, len(out.get("required", []))), 6)
        if r.random() < 0.2:
            patterns = r.sample(["^x_", "^[a-z]+$", "\\d", "e$"], r.randrange(1, 3))
            out["patternProperties"] = {p: self.schema(depth - 1) for p in patterns}
        if r.random() < 0.15:
            out["propertyNames"] = r.choice([{"maxLength": 6}, {"pattern": "^[a-z_ ]*$"},
                                             {"not": {"enum": ["a", "kind"]}}])
        if names and r.random() < 0.2:
            out["dependentRequired"] = {r.choice(names): [r.choice(NAMES)]}
        if names and r.random() < 0.15:
            out["dependentSchemas"] = {r.choice(names): self.object(depth - 2)}
        if r.random() < 0.15:
            out["minProperties"] = r.randrange(0, 3)
        if r.random() < 0.2:
            out.pop("additionalProperties", None)
            out["unevaluatedProperties"] = r.choice([False, {"type": "integer"}])
            out["anyOf"] = [self.object(depth - 2) for _ in range(r.randrange(1, 3))]
        return out

    def bounded_value(self):
        """A number or text of which more than one thing is asked, or that something is not."""
        r = self.random
        if r.random() < 0.4:
            out = self.bounded({"type": r.choice(["integer", "number"])})
            out["multipleOf"] = r.choice([2, 3, 7, 10, 25, 0.5, 0.01, 0.25, 2.5])
            return out
        out = {"type": "string", "pattern": r.choice(PATTERNS)}
        if r.random() < 0.6:
            out["maxLength"] = r.randrange(2, 12)
        if r.random() < 0.3:
            out["minLength"] = r.randrange(0, 4)
        if r.random() < 0.5:
            out["not"] = r.choice([{"pattern": r.choice(PATTERNS)}, {"enum": ["yes", "ab", "0"]},
                                   {"minLength": 9}, {"const": "no"}])
        return out

    def conditional(self, depth):
        r = self.random
        kind = r.randrange(4)
        if kind == 0:
            return {**self.object(depth - 1), "if": self.object(depth - 2),
                    r.choice(["then", "else"]): self.object(depth - 2)}
        if kind == 1:
            return {"oneOf": [self.schema(depth - 1) for _ in range(r.randrange(2, 4))]}
        if kind == 2:
            return {**self.schema(depth - 1), "not": self.schema(depth - 2)}
        flags = {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]}
        return {**flags, "if": {"properties": {"a": {"const": True}}},
                "then": self.object(depth - 1), "else": {"required": [r.choice(NAMES)]}}

    def array(self, depth):
        r = self.random
        out = {"type": "array"}
        if r.random() < 0.7:
            out["items"] = self.schema(depth - 1)
        if r.random() < 0.4:
            out["prefixItems"] = [self.schema(depth - 1) for _ in range(r.randrange(1, 4))]
        if r.random() < 0.4:
            out["minItems"] = r.randrange(0, 4)
        if r.random() < 0.5:
            out["maxItems"] = r.randrange(3, 8)
        if r.random() < 0.25:
            out["contains"] = self.schema(depth - 2)
            if r.random() < 0.5:
                out["minContains"] = r.randrange(0, 3)
            if r.random() < 0.5:
                out["maxContains"] = r.randrange(2, 4)
        elif r.random() < 0.2:
            out["uniqueItems"] = True
            out["items"] = {"enum": r.sample(["red", "green", 1, 2.5, None, True, [1], {"a": 1}, 0,
                                              "blue", "x", "y"], r.randrange(1, 12))}
        if r.random() < 0.15:
            out["unevaluatedItems"] = r.choice([False, {"type": "boolean"}])
            out.pop("items", None)
        return out

    def whole(self):
        out = self.schema(3)
        if isinstance(out, dict) and self.random.random() < 0.2:
            out = {"$defs": {"t": {"type": "object", "properties": {
                "next": {"$ref": "#/$defs/t"}, "value": out}, "additionalProperties": False}},
                "$ref": "#/$defs/t"}
        return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--texts", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    maker = Maker(args.seed)
    schemas = [maker.whole() for _ in range(args.count)]
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    failed = 0
    for model in args.models:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(schemas, file, ensure_ascii=False)
            file.flush()
            run = subprocess.run([args.program, model, file.name, str(args.texts), str(args.seed)],
                                 capture_output=True, text=True, check=True)
        names = ("refused", "empty", "unfinished", "year 0", "long number", "valid")
        counts = dict.fromkeys(names, 0)
        for schema, line in zip(schemas, run.stdout.split("\n"), strict=False):
            answer = json.loads(line)
            if "error" in answer:
                nothing = "no value fits" in answer["error"] or "never ends" in answer["error"]
                counts["empty" if nothing else "refused"] += 1
                continue
            for text in answer["texts"]:
                if text is None:
                    counts["unfinished"] += 1
                    continue
                # RFC 3339 has a year 0, Python's dates have none.
                if '"0000-' in text:
                    counts["year 0"] += 1
                    continue
                # Decimals are exact; Python's numbers have 15 digits that count.
                if re.search("[0-9.]{16}", text):
                    counts["long number"] += 1
                    continue
                try:
                    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(
                        json.loads(text))
                    counts["valid"] += 1
                except (ValueError, jsonschema.ValidationError) as error:
                    failed += 1
                    print(json.dumps({"schema": schema, "text": text, "error": str(error)[:300]},
                                     ensure_ascii=False))
        print(model, counts, flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
