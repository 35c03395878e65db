#!/usr/bin/env python3
"""Writes the training text: short children's stories from a grammar of our own.

A template is text with choices `(a|b|)`, slots `{h.he}`, lists `{*color}` and macros `{@happy:h}`.
The same seed gives the same text, whatever the number of processes.
"""
import argparse
import functools
import json
import multiprocessing
import random
import re

import lexicon as lx
import plots_home
import plots_outside
import plots_friends
from macros import MACROS

PLOTS = plots_home.PLOTS + plots_outside.PLOTS + plots_friends.PLOTS
SHARD_STORIES = 1000


def parse(text):
    """Template -> nested lists: str | ("slot", name) | ("alt", [sequence, ...])."""
    pos = 0

    def sequence(closing):
        nonlocal pos
        items, start = [], pos
        while pos < len(text) and text[pos] not in closing:
            c = text[pos]
            if c in "({":
                if pos > start:
                    items.append(text[start:pos])
                pos += 1
                if c == "{":
                    end = text.index("}", pos)
                    items.append(("slot", text[pos:end]))
                    pos = end + 1
                else:
                    choices = [sequence("|)")]
                    while text[pos] == "|":
                        pos += 1
                        choices.append(sequence("|)"))
                    pos += 1
                    items.append(("alt", choices))
                start = pos
            else:
                pos += 1
        if pos > start:
            items.append(text[start:pos])
        return items

    result = sequence("")
    assert pos == len(text), text
    return result


parse = functools.lru_cache(maxsize=None)(parse)


class Story:
    """One telling of a plot: its slots, bound once, and the random choices of its sentences."""

    def __init__(self, rng):
        self.rng = rng
        self.slots = {}
        self.used = set()

    def pick_new(self, words):
        word = self.rng.choice([w for w in words if w not in self.used])
        self.used.add(word)
        return word

    def person(self, name, kind, pronoun, adj, where, hobby):
        sibling = {"she": "sister", "he": "brother"}[pronoun]
        return dict(lx.PRONOUNS[pronoun], n=name, s=name + "'s", sib=sibling, kind=kind,
                    adj=adj, where=where, hobby=hobby)

    def child(self):
        girl = self.rng.random() < 0.5
        name = self.pick_new(lx.GIRLS if girl else lx.BOYS)
        return self.person(name, "girl" if girl else "boy", "she" if girl else "he",
                           self.rng.choice(lx.ADJ), self.rng.choice(lx.CHILD_WHERE),
                           self.rng.choice(lx.HOBBIES))

    def animal(self):
        kind = self.pick_new(list(lx.ANIMALS))
        where, loves = lx.ANIMALS[kind]
        pronoun = self.rng.choice(["she", "he"])
        loves = loves.replace("its", lx.PRONOUNS[pronoun]["his"])
        hobby = self.rng.choice([loves, loves, self.rng.choice(lx.HOBBIES)])
        return self.person(self.pick_new(lx.PET_NAMES), kind, pronoun, self.rng.choice(lx.ADJ),
                           where, hobby)

    def bind(self, name, kind):
        rng, s = self.rng, self.slots
        if kind == "hero":
            kind = "child" if rng.random() < 0.62 else "animal"
        if kind == "friend":
            kind = "child" if s["h"]["kind"] in ("girl", "boy") else "animal"
        if kind == "child":
            value = self.child()
        elif kind == "animal":
            value = self.animal()
        elif kind == "grown":
            word, pronoun, call = rng.choice(lx.GROWNUPS)
            value = dict(lx.PRONOUNS[pronoun], n=f"{s['h']['his']} {word}", word=word, call=call,
                         s=f"{s['h']['his']} {word}'s")
        elif kind == "small":
            noun = self.pick_new([a for a in lx.SMALL_ANIMALS if a != s["h"]["kind"]])
            value = dict(lx.PRONOUNS["it"], n=f"the {noun}", s=f"the {noun}'s", kind=noun)
        elif kind in ("toy", "wearable", "thing"):
            words = {"toy": list(lx.TOYS), "wearable": lx.WEARABLES, "thing": lx.THINGS}[kind]
            noun, color, look = self.pick_new(words), rng.choice(lx.COLORS), rng.choice(lx.LOOKS)
            full = rng.choice([f"{color} {noun}", f"{look} {noun}", f"{look} {color} {noun}"])
            value = dict(n=noun, full=full, color=color, use=lx.TOYS.get(noun, "wear"))
        elif kind == "place":
            word = self.pick_new(list(lx.PLACES))
            at, to, spots = lx.PLACES[word]
            spot = rng.sample(spots, 2)
            value = dict(n=f"the {word}", at=at, to=to, spot=spot[0], spot2=spot[1])
        elif kind == "foods":
            word = self.pick_new(list(lx.FOODS))
            some, them = lx.FOODS[word]
            value = dict(n=word, some=some, it=them)
        elif kind.startswith("="):
            choice = rng.choice(kind[1:].split("/"))
            value = dict(zip("nbcd", choice.replace("_", " ").split(",")))
            value["kind"] = value["n"]
        else:
            value = dict(n=self.pick_new(lx.LISTS[kind]))
        s[name] = value

    def slot(self, ref):
        if ref[0] == "*":
            return self.rng.choice(lx.LISTS[ref[1:]])
        if ref[0] == "@":
            macro, _, who = ref[1:].partition(":")
            outer = self.slots.get("x")
            if who:
                self.slots["x"] = self.slots[who]
            text = self.expand(MACROS[macro])
            self.slots["x"] = outer
            return text
        name, _, attr = ref.partition(".")
        return self.slots[name][attr or "n"]

    def expand(self, template):
        out = []

        def walk(items):
            for item in items:
                if isinstance(item, str):
                    out.append(item)
                elif item[0] == "slot":
                    out.append(self.slot(item[1]))
                else:
                    walk(self.rng.choice(item[1]))

        walk(parse(template))
        return "".join(out)

    def tell(self, plot):
        _, spec, paragraphs = plot
        for part in spec.split():
            name, _, kind = part.partition(":")
            self.bind(name, kind)
        told = [polish(self.expand(p)) for p in paragraphs]
        return "\n".join(p for p in told if p)


TAGS = ("said|asked|cried|shouted|whispered|replied|called|answered|laughed|begged|sang|squeaked|"
        "thought|yelled|cheered|told|explained|came|roared")
TAG_AHEAD = re.compile(rf"(?:[\w']+ ){{0,4}}?(?:{TAGS})\b")


def polish(text):
    """Spaces, a/an and capitals at the start of sentences and of speech."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\b([Aa]) (?=(?!uni|use|one|yo-yo)[aeiouAEIOU])", r"\1n ", text)
    out, upper, inside = [], True, False
    for i, c in enumerate(text):
        if c == '"':
            inside = not inside
            if inside:
                # Speech goes on after a tag in mid-sentence only where a comma stands before it.
                upper = True
            else:
                end = text[i - 1]
                rest = re.split(r'[.!?"]', text[i + 1:], maxsplit=1)[0].lstrip()
                upper = end == "." or (end in "!?" and not TAG_AHEAD.match(rest))
        elif c.isalpha():
            out.append(c.upper() if upper else c)
            upper = False
            continue
        elif c in ".!?" and (i + 1 == len(text) or text[i + 1] == " "):
            upper = True
        out.append(c)
    return "".join(out)


def make_story(seed, index):
    """The story number `index`: {"plot": name, "text": ...}."""
    rng = random.Random(f"{seed}/{index}")
    plot = rng.choice(PLOTS)
    return {"plot": plot[0], "text": Story(rng).tell(plot)}


def make_shard(args):
    seed, first, count = args
    return [make_story(seed, i) for i in range(first, first + count)]


def make_stories(seed, count, processes):
    shards = [(seed, i, min(SHARD_STORIES, count - i)) for i in range(0, count, SHARD_STORIES)]
    with multiprocessing.Pool(processes) as pool:
        for shard in pool.imap(make_shard, shards):
            yield from shard


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("-o", "--out", default="stories.jsonl", help="one JSON story a line")
    args = parser.parse_args()
    with open(args.out, "w", encoding="utf-8") as out:
        for story in make_stories(args.seed, args.stories, args.processes):
            out.write(json.dumps(story) + "\n")


if __name__ == "__main__":
    main()
