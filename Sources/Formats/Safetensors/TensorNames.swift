package import CkptBase
package import CkptGraph
internal import CkptJSON
internal import CkptPickle
internal import CkptSkeleton

/// Names the leaves of a graph for one file; all names are unique.
struct TensorNames {
  /// The protocol of OLMo's names: the default of CPython 3.8 to 3.13.
  static let olmoProtocol = 4

  private let graph: TensorGraph
  private let layout: Layout
  /// The taken names.
  ///
  /// The first one is used by the header itself.
  private var used: [String] = []
  private var table: TextTable
  /// The last number that was appended to a taken name.
  private var lastNumbers: [ExactString: Int] = [:]
  /// The number of bytes of names in the layout `olmo` so far.
  private var byteCount = 0
  /// The common beginning of the names of the leaves below one step.
  private var beginning = (step: Leaves.root, text: "")
  /// The paths whose names were taken and got a number.
  private(set) var renamed: [String] = []

  /// Creates names for about `count` leaves of `graph`.
  init(graph: TensorGraph, layout: Layout, count: Int = 0) {
    self.graph = graph
    self.layout = layout
    table = TextTable(expectedCount: count + 1)
    used.reserveCapacity(count + 1)
    _ = claim("__metadata__")
  }

  /// Returns the unique name of a leaf with its path.
  ///
  /// - Throws: `unsupported` for a key that cannot be pickled for OLMo's layout, `limitExceeded`
  ///   for names that are longer in total than any file.
  mutating func name(
    of leaf: Leaf, at path: [PathComponent], isPickled: Bool = false
  ) throws(CheckpointError) -> String {
    switch layout {
    case .plain: return unique(plainName(of: path))
    case .olmo: return try olmoName(of: leaf, at: path, isPickled: isPickled)
    }
  }

  /// Returns the unique plain name of a leaf; the same as ``name(of:at:isPickled:)`` in the layout
  /// `plain`.
  mutating func plainName(of leaf: Leaf, among leaves: Leaves) -> String {
    guard let step = leaves.lastStep(to: leaf) else { return unique("tensor") }
    if step.previous != beginning.step {
      let parents = leaves.path(toStep: step.previous).filter { !isModuleBookkeeping($0) }
      beginning = (step.previous, parents.map { text($0) + "." }.joined())
    }
    let last = text(step.component)
    return unique(beginning.text.isEmpty ? last : beginning.text + last)
  }

  /// Returns the plain path of a leaf, for messages.
  func plainName(of path: [PathComponent]) -> String {
    guard let last = path.last else { return "tensor" }
    let parents = path.dropLast().filter { !isModuleBookkeeping($0) }
    return (parents + [last]).map(text).joined(separator: ".")
  }

  private mutating func unique(_ name: String) -> String {
    guard !claim(name) else { return name }
    renamed.append(name)
    while true {
      let numbered = "\(name)#\(nextNumber(behind: name))"
      if claim(numbered) { return numbered }
    }
  }

  /// Returns the url-safe base64 of the pickled pair of key path and flag
  /// (`olmo/safetensors_util.py`).
  private mutating func olmoName(
    of leaf: Leaf, at path: [PathComponent], isPickled: Bool
  ) throws(CheckpointError) -> String {
    var path = path.isEmpty ? [.attribute(isPickled ? "value" : "tensor")] : path
    if let count = leaf.tensorStepCount, count > 0 { path = besideTensor(path, stepCount: count) }
    let name = try countedKey(path, isPickled: isPickled)
    guard !claim(name) else { return name }
    // An attribute and a key of one object, or keys that only Python distinguishes, such as NaN.
    renamed.append(plainName(of: path))
    let last = path.last.map(text) ?? "tensor"
    while true {
      let step = PathComponent.attribute("\(last)#\(nextNumber(behind: name))")
      let numbered = try countedKey(path.dropLast() + [step], isPickled: isPickled)
      if claim(numbered) { return numbered }
    }
  }

  /// Returns the name for a path of keys, as long as the names fit a file.
  private mutating func countedKey(
    _ path: [PathComponent], isPickled: Bool
  ) throws(CheckpointError) -> String {
    let name = try Self.olmoKey(path, isPickled: isPickled, of: graph)
    byteCount += name.utf8.count
    // A pickle in base64 has about twice as many bytes as its keys.
    guard byteCount <= 4 * graph.pathByteLimit else {
      throw CheckpointError(
        .limitExceeded, "the names of values have more than \(byteCount) bytes in total",
        remedy: "do not use this file; it was made to exhaust its readers")
    }
    return name
  }

  /// Returns one key for everything below a tensor, `t.scales` beside `t`, because OLMo's dicts
  /// cannot hold values inside a tensor.
  private func besideTensor(_ path: [PathComponent], stepCount: Int) -> [PathComponent] {
    let joined = path[(stepCount - 1)...].map(text).joined(separator: ".")
    return path.prefix(stepCount - 1) + [.attribute(joined)]
  }

  /// Returns OLMo's name for the value at the end of a path of keys.
  ///
  /// - Throws: `unsupported` for a key that cannot be pickled for OLMo's layout.
  static func olmoKey(
    _ path: [PathComponent], isPickled: Bool = false, of graph: TensorGraph
  ) throws(CheckpointError) -> String {
    Base64.encode(
      try Pickler.pickle(keys: path, flag: isPickled, of: graph, protocol: olmoProtocol), .urlSafe)
  }

  /// Takes a name and returns whether it was free.
  private mutating func claim(_ name: String) -> Bool {
    let hash = TextTable.hash(name.utf8.span)
    let known = table.number(hash: hash) { ExactString(used[$0]) == ExactString(name) }
    guard known == nil else { return false }
    _ = table.update(used.count, hash: hash) { _ in false }
    used.append(name)
    return true
  }

  /// Returns the next number for a taken name: 2, 3 and so on.
  private mutating func nextNumber(behind name: String) -> Int {
    lastNumbers[ExactString(name), default: 1] += 1
    return lastNumbers[ExactString(name), default: 1]
  }

  private func text(_ component: PathComponent) -> String { graph.text(of: component) }

  /// Whether a step only leads through the dicts in which a pickled `nn.Module` stores its tensors.
  private func isModuleBookkeeping(_ component: PathComponent) -> Bool {
    guard case .attribute(let name) = component else { return false }
    return ["_parameters", "_buffers", "_modules"].contains(name)
  }
}

/// A leaf of a graph with its name in the layout `plain`.
package struct NamedLeaf: Sendable {
  /// The unique name.
  package var name: String
  /// The leaf.
  package var leaf: Leaf
  /// The value.
  package var node: NodeID { leaf.node }

  /// Returns every leaf of `graph` in order, including empty dicts.
  ///
  /// - Throws: `limitExceeded` if shared containers multiply beyond ``Limits``.
  package static func all(of graph: TensorGraph) throws(CheckpointError) -> [NamedLeaf] {
    try NamedLeaves(of: graph).all
  }
}

/// The leaves of a graph with their names and the paths to them.
package struct NamedLeaves: Sendable {
  /// The leaves in order, empty dicts included.
  package private(set) var all: [NamedLeaf] = []
  /// The paths to them.
  package let paths: Leaves

  /// Finds and names the leaves of `graph`.
  ///
  /// - Throws: `limitExceeded` when shared containers multiply beyond ``Limits``.
  package init(of graph: TensorGraph) throws(CheckpointError) {
    paths = try LeafWalk.leaves(of: graph)
    var names = TensorNames(graph: graph, layout: .plain, count: paths.all.count)
    all.reserveCapacity(paths.all.count)
    for leaf in paths.all {
      all.append(NamedLeaf(name: names.plainName(of: leaf, among: paths), leaf: leaf))
    }
  }

  /// The leaves that are tensors.
  package var tensors: [NamedLeaf] { all.filter { $0.leaf.kind == .tensor } }

  /// Returns the dict and key of a leaf; `nil` if it is not a value of a dict.
  package func entry(of leaf: NamedLeaf) -> (dict: NodeID, key: NodeID)? {
    guard let step = paths.lastStep(to: leaf.leaf), case .key(let key) = step.component else {
      return nil
    }
    return (step.container, key)
  }
}

/// Reads the names of tensors in OLMo's layout: base64 of a pickled pair of key path and flag.
///
/// OLMo itself runs `pickle.loads` on every name. Here the machine for all pickles reads them,
/// which runs nothing.
enum OLMoNameDecoder {
  /// The contents of a name.
  struct Key {
    /// The keys on the way to the value.
    var path: [NodeID]
    /// Whether the entry's bytes are a pickle.
    var isPickled: Bool
  }

  /// Whether `name` looks like one of OLMo's: base64 of something that begins like a pickle.
  static func isOLMo(_ name: String) -> Bool {
    // These are the first twelve bits of a pickle of protocol 2 to 15.
    guard name.begins(with: "gA"), let bytes = Base64.decode(name, .urlSafe),
      bytes.count >= 4
    else { return false }
    return bytes[0] == 0x80 && (2...5).contains(bytes[1]) && bytes[bytes.count - 1] == 0x2e
  }

  /// Decodes `name` and adds its parts to the graph of the machine.
  ///
  /// - Throws: `malformed` for another name, `forbidden` for one that can run code.
  static func decode(
    _ name: String, with machine: inout Unpickler
  ) throws(CheckpointError) -> Key {
    guard let bytes = Base64.decode(name, .urlSafe) else {
      throw CheckpointError(
        .malformed, "the name is not base64, but other names of this file are OLMo's")
    }
    var reader = ByteReader(bytes.span)
    let pair = try machine.loadWhole(&reader)
    guard let parts = machine.graph.tuple(pair), parts.count == 2, let first = parts.first,
      let path = machine.graph.tuple(first), path.count <= Limits.pathLength, let last = parts.last,
      case .bool(let isPickled) = machine.graph[last]
    else {
      throw CheckpointError(.malformed, "the name is not a pair of a tuple of keys and a flag")
    }
    return Key(path: Array(path), isPickled: isPickled)
  }

  /// Returns the keys of a name for messages; another name is returned unchanged.
  static func label(of name: String) -> String {
    var machine = Unpickler()
    guard let key = try? decode(name, with: &machine) else { return name }
    return TensorNames(graph: machine.finish(), layout: .olmo)
      .plainName(of: key.path.map { .key($0) })
  }
}

extension Unpickler {
  /// Reads a complete pickle, as OLMo's loader needs it: `pickle.loads` cannot resolve a persistent
  /// id.
  ///
  /// - Throws: `malformed` for a persistent id, and the errors of ``load(_:)``.
  mutating func loadWhole(_ reader: inout ByteReader) throws(CheckpointError) -> NodeID {
    let firstNode = graph.nodeCount
    let root = try load(&reader)
    for index in firstNode..<graph.nodeCount {
      guard case .persistent = graph[NodeID(index: index)] else { continue }
      throw CheckpointError(.malformed, "the pickle refers to something outside of it")
    }
    return root
  }
}
