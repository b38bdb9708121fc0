"""The measures of `ckptconv stats` by NumPy or PyTorch: statistics_peer.py numpy|torch MODEL OPTIM

Both files are mapped, and taken in chunks of a million elements in double precision: for the weights and
moments counts, extremes, four central moments and a histogram of exponents, for matrices the norms of rows
and columns, and for each parameter the update that Adam makes next. It prints the norms.
"""

import math
import sys

import numpy
import torch

CHUNK = 1 << 20


def chunks(tensor):
    """The chunks of a tensor as flat arrays; those of a matrix are whole rows."""
    rows = max(CHUNK // tensor.shape[-1], 1) if tensor.dim() == 2 else CHUNK
    return (tensor[start:start + rows] for start in range(0, len(tensor), rows))


class Moments:
    """Central moments, merged chunk by chunk (Pébay 2008)."""

    def __init__(self):
        self.count, self.mean, self.sums = 0, 0.0, (0.0, 0.0, 0.0)

    def add(self, count, mean, second, third, fourth):
        total, distance = self.count + count, mean - self.mean
        a, b, n = self.count, count, total
        m2, m3, m4 = self.sums
        self.sums = (
            m2 + second + distance**2 * a * b / n,
            m3 + third + distance**3 * a * b * (a - b) / n**2
            + 3 * distance * (a * second - b * m2) / n,
            m4 + fourth + distance**4 * a * b * (a * a - a * b + b * b) / n**3
            + 6 * distance**2 * (a * a * second + b * b * m2) / n**2
            + 4 * distance * (a * third - b * m3) / n)
        self.mean += distance * b / n
        self.count = total


def numpy_tensor(tensor):
    moments, histogram = Moments(), numpy.zeros(4096, numpy.int64)
    zeros = broken = 0
    low, high, least, size = math.inf, -math.inf, math.inf, 0.0
    rows, columns = [], 0.0
    for chunk in chunks(tensor):
        values = chunk.numpy().astype(numpy.float64)
        sizes = numpy.abs(values)
        zeros += int((values == 0).sum())
        broken += int((~numpy.isfinite(values)).sum())
        low, high = min(low, values.min()), max(high, values.max())
        nonzero = sizes[sizes > 0]
        if nonzero.size:
            least = min(least, nonzero.min())
            histogram += numpy.bincount(numpy.frexp(nonzero)[1] + 2048, minlength=4096)
        size += sizes.sum()
        mean = values.mean()
        distances = values - mean
        squares = distances * distances
        moments.add(
            values.size, mean, squares.sum(), (squares * distances).sum(), (squares * squares).sum())
        if values.ndim == 2:
            powers = values * values
            rows.append(powers.sum(1))
            columns = columns + powers.sum(0)
    if rows:
        numpy.sqrt(numpy.concatenate(rows)).max(), numpy.sqrt(columns).max()
    return math.sqrt(moments.sums[0] + moments.count * moments.mean**2)


def torch_tensor(tensor):
    moments, histogram = Moments(), torch.zeros(4096, dtype=torch.int64)
    zeros = broken = 0
    low, high, least, size = math.inf, -math.inf, math.inf, 0.0
    rows, columns = [], 0.0
    for chunk in chunks(tensor):
        values = chunk.double()
        sizes = values.abs()
        zeros += int((values == 0).sum())
        broken += int((~values.isfinite()).sum())
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        nonzero = sizes[sizes > 0]
        if nonzero.numel():
            least = min(least, float(nonzero.min()))
            histogram += torch.bincount(torch.frexp(nonzero)[1] + 2048, minlength=4096)
        size += float(sizes.sum())
        mean = float(values.mean())
        distances = values - mean
        squares = distances * distances
        moments.add(
            values.numel(), mean, float(squares.sum()), float((squares * distances).sum()),
            float((squares * squares).sum()))
        if values.dim() == 2:
            powers = values * values
            rows.append(powers.sum(1))
            columns = columns + powers.sum(0)
    if rows:
        torch.cat(rows).sqrt().max(), columns.sqrt().max()
    return math.sqrt(moments.sums[0] + moments.count * moments.mean**2)


def numpy_update(first, second, step, group):
    beta1, beta2 = group["betas"]
    gradients = updates = below = 0.0
    for m, v in zip(chunks(first), chunks(second)):
        m = m.numpy().astype(numpy.float64) / (1 - beta1**step)
        v = v.numpy().astype(numpy.float64) / (1 - beta2**step)
        roots = numpy.sqrt(v)
        gradients += v.sum()
        updates += ((m / (roots + group["eps"])) ** 2).sum()
        below += (roots < group["eps"]).sum()
    return math.sqrt(gradients), math.sqrt(updates)


def torch_update(first, second, step, group):
    beta1, beta2 = group["betas"]
    gradients = updates = below = 0.0
    for m, v in zip(chunks(first), chunks(second)):
        m, v = m.double() / (1 - beta1**step), v.double() / (1 - beta2**step)
        roots = v.sqrt()
        gradients += float(v.sum())
        updates += float(((m / (roots + group["eps"])) ** 2).sum())
        below += int((roots < group["eps"]).sum())
    return math.sqrt(gradients), math.sqrt(updates)


def main(library, model, optim):
    torch.set_num_threads(2)
    measure, update = {
        "numpy": (numpy_tensor, numpy_update), "torch": (torch_tensor, torch_update)}[library]
    weights = torch.load(model, mmap=True, weights_only=True)
    optimizer = torch.load(optim, mmap=True, weights_only=True)
    group = optimizer["param_groups"][0]
    for name, tensor in weights.items():
        state = optimizer["state"][name]
        norms = [measure(part) for part in (tensor, state["exp_avg"], state["exp_avg_sq"])]
        changes = update(state["exp_avg"], state["exp_avg_sq"], float(state["step"]), group)
        print(name, *norms, *changes)


main(*sys.argv[1:])
