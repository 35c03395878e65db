#!/usr/bin/env python3
"""Writes tests/data/chat/expected.jsonl: what jinja2, in the environment that transformers gives
chat templates, makes of every template in tests/data/chat/templates and every conversation below.
Needs jinja2 3.1 from PyPI."""
import datetime
import glob
import json
import os
import warnings

import jinja2
import jinja2.ext
import jinja2.sandbox

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "chat")
warnings.simplefilter("ignore", SyntaxWarning)  # of what jinja2 compiles
NOW = datetime.datetime(2026, 3, 5, 14, 7, 9)


class Generation(jinja2.ext.Extension):
    """{% generation %}: its body, rendered as a call block is."""
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_render"), [], [], body).set_lineno(line)

    def _render(self, caller):
        return caller()


def environment():
    out = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                          sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    out.filters["tojson"] = tojson
    out.globals["raise_exception"] = raise_exception
    out.globals["strftime_now"] = NOW.strftime
    return out


def render(template, names):
    """The text, or None where jinja2 cannot."""
    try:
        return environment().from_string(template).render(**names)
    except Exception:  # whatever Python raises is what a template cannot do
        return None


WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Weather of a \"city\" <now>, é.", "parameters": {
        "type": "object", "required": ["city"], "properties": {
            "city": {"type": "string", "description": "Name"},
            "unit": {"enum": ["celsius", "fahrenheit"]},
            "days": {"type": "array", "items": {"type": "integer"}},
            "where": {"type": "object", "properties": {"lat": {"type": ["number", "null"]}}}}}}}
CLOCK = {"type": "function", "function": {
    "name": "clock", "description": "", "parameters": {"type": "object", "properties": {}}}}


def message(role, content, **more):
    return {"role": role, "content": content, **more}


CONVERSATIONS = {
    "user": {"messages": [message("user", "What is the capital of France?")]},
    "system": {"messages": [message("system", "You are terse."), message("user", "Hello there!")],
               "add_generation_prompt": False},
    "turns": {"messages": [
        message("system", "  Be kind.\n"), message("user", "Write a poem."),
        message("assistant", "<think>\nrhymes?\n</think>\n\nRoses are red."),
        message("user", " and hello another "), message("assistant", "Violets.\n"),
        message("user", "Why?\nTell me\r\n\n  now")], "enable_thinking": False},
    "tools": {"messages": [message("system", "Use tools."), message("user", "Weather in Köln?")],
              "tools": [WEATHER, CLOCK]},
    "tool_calls": {"messages": [
        message("user", "Weather in Rome and the time?"),
        message("assistant", None, tool_calls=[
            {"type": "function", "id": "c1", "function": {
                "name": "get_weather", "arguments": {"city": "Rome", "days": [1, 2.5], "x": None}}},
            {"name": "clock", "arguments": "{\"a\": 1}"}]),
        message("tool", "{\"t\": 21}", tool_call_id="c1", name="get_weather"),
        message("tool", "12:00", name="clock"),
        message("assistant", "21 degrees at noon.", reasoning="short"),
        message("user", "Thanks")], "tools": [WEATHER]},
    "unicode": {"messages": [
        message("user", "Grüße, 世界! 👩‍👩‍👧 naïve ÇA ß\u00a0x\u2028y"),
        message("assistant", "Привет — “да” ✓ é e\u0301"), message("user", "日本語のテキスト")]},
    "empty": {"messages": [message("system", ""), message("user", ""), message("assistant", ""),
                           message("user", "")]},
    "none": {"messages": []},
    "marks": {"messages": [message("user", "a {{ b }} {% c %} <|end|> </s> 'q' \"d\" \\n <b>&")]},
    "documents": {"messages": [message("user", "Sum up.")], "date_string": "1 May 2020",
                  "documents": [{"title": "A", "text": "one\ntwo\n\nthree"}, {"text": ""}]},
}
PARTS = {"parts": {"messages": [
    message("user", [{"type": "text", "text": " Look: "}, {"type": "image"}]),
    message("assistant", "I see."), message("user", [{"type": "text", "text": "And now?"}])]}}
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "tools": None, "documents": None,
          "add_generation_prompt": True}


def main():
    conversations = CONVERSATIONS | PARTS
    with open(os.path.join(HERE, "conversations.jsonl"), "w", encoding="utf-8") as file:
        for name, names in conversations.items():
            row = {"name": name, "names": TOKENS | names}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    with open(os.path.join(HERE, "expected.jsonl"), "w", encoding="utf-8") as file:
        for path in sorted(glob.glob(os.path.join(HERE, "templates", "*.jinja"))):
            with open(path, encoding="utf-8", newline="") as source:
                template = source.read()
            for name, names in conversations.items():
                row = {"template": os.path.basename(path)[:-len(".jinja")], "conversation": name,
                       "text": render(template, TOKENS | names)}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
