package import CkptBase
package import CkptGraph
internal import CkptJSON
internal import CkptPickle
internal import CkptSkeleton

/// Names the leaves of a graph for one file, each differently.
struct TensorNames {
  /// The protocol of OLMo's names: the default of CPython 3.8 to 3.13.
  static let olmoProtocol = 4

  private let graph: TensorGraph
  private let layout: Layout
  /// The names that are taken, of which the first is what the header uses for something else.
  private var used: [String] = []
  private var table: TextTable
  /// The last number that was put behind a name that was taken.
  private var lastNumbers: [ExactString: Int] = [:]
  /// The bytes of the names in layout `olmo` that were made.
  private var byteCount = 0
  /// What the names of the leaves below one step begin with: neighbors have it in common.
  private var beginning = (step: Leaves.root, text: "")
  /// Paths whose names were taken and got a number.
  private(set) var renamed: [String] = []

  /// Names for some `count` leaves of `graph`.
  init(graph: TensorGraph, layout: Layout, count: Int = 0) {
    self.graph = graph
    self.layout = layout
    table = TextTable(expectedCount: count + 1)
    used.reserveCapacity(count + 1)
    _ = claim("__metadata__")
  }

  /// The name of a leaf with the path to it, different from all names given before.
  ///
  /// - Throws: `unsupported` for a key that OLMo's layout has no way to pickle, `limitExceeded` for
  ///   names that are longer together than any file.
  mutating func name(
    of leaf: Leaf, at path: [PathComponent], isPickled: Bool = false
  ) throws(CheckpointError) -> String {
    switch layout {
    case .plain: return unique(plainName(of: path))
    case .olmo: return try olmoName(of: leaf, at: path, isPickled: isPickled)
    }
  }

  /// The name of a leaf by the path that people write, different from all names given before; the
  /// same as ``name(of:at:isPickled:)`` in layout `plain`.
  mutating func plainName(of leaf: Leaf, among leaves: Leaves) -> String {
    guard let step = leaves.lastStep(to: leaf) else { return unique("tensor") }
    if step.previous != beginning.step {
      let parents = leaves.path(toStep: step.previous).filter { !isModuleBookkeeping($0) }
      beginning = (step.previous, parents.map { text($0) + "." }.joined())
    }
    let last = text(step.component)
    return unique(beginning.text.isEmpty ? last : beginning.text + last)
  }

  /// The path to a leaf as people write it, for messages.
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

  /// The url-safe base64 of the pickled pair of key path and flag (`olmo/safetensors_util.py`).
  private mutating func olmoName(
    of leaf: Leaf, at path: [PathComponent], isPickled: Bool
  ) throws(CheckpointError) -> String {
    var path = path.isEmpty ? [.attribute(isPickled ? "value" : "tensor")] : path
    if let count = leaf.tensorStepCount, count > 0 { path = besideTensor(path, stepCount: count) }
    let name = try countedKey(path, isPickled: isPickled)
    guard !claim(name) else { return name }
    // An attribute and a key of one object, or keys that only Python tells apart, such as NaN.
    renamed.append(plainName(of: path))
    let last = path.last.map(text) ?? "tensor"
    while true {
      let step = PathComponent.attribute("\(last)#\(nextNumber(behind: name))")
      let numbered = try countedKey(path.dropLast() + [step], isPickled: isPickled)
      if claim(numbered) { return numbered }
    }
  }

  /// The name for a path of keys, if names take no more bytes yet than a file can have.
  private mutating func countedKey(
    _ path: [PathComponent], isPickled: Bool
  ) throws(CheckpointError) -> String {
    let name = try Self.olmoKey(path, isPickled: isPickled, of: graph)
    byteCount += name.utf8.count
    // A pickle in base64 has some twice as many bytes as the keys in it.
    guard byteCount <= 4 * graph.pathByteLimit else {
      throw CheckpointError(
        .limitExceeded, "the names of values have more than \(byteCount) bytes together",
        remedy: "this is a file made to exhaust its readers")
    }
    return name
  }

  /// One key for all that lies below a tensor, `t.scales` beside `t`: OLMo's dicts have no place
  /// inside of one.
  private func besideTensor(_ path: [PathComponent], stepCount: Int) -> [PathComponent] {
    let joined = path[(stepCount - 1)...].map(text).joined(separator: ".")
    return path.prefix(stepCount - 1) + [.attribute(joined)]
  }

  /// The name that OLMo gives the value at the end of a path of keys.
  ///
  /// - Throws: `unsupported` for a key that OLMo's layout has no way to pickle.
  static func olmoKey(
    _ path: [PathComponent], isPickled: Bool = false, of graph: TensorGraph
  ) throws(CheckpointError) -> String {
    Base64.encode(
      try Pickler.pickle(keys: path, flag: isPickled, of: graph, protocol: olmoProtocol), .urlSafe)
  }

  /// Takes a name; returns whether it was free.
  private mutating func claim(_ name: String) -> Bool {
    let hash = TextTable.hash(name.utf8.span)
    let known = table.number(hash: hash) { ExactString(used[$0]) == ExactString(name) }
    guard known == nil else { return false }
    _ = table.update(used.count, hash: hash) { _ in false }
    used.append(name)
    return true
  }

  /// The next number to try behind a name that is taken: 2, 3 and so on.
  private mutating func nextNumber(behind name: String) -> Int {
    lastNumbers[ExactString(name), default: 1] += 1
    return lastNumbers[ExactString(name), default: 1]
  }

  private func text(_ component: PathComponent) -> String { graph.text(of: component) }

  /// Whether a step only leads through the dicts in which a pickled `nn.Module` keeps its tensors.
  private func isModuleBookkeeping(_ component: PathComponent) -> Bool {
    guard case .attribute(let name) = component else { return false }
    return ["_parameters", "_buffers", "_modules"].contains(name)
  }
}

/// A leaf of a graph under the name that layout `plain` gives it.
package struct NamedLeaf: Sendable {
  /// The name, different from all others.
  package var name: String
  /// The leaf.
  package var leaf: Leaf
  /// The value.
  package var node: NodeID { leaf.node }

  /// Every leaf of `graph` in order, empty dicts included.
  ///
  /// - Throws: `limitExceeded` when shared containers multiply beyond ``Limits``.
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

  /// The dict that a leaf is a value of, and its key; `nil` for a leaf elsewhere.
  package func entry(of leaf: NamedLeaf) -> (dict: NodeID, key: NodeID)? {
    guard let step = paths.lastStep(to: leaf.leaf), case .key(let key) = step.component else {
      return nil
    }
    return (step.container, key)
  }
}

/// Reads the names that OLMo gives tensors: base64 of a pickled pair of key path and flag.
///
/// OLMo itself runs `pickle.loads` on every one of them; here they go through the same machine as any
/// pickle, which runs nothing.
enum OLMoNameDecoder {
  /// What a name says.
  struct Key {
    /// The keys that lead to the value.
    var path: [NodeID]
    /// Whether the entry's bytes are a pickle.
    var isPickled: Bool
  }

  /// Whether `name` looks like OLMo's: base64 of something that begins like a pickle.
  static func isOLMo(_ name: String) -> Bool {
    // The first twelve bits of a pickle of protocol 2 to 15.
    guard name.begins(with: "gA"), let bytes = Base64.decode(name, .urlSafe),
      bytes.count >= 4
    else { return false }
    return bytes[0] == 0x80 && (2...5).contains(bytes[1]) && bytes[bytes.count - 1] == 0x2e
  }

  /// The key that `name` stands for, its parts added to the machine's graph.
  ///
  /// - Throws: `malformed` for a name of another form, `forbidden` for one that would run code.
  static func decode(
    _ name: String, with machine: inout Unpickler
  ) throws(CheckpointError) -> Key {
    guard let bytes = Base64.decode(name, .urlSafe) else {
      throw CheckpointError(.malformed, "the name is not base64, others of this file are OLMo's")
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

  /// The keys of a name as people write them, for messages; a name of another form as it is.
  static func label(of name: String) -> String {
    var machine = Unpickler()
    guard let key = try? decode(name, with: &machine) else { return name }
    return TensorNames(graph: machine.finish(), layout: .olmo)
      .plainName(of: key.path.map { .key($0) })
  }
}

extension Unpickler {
  /// Reads a pickle that is complete in itself, as OLMo's loader must find it: `pickle.loads` has
  /// nothing to give for a persistent id.
  ///
  /// - Throws: `malformed` for a persistent id, and what ``load(_:)`` throws.
  mutating func loadWhole(_ reader: inout ByteReader) throws(CheckpointError) -> NodeID {
    let firstNode = graph.nodeCount
    let root = try load(&reader)
    for index in firstNode..<graph.nodeCount {
      guard case .persistent = graph[NodeID(index: index)] else { continue }
      throw CheckpointError(.malformed, "the pickle refers to something outside of itself")
    }
    return root
  }
}
