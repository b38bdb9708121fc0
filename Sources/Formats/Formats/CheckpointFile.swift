public import Bytes
public import Graph
internal import Safetensors
internal import Torch

/// Opens checkpoint files of any kind.
public enum CheckpointFile: Sendable {
  /// Reads a file's structure, whatever its name says it is, and none of its tensor data.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - dropsUnsafe: puts `None` where a pickle names something that exists to run code.
  /// - Returns: the graph and what to tell of its file.
  /// - Throws: ``FormatError`` with the file in its path: `inputOutput` when it cannot be opened,
  ///   `unsupported` when it is something else, and what its reader throws.
  public static func read(
    _ path: String, droppingUnsafe dropsUnsafe: Bool = false
  ) throws(FormatError) -> Checkpoint {
    let file = try FormatError.wrapping { () throws(SystemError) in try SourceFile(path: path) }
    let kind = try FileKind.sniff(file)
    if let problem = kind.problem { throw problem.framed(by: path) }
    switch kind {
    case .legacyTorch:
      throw FormatError(
        .unsupported, "this file has the format of PyTorch before 1.6, which is not read",
        hint: "load it with torch.load and save it with torch.save of a later PyTorch"
      ).framed(by: path)
    case .safetensors: return try SafetensorsReader.read(file, droppingUnsafe: dropsUnsafe)
    default: return try TorchReader.read(file, droppingUnsafe: dropsUnsafe)
    }
  }
}
