/// A program that loads checkpoints.
public enum Consumer: String, Hashable, Sendable, CaseIterable {
  /// The trainer of OLMo (`olmo/checkpoint.py`, `olmo/train.py`).
  case olmo
  /// `from_pretrained` of `transformers`.
  case huggingFace = "hf"
  /// `torch.load` as it is by default since PyTorch 2.6: with `weights_only=True`.
  case torch
}
