"""Classes of a user's own, nested in another, of every kind that pickles differently."""

import collections
import dataclasses
import enum
import types

import torch


class Outer:
    @dataclasses.dataclass
    class Config:
        lr: float = 1e-3

    Pair = collections.namedtuple("Pair", "x y")
    Pair.__qualname__ = "Outer.Pair"

    class Mode(enum.Enum):
        TRAIN = 1

    class Flag(enum.IntFlag):
        A = 1
        B = 2

    class Items(list):
        pass

    class Table(dict):
        pass

    class Slots:
        __slots__ = ("a", "b")

    class Named:
        """Made by keywords: NEWOBJ_EX from protocol 4 on."""

        def __new__(cls, *, size):
            made = super().__new__(cls)
            made.size = size
            return made

        def __getnewargs_ex__(self):
            return (), {"size": self.size}

    class Reduced:
        def __init__(self, value):
            self.value = value

        def __reduce__(self):
            return Outer.Reduced, (self.value,)

    class Inner:
        class Innermost(torch.nn.Linear):
            pass

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.head = Outer.Inner.Innermost(2, 2)

    @classmethod
    def load(cls):
        return cls()

    def run(self):
        return self


def nested():
    """One instance of each, with a tensor beside them."""
    items = Outer.Items([1, torch.ones(2)])
    table = Outer.Table(a=1)
    slots = Outer.Slots()
    slots.a, slots.b = 1, "b"
    return {
        "config": Outer.Config(), "pair": Outer.Pair(1, torch.zeros(2)), "mode": Outer.Mode.TRAIN,
        "flag": Outer.Flag.A | Outer.Flag.B, "items": items, "table": table, "slots": slots,
        "reduced": Outer.Reduced((1, 2)), "class": Outer.Inner.Innermost, "function": Outer.load,
        "net": Outer.Net(), "w": torch.arange(3.0),
    }


def module_of_the_user(name):
    """A module `name` of a user's own with a class in it, whatever the standard library has."""
    module = types.ModuleType(name)

    class Net(torch.nn.Linear):
        pass

    Net.__module__, Net.__qualname__ = name, "Net"
    module.Net = Net
    return module
