@_exported public import CkptBase
@_exported public import CkptContainer
@_exported public import CkptCopy
@_exported public import CkptGraph
@_exported public import CkptPlan
@_exported public import CkptSafetensors
@_exported public import CkptSkeleton
@_exported public import CkptTorch

/// Opens checkpoints of any kind.
public enum CheckpointFile: Sendable {
  /// Reads a checkpoint's structure, whatever its name says it is, and none of its tensor data.
  ///
  /// The path may be that of a file, of the index of a checkpoint in several files, or of a folder
  /// in which `transformers` would find the weights of a model.
  ///
  /// - Returns: the graph and what to tell of its file.
  /// - Throws: ``CheckpointError`` with the file in its path: `inputOutput` when it cannot be opened,
  ///   `unsupported` when it is something else, and what its reader throws.
  public static func read(
    _ path: String, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) -> Checkpoint {
    let place = try file(at: path)
    return try read(FileSource(path: place), options)
  }

  /// Reads the structure of a source: a checkpoint, or the index of one in several files.
  ///
  /// - Returns: the graph and what to tell of its file.
  /// - Throws: ``CheckpointError`` with the file in its path: `unsupported` when it is something else,
  ///   and what its reader throws.
  public static func read(
    _ source: any ByteSource, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) -> Checkpoint {
    if try FileKind.sniff(source) == .json {
      let index = try CheckpointError.within(source.name) { () throws(CheckpointError) in
        try ShardIndex(reading: source)
      }
      if let index {
        guard let file = source as? FileSource else {
          throw CheckpointError(
            .unsupported, "an index of shards is read only where its files lie beside it"
          ).framed(by: source.name)
        }
        return try ShardedReader.read(index, file, options)
      }
    }
    return try readOne(source, options)
  }

  /// Reads the structure of a checkpoint in one file.
  static func readOne(
    _ source: any ByteSource, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    let kind = try FileKind.sniff(source)
    if kind == .truncatedZip, let whole = try TruncatedArchive(source) {
      throw whole.error(readFrom: source).framed(by: source.name)
    }
    if let problem = kind.problem { throw problem.framed(by: source.name) }
    switch kind {
    case .legacyTorch:
      throw CheckpointError(
        .unsupported, "this file has the format of PyTorch before 1.6, which is not read",
        remedy: "load it with torch.load and save it with torch.save of a later PyTorch"
      ).framed(by: source.name)
    case .safetensors: return try SafetensorsReader.read(source, options)
    default: return try TorchReader.read(source, droppingUnsafe: options.dropsUnsafe)
    }
  }

  /// The file that is to be read for a path.
  private static func file(at path: String) throws(CheckpointError) -> String {
    guard try FilePath(path).status()?.isDirectory == true else { return path }
    guard let weights = try ModelFolder.weights(in: path) else {
      throw CheckpointError(
        .unsupported,
        "there is no model.safetensors, pytorch_model.bin or index of shards in this directory",
        remedy: "give the file itself"
      ).framed(by: path)
    }
    return weights
  }
}

// `import Formats` is all a user of the library needs: these modules hold the types it hands out.
