#!/usr/bin/env python3
"""Random chat templates, rendered by the command line and by jinja2 in the environment that
transformers gives them: both make the same text, or neither makes one.

    tests/fuzz/jinja_differential.py build/release/polaris --count 500 --seed 1

Needs jinja2 3.1 from PyPI."""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data"))
import make_chat  # noqa: E402

# What Python prints of a thing by its address, and integers beyond 64 bits, are not ours.
NOT_COMPARED = (" object at 0x", "<built-in", "<bound method", "<function", "<class", "<Macro",
                "<LoopContext", "<slice", "Markup(", "<_GroupTuple")
# Nor are errors within a generator that nobody walks over, slices of constants that have none
# (jinja2 folds them into nothing), and the length of what is no text.
NOT_OURS = ("filter 'map'", "filter 'select", "filter 'reject", "filter 'items'", "filter 'batch'",
            "filter 'slice'", "filter 'unique'", "slice: got", "filter 'truncate': got",
            "beyond 64 bits", "has no text", "is too large", "wanted only {}, {0} and {name}")

TEXTS = ["''", "'a'", "'Hello World'", "' pad '", "'a,b,,c'", "'é✓ß'", "'line\\none\\n'", "'42'",
         "'-3.5'", "'aXbXc'", "\"it's\"", "'<b>'", "'ABC'", "'x' 'y'", "'tab\\there'", "'%s|%d'"]
NAMES = ["messages", "messages[0]", "messages[-1].content", "n", "f", "s", "l", "d", "t", "u", "e",
         "missing", "d.k", "d['items']", "l[1]", "s[1]", "l[9]", "none", "true", "false",
         "bos_token", "tools", "b", "deep.a.b[0]"]
UNARY = ["upper", "lower", "trim", "length", "list", "first", "last", "string", "int", "float",
         "abs", "round", "sort", "reverse", "unique", "join", "tojson", "title", "capitalize",
         "sum", "max", "min", "items", "dictsort", "count", "wordcount", "e", "safe", "indent",
         "batch(2)", "slice(2)", "default('d')", "default('d', true)", "join('-')",
         "join(', ', attribute='role')", "map('upper')", "map(attribute='role')", "map('string')",
         "select", "select('string')", "reject('none')", "selectattr('role')", "map('length')",
         "selectattr('role', 'eq', 'user')", "rejectattr('content')", "replace('a', 'b')",
         "replace('l', 'L', 1)", "truncate(5)", "truncate(7, true, '')", "center(9)", "indent(2)",
         "indent(1, true, true)", "tojson(indent=2)", "tojson(sort_keys=true)", "trim('a')",
         "sort(reverse=true)", "sort(case_sensitive=true)", "map('int')", "sum(start=3)",
         "groupby('role')", "format(1, 'x')", "int(7, 16)", "round(1)", "round(1, 'floor')",
         "attr('items')", "map('default', 'z')", "sort(attribute='role')", "min(attribute='role')"]
METHODS = ["upper()", "lower()", "strip()", "lstrip()", "rstrip()", "strip('ab')", "split()",
           "split(',')", "split('X', 1)", "rsplit(None, 1)", "rsplit(',', 1)", "splitlines()",
           "startswith('a')", "endswith('c')", "replace('a', 'zz')", "title()", "capitalize()",
           "find('X')", "count('a')", "index('a')", "isdigit()", "isalpha()", "isupper()",
           "items()", "keys()", "values()", "get('k')", "get('z', 1)", "get(n)", "copy()",
           "join(['p', 'q'])", "zfill(5)", "center(7, '*')", "ljust(4)", "rjust(4)",
           "partition('X')", "removeprefix('a')", "swapcase()", "append(1)", "index(2)", "role",
           "content", "x", "k", "islower()", "isspace()", "splitlines(true)", "rfind('o', 2)",
           "isalnum()", "count(1)", "rpartition(' ')", "removesuffix('c')", "casefold()"]
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean",
         "mapping", "sequence", "iterable", "true", "false", "odd", "even", "divisibleby 3",
         "in l", "eq 1", "ne 'a'", "lt 3", "ge(2)", "upper", "lower", "sameas none", "callable",
         "not defined", "not none", "filter", "test", "equalto(s)", "escaped"]
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in",
          "and", "or", "**"]
NUMBERS = {"n": 3, "f": 2.5, "s": "Some text", "l": [1, 2, "c", None], "b": True,
           "d": {"k": "v", "items": [1], "z": {"y": 1.0}}, "t": "a\nb\n\nc", "e": [],
           "u": "Ünï €", "deep": {"a": {"b": ["end"]}}}


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, of):
        return self.random.choice(of)

    def expression(self, depth):
        kind = self.random.randrange(15) if depth > 0 else self.random.randrange(4)
        inner = lambda: self.expression(depth - 1)
        if kind < 2:
            return self.pick(NAMES)
        if kind == 2:
            return self.pick(TEXTS)
        if kind == 3:
            return str(self.pick([0, 1, 2, -1, 7, 1.5, 0.1, 100, "1e3", "0x10", -2.0]))
        if kind in (4, 5):
            return f"({inner()}) | {self.pick(UNARY)}"
        if kind == 6:
            return f"({inner()}).{self.pick(METHODS)}"
        if kind == 7:
            return f"({inner()} is {self.pick(TESTS)})"
        if kind in (8, 9):
            return f"({inner()} {self.pick(BINARY)} {inner()})"
        if kind == 10:
            return f"[{inner()}, {inner()}]" if self.pick([0, 1]) else f"({inner()}, {inner()})"
        if kind == 11:
            return f"{{'k': {inner()}, {self.pick(TEXTS)}: {inner()}}}"
        if kind == 12:
            bounds = [self.pick(["", "1", "-1", "2", "0", "n"]) for _ in range(3)]
            return f"({inner()})[{':'.join(bounds[:self.random.randrange(2, 4)])}]"
        if kind == 13:
            return f"({inner()} if {inner()} else {inner()})"
        return f"({self.pick(['not ', '-', '+', 'not not '])}{inner()})"

    def tag(self, inside):
        left, right = self.pick(["", "", "-", "+"]), self.pick(["", "", "-", "+"])
        return "{%" + left + " " + inside + " " + right + "%}"

    def text(self):
        return self.pick(["", " ", "\n", "x", "  \n", "\n  ", "a b\n", "\t", "<|im_end|>\n", " y "])

    def statement(self, depth):
        kind = self.random.randrange(12) if depth > 0 else self.random.randrange(4)
        body = lambda: self.body(depth - 1)
        value = lambda: self.expression(self.random.randrange(3))
        if kind < 3:
            sign = [self.pick(["", "", "-"]) for _ in range(2)]
            return "{{" + sign[0] + " " + value() + " " + sign[1] + "}}"
        if kind == 3:
            name = self.pick(["n", "s", "v", "l", "ns.v", "w"])
            return self.tag(f"set {name} = {value()}")
        if kind in (4, 5):
            other = self.pick(["", self.tag("else") + body(),
                               self.tag(f"elif {value()}") + body() + self.tag("else") + body()])
            return self.tag(f"if {value()}") + body() + other + self.tag("endif")
        if kind in (6, 7):
            over = self.pick(["messages", "l", "d", "d.items()", "range(3)", "s", value()])
            target = self.pick(["x", "m", "v", "k, v"])
            test = self.pick(["", "", f" if {value()}"])
            inside = self.pick(["", "{{ loop.index }}", "{{ loop.last }}{{ loop.first }}",
                                "{{ loop.previtem }}{{ loop.nextitem }}", "{{ x }}{{ v }}",
                                "{{ loop.revindex0 }}{{ loop.cycle(1, 2) }}",
                                self.tag("if loop.index > 1") + self.tag("break")
                                + self.tag("endif"),
                                self.tag("if x") + self.tag("continue") + self.tag("endif")])
            end = self.pick(["", self.tag("else") + body()])
            return (self.tag(f"for {target} in {over}{test}") + inside + body() + end
                    + self.tag("endfor"))
        if kind == 8:
            return (self.tag(f"macro mac(p, q={value()})") + "{{ p }}{{ q }}" + body()
                    + self.tag("endmacro") + "{{ mac(" + self.pick(["", "1", "f, u", "q=2, p=u"])
                    + ") }}")
        if kind == 9:
            return (self.tag("set w" + self.pick(["", " | upper", " | trim | length"])) + body()
                    + self.tag("endset") + "[{{ w }}]")
        if kind == 10:
            return self.pick(["{# c #}", "{#- c -#}", "{#+ c\n+#}\n",
                              "{% raw %} {{ x }} {% endraw %}",
                              "{%- raw -%}\n {% y %} {%- endraw -%}\n"])
        if self.pick([0, 1]):
            return (self.tag(f"with n = {value()}, w = n") + body() + self.tag("endwith"))
        return self.tag("filter " + self.pick(["upper", "trim | lower", "replace('a', 'b')"])) \
            + body() + self.tag("endfilter")

    def body(self, depth):
        parts = []
        for _ in range(self.random.randrange(1, 4)):
            parts += [self.text(), self.statement(depth)]
        return "".join(parts) + self.text()

    def template(self):
        # A name that the top level sets is undefined in blocks before it, unless it has been read.
        return "{% set ns = namespace(v=0) %}{{ n }}{{ s }}{{ l }}" + self.body(3)


def names(seed):
    conversations = list(make_chat.CONVERSATIONS.values()) + list(make_chat.PARTS.values())
    return NUMBERS | make_chat.TOKENS | conversations[seed % len(conversations)]


def agrees(expected, got, error):
    """None where the two are not to be compared."""
    if expected is not None and any(mark in expected for mark in NOT_COMPARED):
        return None
    if got is None and expected is not None and any(mark in error for mark in NOT_OURS):
        return None
    return expected == got


class CommandLine:
    """One process for each template."""

    def __init__(self, polaris, folder):
        self.polaris, self.folder = polaris, folder
        self.tokenizer = os.path.join(folder, "tokenizer.json")
        vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2, "a": 3}
        with open(self.tokenizer, "w", encoding="utf-8") as file:
            json.dump({"model": {"type": "WordPiece", "unk_token": "<unk>",
                                 "continuing_subword_prefix": "##", "vocab": vocabulary}}, file)

    def __call__(self, template, given):
        paths = [os.path.join(self.folder, name) for name in ("t.jinja", "c.json")]
        with open(paths[0], "w", encoding="utf-8", newline="") as file:
            file.write(template)
        with open(paths[1], "w", encoding="utf-8") as file:
            json.dump(given, file)
        done = subprocess.run(
            [self.polaris, "tokenize", self.tokenizer, "--messages", paths[1], "--chat-template",
             paths[0], "--render"], capture_output=True, check=False)
        if done.returncode not in (0, 1):
            sys.exit(f"exit code {done.returncode} for\n{template}")
        return done.stdout.decode() if done.returncode == 0 else None, done.stderr.decode()


def run(render, count, seed):
    compared = texts = wrong = 0
    for number in range(seed, seed + count):
        template, given = Maker(number).template(), names(number)
        expected = make_chat.render(template, given)
        got, error = render(template, given)
        same = agrees(expected, got, error)
        compared += same is not None
        texts += bool(same and expected is not None)
        if same is False:
            wrong += 1
            print(f"seed {number}:\n{template}\nwanted {expected!r}\ngot    {got!r} {error}")
    print(f"{count} templates, {compared} compared, {texts} of them texts, {wrong} differ")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("polaris")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(run(CommandLine(options.polaris, folder), options.count, options.seed) > 0)


if __name__ == "__main__":
    main()
