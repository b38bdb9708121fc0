"""Trains a tiny language model and keeps the statistics of eight checkpoints: stats_run.py CKPTCONV DIR

Names and files are those of OLMo's trainer. At step 130 one batch has a learning rate that is forty
times too high, so that the statistics have something to tell. Written with torch 2.13.0.
"""

import csv
import math
import pathlib
import subprocess
import sys
import tempfile

import torch
from torch import nn
from torch.nn import functional

VOCABULARY, WIDTH, BLOCKS, HEADS, LENGTH = 96, 32, 3, 2, 24
STEPS, EVERY, SPIKE = 240, 30, 130


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.att_proj = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.attn_out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.ff_proj = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.ff_out = nn.Linear(2 * WIDTH, WIDTH, bias=False)
        self.attn_norm = nn.RMSNorm(WIDTH)
        self.ff_norm = nn.RMSNorm(WIDTH)

    def forward(self, x):
        batch, length, _ = x.shape
        q, k, v = (
            part.view(batch, length, HEADS, -1).transpose(1, 2)
            for part in self.att_proj(self.attn_norm(x)).chunk(3, -1))
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attn_out(mixed.transpose(1, 2).reshape(batch, length, WIDTH))
        gate, up = self.ff_proj(self.ff_norm(x)).chunk(2, -1)
        return x + self.ff_out(functional.silu(gate) * up)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.transformer = nn.ModuleDict({
            "wte": nn.Embedding(VOCABULARY, WIDTH),
            "blocks": nn.ModuleList(Block() for _ in range(BLOCKS)),
            "ln_f": nn.RMSNorm(WIDTH),
            "ff_out": nn.Linear(WIDTH, VOCABULARY, bias=False)})
        for parameter in self.parameters():
            if parameter.ndim == 2:
                nn.init.normal_(parameter, std=0.05)

    def forward(self, tokens):
        x = self.transformer["wte"](tokens)
        for block in self.transformer["blocks"]:
            x = block(x)
        return self.transformer["ff_out"](self.transformer["ln_f"](x))


def batches(generator):
    """Random walks over the tokens: the next one is one of three."""
    successors = torch.randint(0, VOCABULARY, (VOCABULARY, 3), generator=generator)
    while True:
        tokens = [torch.randint(0, VOCABULARY, (16,), generator=generator)]
        for _ in range(LENGTH):
            choice = torch.randint(0, 3, (16,), generator=generator)
            tokens.append(successors[tokens[-1], choice])
        yield torch.stack(tokens, 1)


def save(folder, model, optimizer, step):
    folder.mkdir()
    names = {parameter: name for name, parameter in model.named_parameters()}
    torch.save(model.state_dict(), folder / "model.pt")
    group = {key: value for key, value in optimizer.param_groups[0].items() if key != "params"}
    torch.save(
        {"state": {names[p]: state for p, state in optimizer.state.items()},
         "param_groups": [group | {"params": list(names.values())}]}, folder / "optim.pt")
    torch.save({"global_step": step}, folder / "train.pt")
    (folder / "config.yaml").write_text(
        f"max_grad_norm: 1.0\noptimizer:\n  name: adamw\nmodel:\n  vocab_size: {VOCABULARY}\n")


def main(ckptconv, target):
    torch.manual_seed(1)
    torch.set_num_threads(1)
    model = Model()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=4e-3, betas=(0.9, 0.95), weight_decay=0.1, foreach=False)
    rows = []
    with tempfile.TemporaryDirectory() as place:
        run = pathlib.Path(place) / "run"
        run.mkdir()
        data = batches(torch.Generator().manual_seed(2))
        for step in range(1, STEPS + 1):
            tokens = next(data)
            logits = model(tokens[:, :-1])
            loss = functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            rate = 4e-3 * min(step / 20, 0.5 * (1 + math.cos(math.pi * step / STEPS)) + 0.1)
            optimizer.param_groups[0]["lr"] = rate * (40 if step == SPIKE else 1)
            optimizer.step()
            optimizer.param_groups[0]["lr"] = rate
            rows.append((step, round(loss.item(), 5)))
            if step % EVERY == 0:
                save(run / f"step{step}-unsharded", model, optimizer, step)
        target.mkdir(parents=True)
        subprocess.run(
            [ckptconv, "stats", "--quiet", "--fail-on", "never", "run", "-o", target.resolve()],
            cwd=place, check=True)
    # The journal is of no use without the checkpoints.
    for path in sorted(target.glob(".ckptconv-batch/*")):
        path.unlink()
    (target / ".ckptconv-batch").rmdir()
    with open(target / "metrics.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["step", "loss"])
        writer.writerows(rows)


main(str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]))
