"""Sizes of the model; every matrix row is a multiple of 32 long, so that q4_0 fits all of them."""

VOCAB = 1536
DIM = 192
LAYERS = 5
HEADS = 6
KV_HEADS = 3
HEAD_DIM = DIM // HEADS
FFN = 416
CONTEXT = 512
NORM_EPS = 1e-5
ROPE_BASE = 10000.0
UNK, BOS, EOS = 0, 1, 2
