#!/usr/bin/env python3
"""Writes the small tokenizers in tests/data/tokenizers and tests/data/tokenizer_expected.tsv: files
of every kind that Hugging Face's library makes, and the ids that it, sentencepiece and tiktoken
give.

    make_tokenizers.py [SHARED]      needs tokenizers, sentencepiece, tiktoken from PyPI

SHARED is the folder of shared models, whose tokenizer files get rows of their own.
"""
import base64
import glob
import json
import os
import sys

import sentencepiece
import tiktoken
import tokenizers
from tokenizers import (Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
FOLDER = os.path.join(HERE, "tokenizers")

TEXTS = [
    "Hello world", "  two  spaces, and a tab\tand\n\nlines ",
    "It's 'quoted', isn't it? We'll see; I'VE.",
    "1234567 3.14 ١٢٣ ² ½", "naïve café cafe\u0301 ÀÉÎ Straße İstanbul", "中文和日本語のテスト, 한국어",
    "🐻 👩‍👩‍👧 ✅",
    "foo_bar(x) == baz[0]; // C++", "<mask> and [MASK] <s>x</s>[SEP]",
    "ABC abcDEF ǅ Ⅷ ㎏ ﬁ",
    "a\u200db\u00adc\ufeff \u00a0\u3000\u2028z", "", " ", "\n", "aaaaaaaaaaaaaaaaaaaaaaaaa",
    "Führer! нещо на Български កាន់តែ 🚀",
    "the tokenizer of the model splits the text into pieces of the vocabulary",
]

CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
QWEN = (CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
        r"\s+(?!\S)|\s+")
CLIP = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def corpus():
    for path in sorted(glob.glob(os.path.join(ROOT, "docs", "adr", "000*.md"))):
        with open(path, encoding="utf8") as file:
            yield from file.read().split("\n")
    yield from TEXTS[:10]


def bpe(size, normalizer, pre_tokenizer, decoder, special=(), alphabet=(), **options):
    out = Tokenizer(models.BPE(**options))
    if normalizer:
        out.normalizer = normalizer
    if pre_tokenizer:
        out.pre_tokenizer = pre_tokenizer
    out.decoder = decoder
    suffix = options.get("end_of_word_suffix")
    out.train_from_iterator(corpus(), trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(special), initial_alphabet=list(alphabet),
        show_progress=False, **({"end_of_word_suffix": suffix} if suffix else {})))
    return out


def byte_level(pre_tokenizer, normalizer=None, special=("<|endoftext|>",)):
    return bpe(500, normalizer, pre_tokenizer, decoders.ByteLevel(), special,
               pre_tokenizers.ByteLevel.alphabet())


def clip_normalizer():
    return normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "),
                                 normalizers.Lowercase()])


def clip_pre_tokenizer():
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(CLIP), "removed", invert=True),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False)])


def tokenizers_made():
    level = pre_tokenizers.ByteLevel
    yield "gpt2", byte_level(level(add_prefix_space=False))
    roberta = byte_level(level(add_prefix_space=True), None, ["<s>", "</s>", "<mask>"])
    roberta.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0))
    roberta.add_special_tokens([tokenizers.AddedToken("<mask>", lstrip=True)])
    yield "roberta", roberta
    yield "qwen2", byte_level(pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(QWEN), "isolated"),
         level(add_prefix_space=False, use_regex=False)]),
        normalizers.NFC())
    yield "falcon", byte_level(pre_tokenizers.Sequence(
        [pre_tokenizers.Punctuation("contiguous"), level(add_prefix_space=False),
         pre_tokenizers.Digits(individual_digits=False),
         pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")]))
    yield "starcoder", byte_level(pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), level(add_prefix_space=False)]))

    clip = bpe(600, clip_normalizer(), clip_pre_tokenizer(), decoders.BPEDecoder(suffix="</w>"),
               ["<|startoftext|>", "<|endoftext|>"], pre_tokenizers.ByteLevel.alphabet(),
               end_of_word_suffix="</w>", unk_token="<|endoftext|>")
    yield "clip", clip

    spaces = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    llama = bpe(700, normalizers.Sequence(spaces), None,
                decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(),
                                   decoders.Fuse(), decoders.Strip(" ", 1, 0)]),
                ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)],
                unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    llama.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B",
                                                         special_tokens=[("<s>", 1)])
    yield "llama", llama

    bert = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    bert.normalizer = normalizers.BertNormalizer()
    bert.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    bert.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    bert.train_from_iterator(corpus(), trainers.WordPieceTrainer(
        vocab_size=600, special_tokens=special, show_progress=False))
    bert.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    yield "bert", bert

    for name, scheme, split in (("t5", "always", True), ("mistral", "first", False)):
        unigram = Tokenizer(models.Unigram())
        unigram.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(
            Regex(" {2,}"), " "), normalizers.Strip(left=False, right=True)])
        unigram.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme=scheme, split=split)
        unigram.decoder = decoders.Metaspace("▁", prepend_scheme=scheme, split=split)
        unigram.train_from_iterator(corpus(), trainers.UnigramTrainer(
            vocab_size=500, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>",
            show_progress=False))
        yield name, unigram

    words = ["[UNK]", "hello", "wor", "##ld", "12", ","]
    plain = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)},
                                       unk_token="[UNK]"))
    plain.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(),
                                             normalizers.Lowercase()])
    plain.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(),
                                                   pre_tokenizers.Punctuation()])
    plain.add_tokens([tokenizers.AddedToken("foo", single_word=True),
                      tokenizers.AddedToken("Café", normalized=True)])
    yield "words", plain


def without_added_bytes(made):
    """The trainer has no other way to make tokens for bytes; real files do not search for them."""
    data = json.loads(made.to_str())
    data["added_tokens"] = [row for row in data["added_tokens"] if row["id"] < 3]
    return Tokenizer.from_str(json.dumps(data))


def shared_rows(shared):
    root = os.path.join(shared, "models", "tokenizers")
    for name in ("sentencepiece/test_model.model", "llama2/tokenizer.model"):
        model = sentencepiece.SentencePieceProcessor(model_file=os.path.join(root, name))
        yield name, model.encode
    name = "whisper/multilingual.tiktoken"
    with open(os.path.join(root, name), "rb") as file:
        ranks = {base64.b64decode(line.split()[0]): int(line.split()[1]) for line in file}
    encoding = tiktoken.Encoding("whisper", pat_str=GPT2, mergeable_ranks=ranks, special_tokens={})
    yield name, encoding.encode_ordinary
    clip = Tokenizer(models.BPE.from_file(*(os.path.join(root, "clip", f) for f in (
        "vocab.json", "merges.txt")), end_of_word_suffix="</w>", unk_token="<|endoftext|>"))
    clip.normalizer = clip_normalizer()
    clip.pre_tokenizer = clip_pre_tokenizer()
    yield "clip/vocab.json", lambda text: clip.encode(text, add_special_tokens=False).ids
    for name, lower in (("bert-cased-ort/bert_basic_cased_vocab.txt", False),
                        ("bert-base-uncased/vocab.txt", True)):
        bert = tokenizers.BertWordPieceTokenizer(os.path.join(root, name), lowercase=lower)
        yield name, lambda text, bert=bert: bert.encode(text, add_special_tokens=False).ids


def main():
    os.makedirs(FOLDER, exist_ok=True)
    with open(os.path.join(HERE, "tokenizer_expected.tsv"), "w", encoding="utf8") as out:
        out.write("# Written by make_tokenizers.py: file, special or plain, text as JSON, ids.\n")

        def row(name, kind, text, ids):
            out.write(f"{name}\t{kind}\t{json.dumps(text)}\t{' '.join(map(str, ids))}\n")

        for name, made in tokenizers_made():
            if name == "llama":
                made = without_added_bytes(made)
            made.save(os.path.join(FOLDER, name + ".json"), pretty=False)
            for text in TEXTS:
                row(f"tokenizers/{name}.json", "plain", text,
                    made.encode(text, add_special_tokens=False).ids)
                row(f"tokenizers/{name}.json", "special", text, made.encode(text).ids)
        if len(sys.argv) > 1:
            for name, encode in shared_rows(sys.argv[1]):
                for text in TEXTS[:8] + TEXTS[9:]:
                    row("shared/" + name, "plain", text, encode(text))


if __name__ == "__main__":
    main()
