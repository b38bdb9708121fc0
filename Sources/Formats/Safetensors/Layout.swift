/// How the tensors of a safetensors file are named.
public enum Layout: String, Sendable, CaseIterable {
  /// By the dotted path of the value in the state dict.
  case plain
  /// As OLMo's trainer reads them: base64 of the pickled key path, other values pickled beside.
  case olmo
}
