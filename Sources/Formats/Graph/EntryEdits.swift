/// Changes to the entries of dicts, gathered while the leaves of a graph are walked and made afterwards.
///
/// Only the values of dicts, and of instances of a dict's subclasses, can be changed.
package struct EntryEdits {
  /// The changes to the entries of one dict.
  private struct Changes {
    /// The path to one of the entries, for messages.
    var label: String
    /// The new values, by their keys.
    var values: [NodeID: NodeID] = [:]
    /// The keys that take the places of others.
    var keys: [NodeID: NodeID] = [:]
    /// The keys of the entries that go.
    var removed: Set<NodeID> = []
  }

  private var changes: [NodeID: Changes] = [:]

  /// No changes yet.
  package init() {}

  /// Notes that the entry of a leaf goes; returns whether the leaf is the value of a dict.
  package mutating func remove(_ leaf: Leaf, of leaves: Leaves, label: String) -> Bool {
    // What lies inside of a tensor cannot go without it.
    guard leaf.tensorStepCount == nil else { return false }
    return change(leaf, of: leaves, label) { $0.removed.insert($1) }
  }

  /// Notes that `value` takes the place of a leaf; returns whether the leaf is the value of a dict.
  package mutating func put(
    _ value: NodeID, in leaf: Leaf, of leaves: Leaves, label: String
  ) -> Bool {
    change(leaf, of: leaves, label) { $0.values[$1] = value }
  }

  /// Notes that the entry of a leaf gets another key; returns whether the leaf is the value of a dict.
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

  /// Makes the changes.
  ///
  /// - Returns: the path to an entry that its object cannot change; `nil` when all were made.
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
