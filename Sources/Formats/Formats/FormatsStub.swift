@_exported public import Bytes

/// How the tensors of a safetensors file are named.
public enum Layout: String, Sendable, CaseIterable {
  /// By the dotted path of the value in the state dict.
  case plain
  /// As OLMo's trainer reads them.
  case olmo
}

/// Stands in for the encoder.
public enum SafetensorsEncoder: Sendable {
  /// What the caller decides.
  public struct Options: Sendable {
    /// What becomes of tensors that show the same bytes.
    public enum TiedTensors: String, Sendable, CaseIterable {
      /// The bytes are stored once.
      case alias
      /// Every name has its bytes.
      case copy
    }
  }
}

/// The container of a checkpoint.
public struct SourceDescription: Sendable {
  /// What kind of container it is.
  public enum Container: String, Sendable {
    /// The ZIP archive of `torch.save`.
    case torchZip = "torch-zip"
    /// The ZIP archive of `torch.jit.save`.
    case torchScript = "torchscript"
  }

  /// What kind of container it is.
  public var container: Container
  /// The protocol of the pickle.
  public var pickleProtocol: Int
  /// The versions of the writer that lay out an archive like this.
  public var writer: String
  /// The file's size in bytes.
  public var byteCount: Int
}
