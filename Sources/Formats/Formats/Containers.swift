internal import CkptContainer
internal import CkptDistributed
internal import CkptLegacy
internal import CkptSafetensors
internal import CkptTorch

/// The registry of containers.
///
/// Files and directories are tested in this order.
package enum Containers {
  private static let all: [any Container] = [
    TorchArchiveContainer(),
    LegacyContainer(),
    TorchTarContainer(),
    SafetensorsContainer(),
    ShardIndexContainer(),
    DistributedContainer(),
    SafetensorsPiecesContainer(),
    DeepSpeedContainer(),
    RankFilesContainer(),
    ModelFolderContainer(),
  ]

  /// The kinds of files.
  static let files = all.compactMap { $0 as? any FileContainer }
  /// The kinds of directories.
  static let directories = all.compactMap { $0 as? any DirectoryContainer }
}

/// A kind of file in the registry.
package struct KnownContainer: Hashable, Sendable {
  /// The container.
  package let container: any FileContainer

  /// Wraps a container.
  package init(_ container: any FileContainer) { self.container = container }

  /// Whether both are of one kind.
  package static func == (first: KnownContainer, second: KnownContainer) -> Bool {
    first.container.name == second.container.name
  }

  /// Hashes the name of the kind.
  package func hash(into hasher: inout Hasher) { hasher.combine(container.name) }
}
