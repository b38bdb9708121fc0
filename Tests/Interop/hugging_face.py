"""transformers as the judge of folders that ckptconv writes."""

import json

import safetensors.torch
import torch
import transformers
from transformers import AutoModelForCausalLM

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()


VERSION = tuple(int(part) for part in transformers.__version__.split(".")[:2])


def load(folder, **arguments):
    """The model in a folder; fails where transformers misses a tensor or has one too many."""
    arguments["dtype" if VERSION >= (4, 56) else "torch_dtype"] = torch.float32
    model, info = AutoModelForCausalLM.from_pretrained(
        folder, output_loading_info=True, **arguments)
    wrong = {kind: keys for kind, keys in info.items() if keys}
    if model.config.tie_word_embeddings:
        # Tied weights are in the file once, and transformers reports the other name.
        wrong = {
            kind: keys for kind, keys in wrong.items()
            if not (kind == "missing_keys" and set(keys) == {"lm_head.weight"})}
    assert not wrong, wrong
    return model.eval()


def logits(model, vocabulary=200):
    tokens = torch.randint(0, vocabulary, (2, 33), generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        return model.eval()(tokens).logits


def tensors(folder):
    """All tensors of a folder, whatever files they are in."""
    found = {}
    for path in sorted(folder.glob("model*.safetensors")):
        found |= safetensors.torch.load_file(path)
    for path in sorted(folder.glob("pytorch_model*.bin")):
        found |= torch.load(path, weights_only=True)
    return found


def config(folder):
    return json.loads((folder / "config.json").read_text())


def assert_same_tensors(expected, found):
    assert set(expected) == set(found), set(expected) ^ set(found)
    for name, tensor in expected.items():
        other = found[name]
        assert tensor.dtype == other.dtype and tensor.shape == other.shape, name
        assert torch.equal(
            tensor.contiguous().view(torch.uint8), other.contiguous().view(torch.uint8)), name
