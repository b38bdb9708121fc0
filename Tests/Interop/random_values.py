"""Random nested state dicts: what no one thought of, reproducible by its seed."""

import collections
import pathlib

import numpy as np
import torch

DEEPEST = 5
WORDS = ["lr", "betas", "weight", "a", "", "é", "state", "0", "x" * 300, "\n\x00", "漢字"]


class Maker:
    """Makes values of which some occur in several places, as objects in checkpoints do."""

    def __init__(self, rng):
        self.rng = rng
        self.made = []

    def state_dict(self):
        return {self.key(): self.entry(1) for _ in range(self.rng.randrange(1, 12))}

    def entry(self, depth):
        """A value of the nested dict, which may be a tensor; inside a leaf there are none."""
        choice = self.rng.randrange(10)
        if choice < 3:
            shape = [self.rng.randrange(4) for _ in range(self.rng.randrange(3))]
            return torch.randn(shape)
        if choice < 5 and depth < DEEPEST:
            kind = self.rng.choice([dict, collections.OrderedDict])
            count = self.rng.randrange(5)
            return kind((self.key(), self.entry(depth + 1)) for _ in range(count))
        return self.value(depth)

    def value(self, depth):
        if self.made and self.rng.random() < 0.25:
            return self.rng.choice(self.made)
        value = self.container(depth) if depth < DEEPEST else self.hashable()
        self.made.append(value)
        return value

    def container(self, depth):
        count = self.rng.choice([0, 1, 1, 2, 3, 4, 7])
        values = [self.value(depth + 1) for _ in range(count)]
        keys = [self.key() for _ in range(count)]
        return self.rng.choice([
            lambda: values, lambda: tuple(values), lambda: dict(zip(keys, values)),
            lambda: collections.OrderedDict(zip(keys, values)), lambda: set(keys[:1]),
            lambda: frozenset(keys[:1]), lambda: collections.Counter(keys),
            lambda: collections.defaultdict(list, zip(keys, ([value] for value in values))),
            lambda: collections.deque(values, self.rng.choice([None, 9])),
            lambda: np.zeros(count, self.rng.choice(["u1", "<i4", "<f8", "?"])),
            lambda: bytearray(count), self.hashable, self.hashable,
        ])()

    def hashable(self):
        number = self.rng.choice([0, 1, 255, 256, 2**16, 2**31, 2**40, 2**64, 2**300])
        return self.rng.choice([
            lambda: None, lambda: self.rng.choice([True, False]), lambda: number, lambda: -number,
            lambda: self.rng.random(), lambda: self.word(), lambda: self.word(),
            lambda: self.rng.randbytes(self.rng.choice([0, 1, 2, 300])),
            # A path interns its parts: which equal strings those are depends on the process.
            lambda: pathlib.PosixPath("/runs", f"step{self.rng.randrange(9)}"),
            lambda: complex(self.rng.random(), 1), lambda: torch.float16, lambda: np.float32(1.5),
        ])()

    def word(self):
        word = self.rng.choice(WORDS)
        # Half of the time another object of the same text.
        return word if self.rng.random() < 0.5 else "".join(list(word))

    def key(self):
        return self.rng.choice([
            self.word, self.word, self.word, lambda: self.rng.randrange(-2, 300),
            lambda: (self.word(), self.rng.randrange(3)), lambda: None, lambda: True,
        ])()
