"""The Llama architecture as llama.cpp runs it: RMSNorm, rotary pairs (2i, 2i+1), GQA, SwiGLU.

Query and key rows stay in the order of the original Llama, which is GGUF's, so nothing is permuted.
The output projection is the token embedding.
"""
import torch
import torch.nn.functional as F
from torch import nn

import config as c


def fake_q4_0(w):
    """The weights as q4_0 would give them back; the gradient passes as if nothing was rounded."""
    with torch.no_grad():
        blocks = w.detach().float().reshape(-1, 32)
        at = blocks.abs().argmax(dim=1, keepdim=True)
        d = blocks.gather(1, at) / -8
        inverse = torch.where(d == 0, torch.zeros_like(d), 1 / d)
        q = torch.clamp(torch.floor(blocks * inverse + 8.5), 0, 15) - 8
        rounded = (q * d.half().float()).reshape(w.shape)
    return w + (rounded - w).detach()


class Matrix(nn.Module):
    def __init__(self, rows, cols, std):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(rows, cols) * std)
        self.quantized = False

    def value(self):
        return fake_q4_0(self.weight) if self.quantized else self.weight

    def forward(self, x):
        return F.linear(x, self.value())


class RmsNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        x32 = x.float()
        x32 = x32 * torch.rsqrt(x32.pow(2).mean(-1, keepdim=True) + c.NORM_EPS)
        return (x32 * self.weight).to(x.dtype)


def rotate(x, cos, sin):
    """x: [batch, heads, tokens, head_dim]; cos, sin: [tokens, head_dim / 2]."""
    even, odd = x.float()[..., 0::2], x.float()[..., 1::2]
    turned = torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1)
    return turned.flatten(-2).to(x.dtype)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        std, out_std = 0.02, 0.02 / (2 * c.LAYERS) ** 0.5
        self.attn_norm = RmsNorm(c.DIM)
        self.attn_q = Matrix(c.DIM, c.DIM, std)
        self.attn_k = Matrix(c.KV_HEADS * c.HEAD_DIM, c.DIM, std)
        self.attn_v = Matrix(c.KV_HEADS * c.HEAD_DIM, c.DIM, std)
        self.attn_output = Matrix(c.DIM, c.DIM, out_std)
        self.ffn_norm = RmsNorm(c.DIM)
        self.ffn_gate = Matrix(c.FFN, c.DIM, std)
        self.ffn_up = Matrix(c.FFN, c.DIM, std)
        self.ffn_down = Matrix(c.DIM, c.FFN, out_std)

    def forward(self, x, cos, sin):
        batch, tokens, _ = x.shape
        h = self.attn_norm(x)
        q = self.attn_q(h).view(batch, tokens, c.HEADS, c.HEAD_DIM).transpose(1, 2)
        k = self.attn_k(h).view(batch, tokens, c.KV_HEADS, c.HEAD_DIM).transpose(1, 2)
        v = self.attn_v(h).view(batch, tokens, c.KV_HEADS, c.HEAD_DIM).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        group = c.HEADS // c.KV_HEADS
        k, v = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn_output(a.transpose(1, 2).reshape(batch, tokens, c.DIM))
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


class Llama(nn.Module):
    def __init__(self):
        super().__init__()
        self.token_embd = Matrix(c.VOCAB, c.DIM, 0.02)
        self.blk = nn.ModuleList(Layer() for _ in range(c.LAYERS))
        self.output_norm = RmsNorm(c.DIM)
        angle = torch.outer(torch.arange(c.CONTEXT).float(),
                            c.ROPE_BASE ** (-torch.arange(0, c.HEAD_DIM, 2).float() / c.HEAD_DIM))
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def quantize(self, on):
        for m in self.modules():
            if isinstance(m, Matrix):
                m.quantized = on

    def forward(self, ids):
        """ids [batch, tokens] -> logits [batch, tokens, vocab]."""
        tokens = ids.shape[1]
        table = self.token_embd.value()
        x = F.embedding(ids, table)
        for layer in self.blk:
            x = layer(x, self.cos[:tokens], self.sin[:tokens])
        return F.linear(self.output_norm(x), table)
