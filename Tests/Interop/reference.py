"""What torch finds in a `.pt` file: the truth that ckptconv's output is compared with."""

import pickle
import types

import torch

import vocabulary


class Unpickler(pickle.Unpickler):
    """Python's own unpickler with stand-ins for the classes that are not installed."""

    def find_class(self, module, name):
        return vocabulary.resolve_any_era(module, name)


PICKLE = types.SimpleNamespace(__name__="reference", Unpickler=Unpickler, load=pickle.load)


def load(path):
    """The object as `torch.load` gives it, on the CPU."""
    return torch.load(path, map_location="cpu", weights_only=False, pickle_module=PICKLE)
