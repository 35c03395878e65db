#!/usr/bin/env python3
"""Trains the tokenizer and the model on the stories of make_text.py.

Writes tokenizer.model, model.npz and train.json (figures).
Runs on cuda where there is one, else on the CPU.
"""
import argparse
import json
import math
import pathlib
import random
import time

import numpy as np
import sentencepiece
import torch
import torch.nn.functional as F

import config as c
import make_text
from model import Llama

VALIDATION_SEED = 1000003


def train_tokenizer(stories, path):
    lines = [line for text in stories[:20000] for line in text.split("\n")]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=str(path.with_suffix("")), model_type="bpe",
        vocab_size=c.VOCAB, byte_fallback=True, add_dummy_prefix=True,
        remove_extra_whitespaces=False, normalization_rule_name="identity", split_digits=True,
        character_coverage=1.0, unk_id=c.UNK, bos_id=c.BOS, eos_id=c.EOS, pad_id=-1,
        minloglevel=2)


def pack(stories, tokenizer, rng, tails):
    """Rows [n, CONTEXT + 1]: each starts with a story and is filled with the next ones.

    A share `tails` of the stories begins at a later sentence, so that the model can go on from a
    prompt that is no opening.
    """
    texts = []
    for text in stories:
        cuts = [i + 2 for i in range(len(text) - 200) if text[i] in ".!\"" and text[i + 1] == " "]
        if cuts and rng.random() < tails:
            text = text[rng.choice(cuts):]
        texts.append(text)
    rows, row = [], []
    for ids in tokenizer.encode(texts, num_threads=-1):
        row += [c.BOS] + ids + [c.EOS]
        if len(row) > c.CONTEXT:
            rows.append(np.array(row[:c.CONTEXT + 1], dtype=np.int16))
            row = []
    return torch.from_numpy(np.stack(rows))


def batch_loss(model, rows, device):
    rows = rows.to(device, non_blocking=True).long()
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda"):
        logits = model(rows[:, :-1])
    return F.cross_entropy(logits.float().reshape(-1, c.VOCAB), rows[:, 1:].reshape(-1))


@torch.no_grad()
def evaluate(model, rows, device, batch):
    losses = [batch_loss(model, part, device).item() for part in rows.split(batch)]
    return sum(losses) / len(losses)


@torch.no_grad()
def sample(model, tokenizer, prompt, device, temperature, rng, tokens=320):
    ids = [c.BOS] + tokenizer.encode(prompt)
    while len(ids) < min(c.CONTEXT, tokens):
        logits = model(torch.tensor([ids], device=device))[0, -1].float()
        if temperature == 0:
            token = int(logits.argmax())
        else:
            p = F.softmax(logits / temperature, dim=0).cpu().numpy().astype(np.float64)
            token = int(rng.choice(c.VOCAB, p=p / p.sum()))
        if token == c.EOS:
            return tokenizer.decode(ids[1:]) + " </s>"
        ids.append(token)
    return tokenizer.decode(ids[1:])


def learning_rate(step, steps, peak):
    warm = min(200, steps // 10 + 1)
    if step < warm:
        return peak * (step + 1) / warm
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm))))


def optimize(model, rows, held_out, args, device, log):
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}],
        lr=args.lr, betas=(0.9, 0.95), fused=device.type == "cuda")
    run = torch.compile(model) if args.compile else model
    rng = torch.Generator().manual_seed(args.seed)
    start = time.time()
    for step in range(args.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, args.steps, args.lr)
        # In the last part every other step sees the weights as q4_0 gives them back.
        model.quantize(step >= args.steps * (1 - args.q4_share) and step % 2 == 1)
        part = rows[torch.randint(len(rows), (args.batch,), generator=rng)]
        loss = batch_loss(run, part, device)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 250 == 0 or step + 1 == args.steps:
            print(f"step {step} loss {loss.item():.4f} {time.time() - start:.0f} s", flush=True)
    model.quantize(False)
    log["train_s"] = round(time.time() - start, 1)
    log["train_loss"] = round(loss.item(), 4)
    log["held_out_loss"] = round(evaluate(model, held_out, device, args.batch), 4)
    model.quantize(True)
    log["held_out_loss_q4_0"] = round(evaluate(model, held_out, device, args.batch), 4)
    model.quantize(False)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, default=200000)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--q4-share", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--compile", action="store_true", help="torch.compile (needs a C compiler)")
    parser.add_argument("--held-out", type=int, default=2000)
    parser.add_argument("-o", "--out", default="build/stories", type=pathlib.Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(args.seed)
    torch.backends.cuda.matmul.allow_tf32 = True

    start = time.time()
    processes = make_text.multiprocessing.cpu_count()
    stories = [s["text"] for s in make_text.make_stories(args.seed, args.stories, processes)]
    held_out = [s["text"] for s in
                make_text.make_stories(VALIDATION_SEED, args.held_out, processes)]
    print(f"{len(stories)} stories, {time.time() - start:.0f} s", flush=True)
    train_tokenizer(stories, args.out / "tokenizer.model")
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(args.out / "tokenizer.model"))
    rng = random.Random(args.seed)
    rows = pack(stories, tokenizer, rng, tails=0.15)
    held_rows = pack(held_out, tokenizer, rng, tails=0.0)
    print(f"{len(rows)} rows of {c.CONTEXT} tokens, {time.time() - start:.0f} s", flush=True)

    model = Llama().to(device)
    log = {"parameters": sum(p.numel() for p in model.parameters()), "stories": len(stories),
           "words": sum(len(s.split()) for s in stories), "rows": len(rows), "steps": args.steps,
           "tokens_seen": args.steps * args.batch * c.CONTEXT, "lr": args.lr, "seed": args.seed,
           "batch": args.batch, "q4_share": args.q4_share,
           "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
           "torch": torch.__version__}
    print(json.dumps(log), flush=True)
    optimize(model, rows, held_rows, args, device, log)
    np.savez(args.out / "model.npz", **{k: v.cpu().numpy() for k, v in model.state_dict().items()})
    (args.out / "train.json").write_text(json.dumps(log, indent=1) + "\n")
    print(json.dumps(log), flush=True)

    noise = np.random.default_rng(args.seed)
    for prompt in ("Once upon a time", "Lily and Tom", "One day, a little bear", "The little dog"):
        for temperature in (0, 0.8):
            print(f"--- {prompt!r} at {temperature}")
            print(sample(model, tokenizer, prompt, device, temperature, noise), flush=True)


if __name__ == "__main__":
    main()
