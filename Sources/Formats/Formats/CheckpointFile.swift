@_exported public import CkptBase
@_exported public import CkptContainer
@_exported public import CkptCopy
@_exported public import CkptGraph
@_exported public import CkptSafetensors
@_exported public import CkptSkeleton
internal import CkptTorch

/// Opens checkpoints of any kind.
package enum CheckpointFile: Sendable {
  /// Reads the structure of a checkpoint without tensor data.
  ///
  /// The content decides the format, not the name.
  ///
  /// The path can be that of a file, of the index of a sharded checkpoint, or of a directory in
  /// which `transformers` finds the weights of a model.
  ///
  /// - Returns: the contents, the description of the container, and warnings.
  /// - Throws: ``CheckpointError`` with the file in its path: `inputOutput` if it cannot be opened,
  ///   `unsupported` if it is not a checkpoint, and the errors of its reader.
  package static func read(
    _ path: String, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) -> Checkpoint {
    let place = FilePath(path)
    guard try place.status()?.isDirectory == true else {
      return try read(FileSource(path: path), options)
    }
    let entries = Set(try place.entryNames())
    for container in Containers.directories where container.recognizes(entries: entries) {
      if let checkpoint = try container.read(place, options) { return checkpoint }
    }
    throw CheckpointError(
      .unsupported,
      "this directory has no model.safetensors, no pytorch_model.bin and no index of shards",
      remedy: "pass the path of the file"
    ).framed(by: path)
  }

  /// Whether a directory with entries of these names is one checkpoint that no file in it stands for.
  package static func needsWholeDirectory(_ entries: Set<String>) -> Bool {
    Containers.directories.contains {
      $0.needsWholeDirectory && $0.recognizes(entries: entries)
    }
  }

  /// Reads the structure of a source: a checkpoint, or the index of a sharded one.
  ///
  /// - Returns: the contents, the description of the container, and warnings.
  /// - Throws: ``CheckpointError`` with the file in its path: `unsupported` if it is not a
  ///   checkpoint, and the errors of its reader.
  package static func read(
    _ source: any ByteSource, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) -> Checkpoint {
    var look = try SourceLook(at: source)
    return try read(&look, options)
  }

  /// Reads the structure of a source after a first look.
  ///
  /// A shard must not be an index itself.
  static func read(
    _ look: inout SourceLook, _ options: ReadingOptions, isShard: Bool = false
  ) throws(CheckpointError) -> Checkpoint {
    let kind = try FileKind.sniff(&look)
    if case .container(let known) = kind {
      var checkpoint = try known.container.read(&look, options)
      try checkpoint.noteIncompleteTensors()
      return checkpoint
    }
    for container in Containers.files where !isShard {
      guard try container.recognizesContents(of: &look) else { continue }
      return try container.read(&look, options)
    }
    var problem = kind.problem(insteadOf: "checkpoint")
    for container in Containers.files {
      if let fault = try container.fault(of: &look) { problem = fault }
    }
    throw problem.framed(by: look.source.name)
  }
}

// `import Formats` is all a user of the library needs: these modules hold the types it hands out.
