public import Bytes
public import Graph
internal import Safetensors
internal import Torch

/// Opens checkpoint files of any kind.
public enum CheckpointFile: Sendable {
  /// Reads a file's structure, whatever its name says it is, and none of its tensor data.
  ///
  /// - Returns: the graph and what to tell of its file.
  /// - Throws: ``FormatError`` with the file in its path: `inputOutput` when it cannot be opened,
  ///   `unsupported` when it is something else, and what its reader throws.
  public static func read(
    _ path: String, _ options: ReadingOptions = ReadingOptions()
  ) throws(FormatError) -> Checkpoint {
    let file = try FormatError.wrapping { () throws(SystemError) in try SourceFile(path: path) }
    return try read(file, options)
  }

  /// Reads the structure of a file that is open.
  ///
  /// - Returns: the graph and what to tell of its file.
  /// - Throws: ``FormatError`` with the file in its path: `unsupported` when it is something else,
  ///   and what its reader throws.
  public static func read(
    _ file: SourceFile, _ options: ReadingOptions = ReadingOptions()
  ) throws(FormatError) -> Checkpoint {
    let kind = try FileKind.sniff(file)
    if let problem = kind.problem { throw problem.framed(by: file.path) }
    switch kind {
    case .legacyTorch:
      throw FormatError(
        .unsupported, "this file has the format of PyTorch before 1.6, which is not read",
        hint: "load it with torch.load and save it with torch.save of a later PyTorch"
      ).framed(by: file.path)
    case .safetensors: return try SafetensorsReader.read(file, options)
    default: return try TorchReader.read(file, droppingUnsafe: options.dropsUnsafe)
    }
  }
}
