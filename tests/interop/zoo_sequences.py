"""Models of sequences, as people write them with torch.nn, small."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import nn


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, 4, padding_idx=0)
        self.lstm = nn.LSTM(4, 3, num_layers=2, bidirectional=True, batch_first=True, dropout=0.2)
        self.fc = nn.Linear(6, 5)

    def forward(self, tokens):
        out, _ = self.lstm(self.embedding(tokens))
        return self.fc(out)


class GRUClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 4, batch_first=True)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        _, h = self.gru(x)
        return self.fc(h[-1])


class RNNLanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Embedding(9, 4)
        self.rnn = nn.RNN(4, 4, nonlinearity="relu", batch_first=True)
        self.decoder = nn.Linear(4, 9)
        self.decoder.weight = self.encoder.weight

    def forward(self, tokens, hidden):
        out, hidden = self.rnn(self.encoder(tokens), hidden.transpose(0, 1).contiguous())
        return F.log_softmax(self.decoder(out), -1), hidden


class CellLoop(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(3, 4)
        self.gru = nn.GRUCell(4, 2)

    def forward(self, x):
        h = x.new_zeros(x.size(0), 4)
        c = torch.zeros(x.size(0), 4, dtype=x.dtype)
        g = torch.zeros(x.shape[0], 2).to(x)
        for step in range(x.size(1)):
            h, c = self.cell(x[:, step], (h, c))
            g = self.gru(h, g)
        return g, h


class PositionalEncoding(nn.Module):
    def __init__(self, width, longest=12):
        super().__init__()
        position = torch.arange(longest).unsqueeze(1)
        rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
        table = torch.zeros(1, longest, width)
        table[0, :, 0::2] = torch.sin(position * rate)
        table[0, :, 1::2] = torch.cos(position * rate)
        self.register_buffer("pe", table)

    def forward(self, x):
        return x + self.pe[:, : x.size(1)]


class PostNormEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 8)
        self.position = PositionalEncoding(8)
        layer = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, tokens):
        padding = tokens == 0
        x = self.position(self.embedding(tokens) * math.sqrt(8))
        return self.encoder(x, src_key_padding_mask=padding)


class PreNormEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            6, 2, 12, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(6), enable_nested_tensor=False)

    def forward(self, x):
        return self.encoder(x).mean(dim=1)


class Seq2Seq(nn.Module):
    def __init__(self):
        super().__init__()
        self.source, self.target = nn.Embedding(9, 6), nn.Embedding(8, 6)
        self.transformer = nn.Transformer(6, 2, 1, 1, 10, dropout=0.0, batch_first=True)
        self.generator = nn.Linear(6, 8)

    def forward(self, source, target):
        mask = nn.Transformer.generate_square_subsequent_mask(target.size(1))
        mask = mask.to(self.generator.weight.dtype)
        out = self.transformer(self.source(source), self.target(target), tgt_mask=mask)
        return self.generator(out)


class CausalAttention(nn.Module):
    def __init__(self, width, heads, longest, by_hand, dropout):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.heads, self.by_hand, self.dropout = heads, by_hand, dropout
        self.drop = nn.Dropout(dropout)
        mask = torch.tril(torch.ones(longest, longest)).view(1, 1, longest, longest)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.qkv(x).split(C, dim=2)
        q, k, v = (
            each.view(B, T, self.heads, C // self.heads).transpose(1, 2) for each in (q, k, v)
        )
        if self.by_hand:
            att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
            att = att.masked_fill(self.mask[:, :, :T, :T] == 0, float("-inf"))
            y = self.drop(F.softmax(att, dim=-1)) @ v
        else:
            p = self.dropout if self.training else 0
            y = F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)
        return self.proj(y.transpose(1, 2).contiguous().view(B, T, C))


class GPTBlock(nn.Module):
    def __init__(self, width, heads, longest, by_hand, dropout):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width, bias=False)
        self.attn = CausalAttention(width, heads, longest, by_hand, dropout)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width),
            nn.GELU(approximate="tanh"),
            nn.Linear(2 * width, width),
            nn.Dropout(dropout),
        )

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self, by_hand=False, dropout=0.1, width=8, heads=2, depth=2, vocab=11, longest=6):
        super().__init__()
        blocks = [GPTBlock(width, heads, longest, by_hand, dropout) for _ in range(depth)]
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(vocab, width),
                "wpe": nn.Embedding(longest, width),
                "h": nn.ModuleList(blocks),
                "ln_f": nn.LayerNorm(width),
            }
        )
        self.lm_head = nn.Linear(width, vocab, bias=False)
        self.transformer.wte.weight = self.lm_head.weight

    def forward(self, idx):
        pos = torch.arange(0, idx.size(1), dtype=torch.long, device=idx.device)
        x = self.transformer.wte(idx) + self.transformer.wpe(pos)
        for block in self.transformer.h:
            x = block(x)
        return self.lm_head(self.transformer.ln_f(x))


class RMSNorm(nn.Module):
    def __init__(self, width, eps=1e-5):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


def rotate(x, cos, sin):
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


class LlamaBlock(nn.Module):
    def __init__(self, width=8, heads=4, shared=2):
        super().__init__()
        size = width // heads
        self.heads, self.shared, self.size = heads, shared, size
        self.wq = nn.Linear(width, width, bias=False)
        self.wk = nn.Linear(width, shared * size, bias=False)
        self.wv = nn.Linear(width, shared * size, bias=False)
        self.wo = nn.Linear(width, width, bias=False)
        self.w1, self.w3 = (nn.Linear(width, 12, bias=False) for _ in range(2))
        self.w2 = nn.Linear(12, width, bias=False)
        self.norm1, self.norm2 = RMSNorm(width), nn.RMSNorm(width, eps=1e-5)

    def forward(self, x, cos, sin):
        b, t, _ = x.shape
        y = self.norm1(x)
        q = rotate(self.wq(y).view(b, t, self.heads, self.size).transpose(1, 2), cos, sin)
        k = rotate(self.wk(y).view(b, t, self.shared, self.size).transpose(1, 2), cos, sin)
        v = self.wv(y).view(b, t, self.shared, self.size).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + self.wo(y.transpose(1, 2).reshape(b, t, -1))
        y = self.norm2(x)
        return x + self.w2(F.silu(self.w1(y)) * self.w3(y))


class Llama(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok_embeddings = nn.Embedding(10, 8)
        self.layers = nn.ModuleList([LlamaBlock() for _ in range(2)])
        self.norm = RMSNorm(8)
        self.output = nn.Linear(8, 10, bias=False)

    def forward(self, tokens):
        t = torch.arange(tokens.shape[1]).to(self.norm.weight)
        angles = torch.outer(t, 1.0 / (10000 ** (torch.arange(0, 2, 2).to(t) / 2)))
        cos, sin = (torch.cat([f(angles)] * 2, -1) for f in (torch.cos, torch.sin))
        x = self.tok_embeddings(tokens)
        for layer in self.layers:
            x = layer(x, cos, sin)
        return self.output(self.norm(x))


class TextCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(12, 4)
        self.convs = nn.ModuleList([nn.Conv1d(4, 3, size) for size in (2, 3)])
        self.dropout, self.fc = nn.Dropout(0.5), nn.Linear(6, 2)

    def forward(self, tokens):
        x = self.embedding(tokens).permute(0, 2, 1)
        x = [F.relu(conv(x)).max(dim=2)[0] for conv in self.convs]
        return self.fc(self.dropout(torch.cat(x, dim=1)))


class Audio(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(1, 4, 5, stride=2)
        self.bn1 = nn.BatchNorm1d(4)
        self.pool = nn.MaxPool1d(2)
        self.conv2 = nn.Conv1d(4, 4, 3, dilation=2, padding=2)
        self.up = nn.ConvTranspose1d(4, 2, 4, stride=2, padding=1)

    def forward(self, x):
        x = self.pool(F.relu(self.bn1(self.conv1(x))))
        return self.up(F.avg_pool1d(F.leaky_relu(self.conv2(x), 0.1), 2))


class MaskedAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(
            6, 3, dropout=0.1, batch_first=True, add_bias_kv=True
        )
        self.cross = nn.MultiheadAttention(6, 2, kdim=4, vdim=5, batch_first=True)

    def forward(self, x, key, value, padding):
        y, weights = self.attention(x, x, x, key_padding_mask=padding)
        z, _ = self.cross(y, key, value, need_weights=False)
        return z, weights


def tokens(n, length, count):
    return torch.randint(count, (n, length))


SEQUENCES = {
    "lstm tagger": (Tagger, lambda n: (tokens(n, 4, 11),)),
    "gru classifier": (GRUClassifier, lambda n: (torch.randn(n, 5, 3),)),
    "rnn language model": (RNNLanguageModel, lambda n: (tokens(n, 4, 9), torch.randn(n, 1, 4))),
    "loop over cells": (CellLoop, lambda n: (torch.randn(n, 3, 3),)),
    "encoder, post-norm, padded": (PostNormEncoder, lambda n: (tokens(n, 5, 10).clamp(min=1),)),
    "encoder, pre-norm": (PreNormEncoder, lambda n: (torch.randn(n, 4, 6),)),
    "seq2seq": (Seq2Seq, lambda n: (tokens(n, 5, 9), tokens(n, 4, 8))),
    "gpt": (GPT, lambda n: (tokens(n, 5, 11),)),
    "gpt by hand": (lambda: GPT(True), lambda n: (tokens(n, 5, 11),)),
    "llama": (Llama, lambda n: (tokens(n, 5, 10),)),
    "text cnn": (TextCNN, lambda n: (tokens(n, 6, 12),)),
    "audio": (Audio, lambda n: (torch.randn(n, 1, 23),)),
    "masked attention": (
        MaskedAttention,
        lambda n: (
            torch.randn(n, 4, 6),
            torch.randn(n, 3, 4),
            torch.randn(n, 3, 5),
            torch.arange(4) >= torch.randint(2, 5, (n, 1)),
        ),
    ),
}
"""The models by name: how to make one, and inputs for a batch."""
