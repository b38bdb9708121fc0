internal import CkptBase
internal import CkptGraph
internal import CkptPickle
internal import CkptPlan
internal import CkptSkeleton

/// The entries for the leaves of a graph: named tensors, values as pickles, or nothing.
struct EntryAssignment {
  /// A tensor under one of its names.
  struct NamedTensor {
    /// The name.
    let name: String
    /// The tensor.
    let id: TensorID
    /// Whether the name follows from the keys on the path.
    let followsKeys: Bool
  }

  /// The tensors with data, under all of their names.
  private(set) var tensors: [NamedTensor] = []
  /// The tensors without data.
  private(set) var dataless: [TensorID] = []
  /// The values to pickle.
  private(set) var values: [SafetensorsEntry] = []
  /// The losses and warnings.
  private(set) var notes: EncodingNotes
  private let graph: TensorGraph
  private let layout: Layout
  private var names: TensorNames
  private var paths: KeyPaths
  /// Containers of tensors that OLMo's loader will return as dicts.
  private var flattenedContainers: Set<ExactString> = []
  /// The number of bytes of ``values``.
  private var pickledByteCount = 0

  /// The paths whose names were taken and got a number.
  var renamed: [String] { names.renamed }

  /// Names each leaf of `graph`.
  ///
  /// - Throws: `unsupported` for keys and values that cannot be pickled for OLMo's layout;
  ///   `limitExceeded` if leaves, names or values multiply beyond ``Limits``.
  init(of graph: TensorGraph, layout: Layout, notes: EncodingNotes) throws(CheckpointError) {
    self.graph = graph
    self.layout = layout
    self.notes = notes
    let leaves = try LeafWalk.leaves(of: graph)
    paths = KeyPaths(of: graph)
    names = TensorNames(graph: graph, layout: layout, count: leaves.all.count)
    tensors.reserveCapacity(graph.tensors.count)
    for leaf in leaves.all { try place(leaf, among: leaves) }
  }

  private mutating func place(_ leaf: Leaf, among leaves: Leaves) throws(CheckpointError) {
    if leaf.kind == .tensor {
      guard case .tensor(let id) = graph[leaf.node] else { return }
      return try place(id, leaf, among: leaves)
    }
    let path = leaves.path(to: leaf)
    switch leaf.kind {
    case .tensor: return
    case .value: try placeValue(leaf, at: path)
    case .emptyMapping: noteEmptyMapping(at: path)
    case .cycle: notes.lose("'\(names.plainName(of: path))' is a container that contains itself")
    }
  }

  private mutating func place(
    _ id: TensorID, _ leaf: Leaf, among leaves: Leaves
  ) throws(CheckpointError) {
    guard graph.tensors[graph.index(of: id)].storage != nil else {
      dataless.append(id)
      return notes.lose(
        "tensor '\(names.plainName(of: leaves.path(to: leaf)))' is on the meta device and has no data"
      )
    }
    let renamedCount = names.renamed.count
    let name = try name(of: leaf, among: leaves)
    tensors.append(
      NamedTensor(
        name: name, id: id,
        followsKeys: names.renamed.count == renamedCount && paths.isOfKeys(leaf, among: leaves)))
  }

  private mutating func name(
    of leaf: Leaf, among leaves: Leaves
  ) throws(CheckpointError) -> String {
    guard layout == .olmo else { return names.plainName(of: leaf, among: leaves) }
    let path = leaves.path(to: leaf)
    // The parts of a tensor have a key beside it.
    if leaf.tensorStepCount == nil { noteFlattenedContainer(on: path) }
    return try names.name(of: leaf, at: path)
  }

  /// Warns about a container of tensors that is not a dict: OLMo's loader returns a dict for it.
  private mutating func noteFlattenedContainer(on path: [PathComponent]) {
    guard layout == .olmo,
      let step = path.firstIndex(where: { if case .key = $0 { false } else { true } })
    else { return }
    let container = names.plainName(of: Array(path[..<step]))
    guard flattenedContainers.insert(ExactString(container)).inserted else { return }
    notes.hide(
      "'\(container)' holds tensors but is not a dict; OLMo's loader will return a dict")
  }

  private mutating func placeValue(
    _ leaf: Leaf, at path: [PathComponent]
  ) throws(CheckpointError) {
    guard layout == .olmo else {
      return notes.lose(
        "'\(names.plainName(of: path))' is \(graph.description(of: leaf.node, limit: 40)), "
          + "not a tensor")
    }
    let bytes = try CheckpointError.within(names.plainName(of: path)) {
      () throws(CheckpointError) in
      try Pickler.pickle(
        leaf.node, of: graph, protocol: TensorNames.olmoProtocol, strings: .asLoaded())
    }
    pickledByteCount += bytes.count
    guard
      pickledByteCount <= Limits.pickledValuesAtLeast
        + Limits.pickledPerTextByte * graph.textByteCount
    else {
      throw CheckpointError(
        .limitExceeded, "values share objects, so pickling them one by one takes too many bytes",
        remedy: .action(.usePlainLayout))
    }
    values.append(
      SafetensorsEntry(
        name: try names.name(of: leaf, at: path, isPickled: true), dtype: .u8, shape: [bytes.count],
        data: [.literal(bytes)]))
  }

  private mutating func noteEmptyMapping(at path: [PathComponent]) {
    guard !notes.hasSkeleton, !path.isEmpty else { return }
    notes.warn(
      "'\(names.plainName(of: path))' is an empty dict, which only a skeleton can hold")
  }
}

/// Finds the paths that lead through dicts only and whose keys are strs and ints.
private struct KeyPaths {
  private let graph: TensorGraph
  /// The container of the last leaf, and the length of the path to the leaf; zero for other paths.
  private var last = (container: TensorGraph.none, previous: Leaves.root, stepCount: 0)

  init(of graph: TensorGraph) { self.graph = graph }

  /// Whether the path to a leaf is such a path.
  mutating func isOfKeys(_ leaf: Leaf, among leaves: Leaves) -> Bool {
    guard let step = leaves.lastStep(to: leaf), isKey(step.component) else { return false }
    if (last.container, last.previous) != (step.container, step.previous) {
      last = (step.container, step.previous, keyCount(to: step, leaves))
    }
    // The tensor of a parameter has the path of the parameter, but is one container deeper.
    return last.stepCount == Int(leaf.depth)
  }

  /// Returns the length of the path that ends with `step`, or zero for another kind of path.
  private func keyCount(to step: Leaves.Step, _ leaves: Leaves) -> Int {
    var step = step
    var count = 1
    while isDict(step.container) {
      guard step.previous != Leaves.root else { return count }
      step = leaves.steps[Int(step.previous)]
      count += 1
      guard isKey(step.component) else { return 0 }
    }
    return 0
  }

  private func isDict(_ id: NodeID) -> Bool {
    switch graph[id] {
    case .dict: true
    case .object(let object): graph.isGlobal(graph[object].callable, "collections", "OrderedDict")
    default: false
    }
  }

  private func isKey(_ component: PathComponent) -> Bool {
    guard case .key(let key) = component else { return false }
    switch graph[key] {
    case .string(let text): return (try? UTF8Span(validating: graph[text].span)) != nil
    case .int: return true
    default: return false
    }
  }
}

/// A tensor of a planned safetensors file.
struct SafetensorsEntry {
  /// The name of the tensor.
  var name: String
  /// The dtype of its elements.
  var dtype: SafetensorsDType
  /// The shape in the header.
  var shape: [Int]
  /// The bytes in consecutive segments; empty for a tensor without elements.
  var data: [Segment]
  /// The size of the data in bytes.
  let byteCount: Int

  /// Creates an entry of these bytes.
  init(name: String, dtype: SafetensorsDType, shape: [Int], data: [Segment]) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.data = data
    byteCount = data.reduce(0) { $0 + $1.byteCount }
  }

  /// Whether `first` comes first: the reference writer sorts by dtype, then by the bytes of the
  /// name.
  static func precedes(_ first: SafetensorsEntry, _ second: SafetensorsEntry) -> Bool {
    if first.dtype != second.dtype { return first.dtype.rawValue < second.dtype.rawValue }
    return first.name.precedes(second.name)
  }
}
