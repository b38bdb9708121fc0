internal import CkptBase
internal import CkptGraph

/// Changes to the dicts of an object, gathered while its leaves are walked and made afterwards.
struct PendingEdits {
  /// The values to put into dicts, by their keys, and the first of them in words.
  private var replacements: [NodeID: (values: [NodeID: NodeID], label: String)] = [:]
  /// The keys to take out of dicts.
  private var removals: [NodeID: Set<NodeID>] = [:]

  /// Notes that a leaf goes.
  ///
  /// - Throws: `unsupported` for a leaf that is no value of a dict.
  mutating func remove(
    _ leaf: Leaf, _ leaves: Leaves, label: String
  ) throws(CheckpointError) {
    guard let step = leaves.lastStep(to: leaf), case .key(let key) = step.component,
      leaf.tensorStepCount == nil
    else {
      throw EditLog.refusal(
        "'\(label)' is gone from the file, and what held it cannot do without it")
    }
    removals[step.container, default: []].insert(key)
  }

  /// Notes that a value takes the place of a leaf.
  ///
  /// - Throws: `unsupported` for a leaf that is no value of a dict.
  mutating func put(
    _ value: NodeID, in leaf: Leaf, _ leaves: Leaves, label: String
  ) throws(CheckpointError) {
    guard let step = leaves.lastStep(to: leaf), case .key(let key) = step.component else {
      throw Self.cannotReplace(label)
    }
    replacements[step.container, default: ([:], label)].values[key] = value
  }

  /// Makes the changes.
  ///
  /// - Throws: `unsupported` where what holds a leaf is not a dict that can be changed.
  func apply(to graph: inout TensorGraph) throws(CheckpointError) {
    for (container, (values, label)) in replacements.sorted(by: { $0.value.label < $1.value.label })
    {
      guard graph.setValues(values, in: container) else { throw Self.cannotReplace(label) }
    }
    for (container, keys) in removals {
      guard graph.removeEntries(of: container, withKeys: keys) else {
        throw EditLog.refusal(
          "tensors are gone from the file that an object was made with")
      }
    }
  }

  private static func cannotReplace(_ label: String) -> CheckpointError {
    EditLog.refusal("'\(label)' was changed, and what it is part of cannot follow")
  }
}

/// What was changed in a file after its skeleton was written.
struct EditLog {
  /// How many changes are told one by one; the rest are counted.
  private static let toldCount = 20

  private var told: [String] = []
  private var count = 0

  /// Whether nothing was changed.
  var isEmpty: Bool { count == 0 }

  /// The changes in words.
  var warnings: [String] {
    guard count > told.count else { return told }
    return told + ["\(count - told.count) more tensors or values were changed, removed or added"]
  }

  /// Notes that something is another now.
  mutating func note(change name: String, from old: String, to new: String) {
    note("'\(name)' was \(old) when the skeleton was written and is \(new) now")
  }

  /// Notes that something is not there any more.
  mutating func note(removal name: String) {
    note("'\(name)' was removed after the skeleton was written and is left out")
  }

  /// Notes that something is there that was not.
  mutating func note(addition name: String) {
    note("'\(name)' was added after the skeleton was written")
  }

  private mutating func note(_ text: String) {
    count += 1
    if count <= Self.toldCount { told.append(text) }
  }
  /// The error for a change that the object cannot follow.
  static func refusal(_ message: String, _ code: CheckpointError.Code = .unsupported)
    -> CheckpointError
  {
    CheckpointError(
      code, message, remedy: .action(.ignoreSkeleton))
  }
}
