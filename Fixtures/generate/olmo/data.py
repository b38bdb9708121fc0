"""Writes what the trainer reads: `data.py OLMO_SOURCE OUTDIR`.

A token file (a raw memmap of uint16, as OLMo's dolma tokenizer writes it) and a byte-level BPE
tokenizer of 4000 entries, trained on OLMo's own sources. Needs numpy and tokenizers.
"""

import pathlib
import sys

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY = 4000
SPECIAL = ["<|endoftext|>", "<|pad|>"]

source, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)

# Zipf-like, so that the model has something to learn; every id is below the vocabulary's size.
tokens = np.random.default_rng(7).zipf(1.3, size=64 * 512)
np.minimum(tokens, VOCABULARY - 1).astype(np.uint16).tofile(out / "tokens-v4000.npy")

tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
texts = [*sorted(source.glob("olmo/*.py")), source / "README.md", source / "CHANGELOG.md"]
trainer = trainers.BpeTrainer(
    vocab_size=VOCABULARY - len(SPECIAL), initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
tokenizer.train([str(text) for text in texts], trainer)
tokenizer.add_special_tokens(SPECIAL)
tokenizer.save(str(out / "tokenizer4000.json"))
