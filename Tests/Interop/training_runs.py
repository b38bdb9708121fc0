"""Small runs of AdamW on made-up gradients, saved as OLMo's trainer saves them."""

import pathlib

import torch
import yaml

from program import FIXTURES

VOCABULARY, ROWS, WIDTH, HIDDEN, BLOCKS = 60, 64, 16, 24, 2
BETAS, EPSILON, DECAY, LIMIT = (0.9, 0.95), 1e-8, 0.1, 1e4

EMBEDDING = "transformer.wte.weight"


def shapes():
    """The tensors of a model like OLMo 2, in the order of its state dict."""
    found = {EMBEDDING: (ROWS, WIDTH), "transformer.ln_f.weight": (WIDTH,)}
    for block in range(BLOCKS):
        at = f"transformer.blocks.{block}."
        found |= {
            at + "q_norm.weight": (WIDTH,), at + "attn_out.weight": (WIDTH, WIDTH),
            at + "ff_out.weight": (WIDTH, HIDDEN), at + "att_proj.weight": (3 * WIDTH, WIDTH),
            at + "ff_proj.weight": (2 * HIDDEN, WIDTH)}
    return found | {"transformer.ff_out.weight": (ROWS, WIDTH)}


class Run:
    """A run that saves a checkpoint at each of `steps`; faults change it on the way.

    `gradient(step, name, gradient)` changes gradients in place or returns None for none, `rate` is the
    learning rate, `saved(step, weights, state)` changes what is saved.
    """

    def __init__(self, folder, steps, gradient=None, rate=1e-3, epsilon=EPSILON, saved=None):
        generator = torch.Generator().manual_seed(3)
        weights = {
            name: torch.nn.Parameter(
                torch.ones(shape) if len(shape) == 1
                else torch.randn(shape, generator=generator) * 0.02)
            for name, shape in shapes().items()}
        optimizer = torch.optim.AdamW(
            weights.values(), lr=rate, betas=BETAS, eps=epsilon, weight_decay=DECAY, foreach=False)
        self.folder = pathlib.Path(folder)
        self.checkpoints = []
        for step in range(max(steps) + 1):
            if step > 0:
                for name, weight in weights.items():
                    weight.grad = torch.randn(weight.shape, generator=generator) * 1e-3
                    if name == EMBEDDING:
                        weight.grad[VOCABULARY:] = 0
                    if gradient and gradient(step, name, weight.grad) is False:
                        weight.grad = None
                for group in optimizer.param_groups:
                    group["lr"] = rate(step) if callable(rate) else rate
                optimizer.step()
            if step in steps:
                self.save(step, weights, optimizer, saved)

    def save(self, step, weights, optimizer, saved):
        tensors = {name: weight.detach().clone() for name, weight in weights.items()}
        state = {
            name: {key: value.detach().clone() for key, value in optimizer.state[weight].items()}
            for name, weight in weights.items() if weight in optimizer.state}
        if saved:
            saved(step, tensors, state)
        group = {
            key: value for key, value in optimizer.param_groups[0].items() if key != "params"}
        group |= {"params": list(weights), "param_names": list(weights), "max_grad_norm": LIMIT}
        directory = self.folder / f"step{step}-unsharded"
        directory.mkdir(parents=True)
        torch.save(tensors, directory / "model.pt")
        torch.save({"state": state, "param_groups": [group]}, directory / "optim.pt")
        torch.save({"global_step": step}, directory / "train.pt")
        (directory / "config.yaml").write_text(yaml.safe_dump(configuration(), sort_keys=False))
        self.checkpoints.append(directory)


def configuration():
    """OLMo's configuration of a fixture, with the numbers that statistics are judged by."""
    found = yaml.safe_load((FIXTURES / "olmo2-fsdp/step6-unsharded/config.yaml").read_text())
    found["model"] |= {"vocab_size": VOCABULARY, "embedding_size": ROWS}
    found["max_grad_norm"] = LIMIT
    return found
