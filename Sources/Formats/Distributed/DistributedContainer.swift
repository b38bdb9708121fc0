package import CkptBase
package import CkptContainer
internal import CkptTorch

/// The directory of `torch.distributed.checkpoint`: a `.metadata`, and files of the ranks.
///
/// OLMo and OLMo-core have it as `model_and_optim` in the directory of a step. accelerate and the
/// Trainer of transformers have one for each model and each optimizer. Lightning has `meta.pt` beside
/// it.
package struct DistributedContainer: DirectoryContainer {
  /// The name of the container.
  package var name: String { "torch-distributed" }
  /// None: the files are parts of one checkpoint.
  package var format: CheckpointFormat? { nil }

  /// True: each file has parts of many tensors.
  package var needsWholeDirectory: Bool { true }

  /// Creates the container.
  package init() {}

  /// Whether the directory has metadata or what an interrupted save has left.
  package func recognizes(entries: Set<String>) -> Bool { DistributedPlaces.isCheckpoint(entries) }

  /// Reads the metadata and the structure of every item.
  package func read(
    _ directory: FilePath, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint? {
    let entries = try directory.entryNames()
    if let whole = try DistributedReader.read(directory, entries, options) {
      guard entries.contains(DistributedPlaces.lightning) else { return whole }
      var parts = DistributedParts()
      try parts.add(whole, named: "state_dict")
      let file = try FileSource(path: directory.appending(DistributedPlaces.lightning).text)
      let rest = try TorchReader.read(file, droppingUnsafe: options.dropsUnsafe)
      try CheckpointError.within(file.path) { () throws(CheckpointError) in
        try parts.add(rest, named: "meta")
      }
      return try parts.whole()
    }
    let folders = DistributedPlaces.accelerate(entries)
    guard !folders.isEmpty else {
      return try part(directory.appending(DistributedPlaces.inner), in: directory, options)
    }
    var parts = DistributedParts()
    for name in folders {
      let folder = directory.appending(name)
      try parts.add(part(folder, in: folder, options), named: name)
    }
    return try parts.whole()
  }

  /// Reads the checkpoint in `place`; without metadata, `directory` holds an interrupted save.
  private func part(
    _ place: FilePath, in directory: FilePath, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    if try place.status()?.isDirectory == true,
      let part = try DistributedReader.read(place, place.entryNames(), options)
    {
      return part
    }
    throw CheckpointError(
      .truncated, "this distributed checkpoint has no .metadata: it was not saved to the end",
      remedy: "use another step; without the metadata nothing can be read"
    ).framed(by: directory.text)
  }
}

/// A distributed checkpoint as it was found.
package struct DistributedDescription: Sendable {
  /// The number of files that hold items.
  package var fileCount: Int
  /// The number of tensors.
  package var tensorCount: Int
  /// The number of pieces that the tensors are stored in.
  package var chunkCount: Int
  /// Whether the metadata has the nesting of the state dict.
  package var isNested: Bool
}

extension DistributedDescription: ContainerDescription {
  /// `torch-distributed`.
  package var kind: String { "torch-distributed" }
  /// The name of the format.
  package var title: String { "distributed checkpoint" }
  /// The numbers of files and chunks.
  package var facts: [ContainerFact] {
    [
      .init("files", .number(fileCount), "\(fileCount) file\(fileCount == 1 ? "" : "s")"),
      .init("chunks", .number(chunkCount), "\(chunkCount) chunks"),
      .init("nested", .flag(isNested), isNested ? nil : "flat names"),
    ]
  }
  /// None: the files are parts of one checkpoint.
  package var format: CheckpointFormat? { nil }
  /// Whether the nesting is known.
  package var holdsObject: Bool { isNested }
}
