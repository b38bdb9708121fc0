internal import CkptBase
internal import CkptCheckpoints
public import CkptFormats
internal import CkptGraph
internal import CkptSafetensors
internal import CkptSkeleton
internal import CkptTorch

/// The part of a checkpoint to convert, and changes to it on the way.
public struct Selection: Hashable, Sendable {
  /// The dotted path of the dict that is converted as the whole; `nil` for the whole itself.
  public var key: String?
  /// Patterns of the names to convert; empty for all.
  public var only: [String] = []
  /// Patterns of the names to leave out.
  public var skip: [String] = []
  /// The prefix to remove from names.
  public var strippedPrefix: String?
  /// The dtype to cast floating-point tensors to; `nil` for the dtype they have.
  public var dtype: DType?

  /// Selects all, and changes nothing.
  public init() {}

  /// Whether the whole is converted as it is.
  public var isWhole: Bool { self == Selection() }

  /// Applies the selection to a checkpoint.
  ///
  /// - Throws: `unsupported` for a path or names that do not exist, `conflict` if two names become one.
  func apply(to checkpoint: inout Checkpoint) throws(CheckpointError) {
    guard !isWhole else { return }
    if let key { try checkpoint.graph.selectDict(at: key) }
    if !only.isEmpty || !skip.isEmpty { try selectTensors(of: &checkpoint) }
    if let strippedPrefix {
      try checkpoint.renameTensors { name in
        guard name.begins(with: strippedPrefix), name.utf8.count > strippedPrefix.utf8.count else {
          return name
        }
        return name.droppingFirst(strippedPrefix.utf8.count)
      }
    }
    if let dtype { try checkpoint.castTensors(to: dtype) }
    checkpoint.forgetUnselected()
  }

  private func selectTensors(of checkpoint: inout Checkpoint) throws(CheckpointError) {
    var count = 0
    let names = NameFilter(only: only, skip: skip)
    try checkpoint.removeTensors { name in
      let isSelected = names.selects(name)
      if isSelected { count += 1 }
      return !isSelected
    }
    guard count > 0 else {
      throw CheckpointError(
        .unsupported, "no tensor has a name that is selected", remedy: "list the names first")
    }
  }

  /// The prefixes of wrappers around a model (`DataParallel`, `torch.compile`, Lightning, PEFT).
  private static let wrappers = ["module.", "_orig_mod.", "model.", "base_model.model."]

  /// Returns the prefix of a wrapper that all names of a state dict begin with, or `nil` for none.
  static func wrapper(aroundNamesOf graph: TensorGraph) -> String? {
    let keys = graph.entries(of: graph.root) ?? []
    guard !keys.isEmpty else { return nil }
    return wrappers.first { prefix in
      keys.allSatisfy { graph.string($0.key)?.begins(with: prefix) ?? false }
    }
  }
}

extension Checkpoint {
  /// Forgets the storages and the spelling of what was not selected.
  fileprivate mutating func forgetUnselected() {
    unusedRegions = []
    copies = copies.filter { graph[$0.key].storage != nil }
    graph.discarded = []
    var unused = Set(graph.storages.map { ExactString($0.key) })
    for id in graph.reachableTensors() {
      // A tensor without a construction gets a storage of its own when it is written.
      if case .plain = graph[id].origin { continue }
      if let storage = graph[id].storage { unused.remove(ExactString(graph[storage].key)) }
    }
    if var file = container as? SafetensorsDescription {
      var origin = file.origin
      SkeletonSource.removeStorages(unused, from: &origin)
      file.origin = origin
      container = file
    } else {
      SkeletonSource.removeStorages(unused, from: &container)
    }
    guard var archive = container as? TorchArchiveDescription else { return }
    archive.pickleBytes = nil
    container = archive
  }
}
