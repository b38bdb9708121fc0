internal import Bytes
internal import Graph
internal import JSON
internal import Pickle

/// Names the leaves of a graph for one file, each differently.
struct TensorNames {
  /// The protocol of OLMo's names: the default of CPython 3.8 to 3.13.
  static let olmoProtocol = 4

  private let graph: TensorGraph
  private let layout: Layout
  /// A tensor of this name cannot be read back: the header uses it for something else.
  private var used: Set<ExactString> = [ExactString("__metadata__")]
  /// The last number that was put behind a name that was taken.
  private var lastNumbers: [ExactString: Int] = [:]
  /// The bytes of the names in layout `olmo` that were made.
  private var byteCount = 0
  /// Paths whose names were taken and got a number.
  private(set) var renamed: [String] = []

  init(graph: TensorGraph, layout: Layout) {
    self.graph = graph
    self.layout = layout
  }

  /// Makes room for the names of `count` leaves.
  mutating func reserveCapacity(_ count: Int) { used.reserveCapacity(count + 1) }

  /// The name of a leaf with the path to it, different from all names given before.
  ///
  /// - Throws: `unsupported` for a key that OLMo's layout has no way to pickle, `limitExceeded` for
  ///   names that are longer together than any file.
  mutating func name(
    of leaf: Leaf, at path: [PathComponent], isPickled: Bool = false
  ) throws(FormatError) -> String {
    switch layout {
    case .plain: return unique(plainName(of: path))
    case .olmo: return try olmoName(of: leaf, at: path, isPickled: isPickled)
    }
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
  ) throws(FormatError) -> String {
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
  ) throws(FormatError) -> String {
    let name = try Self.olmoKey(path, isPickled: isPickled, of: graph)
    byteCount += name.utf8.count
    // A pickle in base64 has some twice as many bytes as the keys in it.
    guard byteCount <= 4 * graph.pathByteLimit else {
      throw FormatError(
        .limitExceeded, "the names of values have more than \(byteCount) bytes together",
        hint: "this is a file made to exhaust its readers")
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
  ) throws(FormatError) -> String {
    Base64.encode(
      try Pickler.pickle(keys: path, flag: isPickled, of: graph, protocol: olmoProtocol), .urlSafe)
  }

  /// Takes a name; returns whether it was free.
  private mutating func claim(_ name: String) -> Bool { used.insert(ExactString(name)).inserted }

  /// The next number to try behind a name that is taken: 2, 3 and so on.
  private mutating func nextNumber(behind name: String) -> Int {
    lastNumbers[ExactString(name), default: 1] += 1
    return lastNumbers[ExactString(name), default: 1]
  }

  private func text(_ component: PathComponent) -> String {
    switch component {
    case .index(let index): String(index)
    case .attribute(let name): name
    case .key(let id): graph.string(id) ?? graph.description(of: id, limit: 120)
    }
  }

  /// Whether a step only leads through the dicts in which a pickled `nn.Module` keeps its tensors.
  private func isModuleBookkeeping(_ component: PathComponent) -> Bool {
    guard case .attribute(let name) = component else { return false }
    return ["_parameters", "_buffers", "_modules"].contains(name)
  }
}
