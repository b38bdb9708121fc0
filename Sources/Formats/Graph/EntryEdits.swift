/// Changes to the entries of dicts, collected during a walk through the leaves and applied later.
///
/// Only values of dicts, and of instances of dict subclasses, can be changed.
package struct EntryEdits {
  /// The changes to the entries of one dict.
  private struct Changes {
    /// The path to one of the entries, for messages.
    var label: String
    /// The new values, by key.
    var values: [NodeID: NodeID] = [:]
    /// The new keys, by old key.
    var keys: [NodeID: NodeID] = [:]
    /// The keys of removed entries.
    var removed: Set<NodeID> = []
  }

  private var changes: [NodeID: Changes] = [:]

  /// Creates an empty list of changes.
  package init() {}

  /// Removes the entry of a leaf.
  ///
  /// Returns whether the leaf is the value of a dict.
  package mutating func remove(_ leaf: Leaf, of leaves: Leaves, label: String) -> Bool {
    // A part of a tensor cannot be removed alone.
    guard leaf.tensorStepCount == nil else { return false }
    return change(leaf, of: leaves, label) { $0.removed.insert($1) }
  }

  /// Replaces a leaf by `value`.
  ///
  /// Returns whether the leaf is the value of a dict.
  package mutating func put(
    _ value: NodeID, in leaf: Leaf, of leaves: Leaves, label: String
  ) -> Bool {
    change(leaf, of: leaves, label) { $0.values[$1] = value }
  }

  /// Gives the entry of a leaf another key.
  ///
  /// Returns whether the leaf is the value of a dict.
  package mutating func rename(
    _ leaf: Leaf, of leaves: Leaves, to key: NodeID, label: String
  ) -> Bool {
    guard leaf.tensorStepCount == nil else { return false }
    return change(leaf, of: leaves, label) { $0.keys[$1] = key }
  }

  private mutating func change(
    _ leaf: Leaf, of leaves: Leaves, _ label: String, _ body: (inout Changes, NodeID) -> Void
  ) -> Bool {
    guard let step = leaves.lastStep(to: leaf), case .key(let key) = step.component else {
      return false
    }
    body(&changes[step.container, default: Changes(label: label)], key)
    return true
  }

  /// Applies the changes.
  ///
  /// - Returns: the path to an entry that its object cannot change; `nil` if all were applied.
  package func apply(to graph: inout TensorGraph) -> String? {
    for (container, changes) in changes.sorted(by: { $0.value.label < $1.value.label }) {
      guard
        changes.values.isEmpty || graph.setValues(changes.values, in: container),
        changes.removed.isEmpty || graph.removeEntries(of: container, withKeys: changes.removed),
        changes.keys.isEmpty || graph.replaceKeys(changes.keys, in: container)
      else { return changes.label }
    }
    return nil
  }
}
