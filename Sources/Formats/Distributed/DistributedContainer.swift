package import CkptBase
package import CkptContainer

/// The directory of `torch.distributed.checkpoint`: a `.metadata`, and files of the ranks.
///
/// OLMo and OLMo-core have it as `model_and_optim` in the directory of a step.
package struct DistributedContainer: DirectoryContainer {
  /// The name of the container.
  package var name: String { "torch-distributed" }
  /// None: the files are parts of one checkpoint.
  package var format: CheckpointFormat? { nil }

  /// True: each file has parts of many tensors.
  package var needsWholeDirectory: Bool { true }

  /// Creates the container.
  package init() {}

  private static let inner = "model_and_optim"

  /// Whether the directory has a `.metadata` or what an interrupted save has left.
  package func recognizes(entries: Set<String>) -> Bool {
    entries.contains { name in
      name == DistributedReader.metadataName || name == Self.inner || name.hasSuffix(".distcp")
    }
  }

  /// Reads the metadata and the structure of every item.
  package func read(
    _ directory: FilePath, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint? {
    for place in [directory, directory.appending(Self.inner)]
    where try place.appending(DistributedReader.metadataName).status() != nil {
      return try DistributedReader.read(place, options)
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
