internal import Bytes
internal import Graph

/// Changes to the dicts of an object, gathered while its leaves are walked and made afterwards.
struct DictChanges {
  /// The values to put into dicts, by their keys, and the first of them in words.
  private var replacements: [NodeID: (values: [NodeID: NodeID], label: String)] = [:]
  /// The keys to take out of dicts.
  private var removals: [NodeID: Set<NodeID>] = [:]

  /// Notes that a leaf goes.
  ///
  /// - Throws: `unsupported` for a leaf that is no value of a dict.
  mutating func remove(
    _ leaf: Leaf, _ leaves: Leaves, label: String
  ) throws(FormatError) {
    guard let step = leaves.lastStep(to: leaf), case .key(let key) = step.component,
      leaf.tensorStepCount == nil
    else {
      throw SkeletonEdits.refusal(
        "'\(label)' is gone from the file, and what held it cannot do without it")
    }
    removals[step.container, default: []].insert(key)
  }

  /// Notes that a value takes the place of a leaf.
  ///
  /// - Throws: `unsupported` for a leaf that is no value of a dict.
  mutating func put(
    _ value: NodeID, in leaf: Leaf, _ leaves: Leaves, label: String
  ) throws(FormatError) {
    guard let step = leaves.lastStep(to: leaf), case .key(let key) = step.component else {
      throw Self.cannotReplace(label)
    }
    replacements[step.container, default: ([:], label)].values[key] = value
  }

  /// Makes the changes.
  ///
  /// - Throws: `unsupported` where what holds a leaf is not a dict that can be changed.
  func apply(to graph: inout TensorGraph) throws(FormatError) {
    for (container, (values, label)) in replacements.sorted(by: { $0.value.label < $1.value.label })
    {
      guard graph.setValues(values, in: container) else { throw Self.cannotReplace(label) }
    }
    for (container, keys) in removals {
      guard graph.removeEntries(of: container, withKeys: keys) else {
        throw SkeletonEdits.refusal(
          "tensors are gone from the file that an object was made with")
      }
    }
  }

  private static func cannotReplace(_ label: String) -> FormatError {
    SkeletonEdits.refusal("'\(label)' was changed, and what it is part of cannot follow")
  }
}
