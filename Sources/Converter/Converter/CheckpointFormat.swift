/// The formats that checkpoints are converted from and to.
public enum CheckpointFormat: String, Hashable, Sendable {
  /// Safetensors.
  case safetensors
  /// What `torch.save` writes.
  case torch

  /// What a file's name ends with, without the dot.
  public var fileExtension: String {
    switch self {
    case .safetensors: "safetensors"
    case .torch: "pt"
    }
  }

  /// The format that is converted to this one.
  var source: CheckpointFormat { self == .torch ? .safetensors : .torch }
}
