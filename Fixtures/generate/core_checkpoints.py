"""Makes Fixtures/olmo-core: small checkpoints of OLMo-core 3.0.0, what its own converter makes of
them, and the logits of its own model.

    python -m venv core && core/bin/pip install torch==2.13.0 ai2-olmo-core==3.0.0 transformers==5.23.0
    core/bin/python Fixtures/generate/core_checkpoints.py Fixtures/olmo-core
"""

import copy
import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from olmo_core.config import DType
from olmo_core.data import TokenizerConfig
from olmo_core.distributed.checkpoint import save_model_and_optim_state
from olmo_core.nn.attention import AttentionBackendName, SlidingWindowAttentionConfig
from olmo_core.nn.hf.convert_checkpoint import convert_checkpoint_to_hf
from olmo_core.nn.transformer import TransformerBlockType, TransformerConfig
from olmo_core.optim import AdamWConfig, OptimGroupOverride
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

TOKENIZER = TokenizerConfig(
    vocab_size=100, eos_token_id=98, pad_token_id=99, bos_token_id=None, identifier=None)
LENGTH = 32
COMMON = dict(
    d_model=16, hidden_size_multiplier=1.0, hidden_size_multiple_of=8, n_heads=4,
    vocab_size=TOKENIZER.padded_vocab_size(), block_name=TransformerBlockType.reordered_norm,
    qk_norm=True, layer_norm_eps=1e-6, attn_backend=AttentionBackendName.torch)
MODELS = {
    "olmo2": dict(n_layers=2, n_kv_heads=2, rope_theta=500_000),
    # The theta is not the default of transformers, and the window is shorter than the input.
    "olmo3": dict(
        n_layers=4, rope_theta=10_000,
        sliding_window=SlidingWindowAttentionConfig(
            force_full_attention_on_first_layer=False, force_full_attention_on_last_layer=True,
            pattern=[8, 8, 8, -1])),
}


def save_tokenizer(place):
    """Writes a tokenizer, which the converter requires."""
    words = {f"w{number}": number for number in range(TOKENIZER.vocab_size)}
    PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(WordLevel(words, unk_token="w0")), eos_token="w98",
        pad_token="w99").save_pretrained(place)


def make(name, place, tokenizer):
    torch.manual_seed(7)
    config = TransformerConfig.llama_like(**COMMON, **MODELS[name])
    model = config.build(init_device="cpu")
    model.init_weights(device=torch.device("cpu"))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    optimizer = AdamWConfig(
        lr=1e-2, weight_decay=0.1,
        group_overrides=[
            OptimGroupOverride(params=["embeddings.weight"], opts=dict(weight_decay=0.0))],
    ).build(model)
    for _ in range(2):
        tokens = torch.randint(0, 98, (2, LENGTH))
        logits = model(tokens)
        torch.nn.functional.cross_entropy(
            logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()

    step = place / name / "step2"
    step.mkdir(parents=True)
    save_model_and_optim_state(
        step / "model_and_optim", model, optimizer, flatten_optimizer_state=True)
    document = dict(
        model=config.as_config_dict(),
        dataset=dict(tokenizer=TOKENIZER.as_config_dict()),
        train_module=dict(max_sequence_length=LENGTH))
    (step / "config.json").write_text(json.dumps(document, indent=1))
    (step / ".metadata.json").write_text('{"ephemeral": false, "version": "3.0.0"}')

    tokens = torch.randint(0, 98, (2, LENGTH))
    with torch.no_grad():
        logits = model(tokens)[..., :TOKENIZER.vocab_size].contiguous()
    save_file(dict(tokens=tokens, logits=logits), place / name / "logits.safetensors")
    for dtype in [DType.float32, DType.bfloat16]:
        output = place / name / f"hf-{dtype.value}"
        convert_checkpoint_to_hf(
            original_checkpoint_path=str(step), output_path=str(output),
            transformer_config_dict=copy.deepcopy(document["model"]),
            tokenizer_config_dict=document["dataset"]["tokenizer"], dtype=dtype,
            tokenizer_id=tokenizer, max_sequence_length=LENGTH, validate=False,
            device=torch.device("cpu"))
        for file in output.iterdir():
            if file.name not in ["config.json", "generation_config.json", "model.safetensors"]:
                file.unlink()


if __name__ == "__main__":
    place = Path(sys.argv[1])
    shutil.rmtree(place, ignore_errors=True)
    with tempfile.TemporaryDirectory() as tokenizer:
        save_tokenizer(tokenizer)
        for name in MODELS:
            make(name, place, tokenizer)
