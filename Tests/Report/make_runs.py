"""Runs to make reports of: a small one, a large one, and one with hostile names."""

import base64
import json
import math
import random
import struct

# Names are text from files that nobody trusts.
HOSTILE = [
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "'\"&<>", "a]]>b",
    "\u202eevil", "x" * 300, "javascript:alert(1)", "{{7*7}}", "\x00\x1b[31m", "é漢字🙂"]


def statistics(folder, steps, tensors, optimizer=True):
    """Writes files as `ckptconv stats -o` does, with made-up numbers for (name, role, block, shape)."""
    folder.mkdir(parents=True)
    generator = random.Random(5)
    for number, step in enumerate(steps):
        rows, updates = [], []
        for index, (name, role, block, shape) in enumerate(tensors):
            elements = math.prod(shape)
            rms = 0.02 * (1 + 0.5 * number / len(steps)) * (1 + 0.1 * math.sin(index))
            rms *= 1 + 0.01 * generator.random()
            rows.append({
                "name": name, "part": "model", "role": role, "block": block, "dtype": "float32",
                "shape": shape, "elements": elements, "zeros": 0, "nan": 0, "inf": 0,
                "first_not_finite": None, "subnormal": 0, "at_limit": 0, "min": -5 * rms,
                "max": 5 * rms, "absmin": rms * 1e-6, "mean": 0.0, "mean_abs": rms * 0.8,
                "std": rms, "rms": rms, "norm": rms * math.sqrt(elements),
                "kurtosis": 3 + 9 * generator.random() if number == len(steps) // 2 else 3.1,
                "histogram": {"first": -12, "counts": [1, 4, 9, 30, 90, 200, 300, 120, 9]},
                "rows": None, "columns": None, "crc32": 1000 * number + index}
                # Distances follow from the tensors that have sketches; four are enough here.
                | ({"sketch": sketch(number, index)} if index < 4 else {}))
            if optimizer:
                gradient = 1e-4 / (1 + number) * (30 if number == len(steps) // 2 else 1)
                updates.append({
                    "name": name, "role": role, "block": block, "step": step, "lr": 4e-4,
                    "beta1": 0.9, "beta2": 0.95, "eps": 1e-8, "weight_decay": 0.1,
                    "elements": elements, "used": elements,
                    "grad_norm": gradient * math.sqrt(elements), "grad_rms": gradient,
                    "update_norm": 0.22 * math.sqrt(elements),
                    "update_rms": 0.2 + 0.05 * generator.random(), "update_absmax": 1.0,
                    "relative_update": 4e-4 * 0.22 / rms, "coherence": 0.05, "below_eps": 0,
                    "v_zero": 0, "v_zero_m_nonzero": 0, "v_negative": 0, "over_bound": 0,
                    "rows_without_update": 0, "rows_without_update_ranges": []})
        checkpoint = {
            "kind": "checkpoint", "version": 1, "path": f"runs/made-up/step{step}-unsharded",
            "step": step, "files": [], "vocab_size": 1000, "max_grad_norm": 1.0,
            "optimizer": {"name": "adamw", "groups": [{
                "step": step, "lr": 4e-4, "beta1": 0.9, "beta2": 0.95, "eps": 1e-8,
                "weight_decay": 0.1}] if optimizer else []},
            "tensors": rows, "adam": updates}
        path = folder / f"step{step}-unsharded.stats.json"
        path.write_text(json.dumps(checkpoint, separators=(",", ":")))
    return folder


def sketch(number, index):
    """Sums that drift away from those of the first checkpoint."""
    generator = random.Random(index)
    numbers = [
        generator.gauss(0, 1) + 0.05 * number * generator.gauss(0, 1) for _ in range(256)]
    return base64.b64encode(struct.pack("<256d", *numbers)).decode()


def model(blocks, width=64):
    """The tensors of a model like OLMo 2."""
    tensors = [("transformer.wte.weight", "embedding", None, [1000, width]),
               ("transformer.ln_f.weight", "norm", None, [width])]
    kinds = [("att_proj", "attention", [3 * width, width]), ("attn_out", "attention", [width, width]),
             ("ff_proj", "mlp", [8 * width, width]), ("ff_out", "mlp", [width, 4 * width]),
             ("q_norm", "norm", [width]), ("k_norm", "norm", [width]),
             ("attn_norm", "norm", [width]), ("ff_norm", "norm", [width])]
    for block in range(blocks):
        tensors += [(f"transformer.blocks.{block}.{kind}.weight", role, block, shape)
                    for kind, role, shape in kinds]
    return tensors + [("transformer.ff_out.weight", "head", None, [1000, width])]


def hostile_model():
    return [(name, "mlp", number % 2, [8, 64 + number]) for number, name in enumerate(
        f"blocks.{number % 2}.{name}" for number, name in enumerate(HOSTILE))]


def large_model():
    """387 tensors: a third more than a model of 32 billion parameters has."""
    return model(48)
