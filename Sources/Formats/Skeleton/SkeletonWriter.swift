package import CkptContainer
package import CkptGraph
internal import CkptJSON

/// Writes the parts of a graph that safetensors has no place for, as `Documentation/skeleton.md`
/// specifies.
package struct SkeletonWriter {
  /// The version of the format.
  static let version = 1

  /// The key of the skeleton in `__metadata__`.
  package static let metadataKey = "ckptconv.skeleton"

  /// The entry that holds the bytes of a tensor.
  package struct Placement: Sendable {
    /// The name of the entry, `nil` for a tensor without data.
    package var name: String?
    /// Whether the dtype and shape of the entry differ from the tensor's.
    package var isDisguised: Bool

    /// Creates a placement in the entry `name`, or in none.
    package init(name: String?, isDisguised: Bool) {
      self.name = name
      self.isDisguised = isDisguised
    }
  }

  let graph: TensorGraph
  /// The placements, by tensor index.
  private let placements: [Placement?]
  /// The calls whose results the pickle threw away, if all of their tensors have an entry.
  private let discarded: [NodeID]
  private let table: SkeletonTable
  var json = JSONWriter()

  /// Returns the skeleton of `graph` as JSON text.
  package static func write(
    _ graph: TensorGraph, from container: (any ContainerDescription)?, layout: Layout,
    placements: [Placement?]
  ) -> [UInt8] {
    var writer = SkeletonWriter(graph: graph, placements: placements)
    writer.write(from: container, layout: layout)
    return writer.json.bytes
  }

  private init(graph: TensorGraph, placements: [Placement?]) {
    self.graph = graph
    self.placements = placements
    discarded = Self.placed(graph.discarded, in: graph, placements)
    table = SkeletonTable(of: graph, roots: [graph.root] + discarded)
  }

  /// Removes the nodes that hold a tensor without an entry from `ids`.
  ///
  /// Such a call could not be read back.
  private static func placed(
    _ ids: [NodeID], in graph: TensorGraph, _ placements: [Placement?]
  ) -> [NodeID] {
    guard !ids.isEmpty else { return [] }
    let holdsUnplaced = graph.nodesHoldingTensors {
      graph[$0].storage != nil && placements[graph.index(of: $0)] == nil
    }
    return ids.filter { !holdsUnplaced[graph.index(of: $0)] }
  }

  private mutating func write(from container: (any ContainerDescription)?, layout: Layout) {
    json.beginObject()
    json.member("skeleton", Self.version)
    json.member("layout", layout.rawValue)
    write(container)
    json.key("root")
    value(graph.root)
    json.key("nodes")
    json.beginArray()
    for id in table.nodes { node(id) }
    json.endArray()
    if !discarded.isEmpty {
      json.key("discarded")
      json.beginArray()
      for id in discarded { value(id) }
      json.endArray()
    }
    json.endObject()
  }

  // MARK: Values

  private mutating func value(_ id: NodeID) {
    if let number = table.number(of: id) {
      json.beginArray()
      json.integer(number)
      return json.endArray()
    }
    switch graph[id] {
    case .bool(let value): json.bool(value)
    case .int(let value): json.integer(value)
    case .float(let value): json.number(value)
    case .string(let run): json.string(utf8: graph[run])
    default: json.null()
    }
  }

  private mutating func values(_ run: NodeRun) {
    for id in graph[run] { value(id) }
  }

  private mutating func node(_ id: NodeID) {
    json.beginArray()
    switch graph[id] {
    case .none, .bool: break
    case .int(let value):
      json.string("int")
      json.string((value < 0 ? "-0x" : "0x") + String(value.magnitude, radix: 16))
    case .largeInt(let run):
      json.string("int")
      json.string(TensorGraph.hexadecimalText(graph[run]))
    case .float(let value):
      json.string("float")
      let digits = String(value.bitPattern, radix: 16)
      json.string(String(repeating: "0", count: 16 - digits.count) + digits)
    case .string(let run):
      json.string("str")
      if String(validating: graph[run], as: UTF8.self) != nil {
        json.string(utf8: graph[run])
      } else {
        json.null()
        json.string(Base64.encode(graph[run], .standard))
      }
    case .bytes(let run):
      json.string("bytes")
      json.string(Base64.encode(graph[run], .standard))
      if let spelling = graph.spellings[id], table.number(of: spelling) != nil { value(spelling) }
    case .byteArray(let run):
      json.string("bytearray")
      json.string(Base64.encode(graph[run], .standard))
    case .tuple(let run): container("tuple", run)
    case .list(let run): container("list", run)
    case .dict(let run): container("dict", run)
    case .set(let run): container("set", run)
    case .frozenSet(let run): container("frozenset", run)
    case .global(let module, let name):
      json.string("global")
      value(module)
      value(name)
    case .object(let object): call(graph[object])
    case .persistent(let value):
      json.string("persistent")
      self.value(value)
    case .tensor(let id): tensor(graph[id], placements[graph.index(of: id)])
    }
    json.endArray()
  }

  private mutating func container(_ kind: String, _ run: NodeRun) {
    json.string(kind)
    values(run)
  }

  private mutating func call(_ object: ObjectNode) {
    switch object.form {
    case .call: json.string("call")
    case .new: json.string("new")
    case .newWithKeywords: json.string("new_ex")
    case .instance: json.string("instance")
    }
    value(object.callable)
    value(object.arguments)
    if let keywords = object.keywords { value(keywords) }
    contents(object)
  }

  /// Writes the steps that follow the call of an object.
  private mutating func contents(_ object: ObjectNode) {
    guard object.items.count > 0 || object.pairs.count > 0 || object.state != nil else { return }
    json.beginObject()
    if object.items.count > 0 { list("items", object.items) }
    if object.pairs.count > 0 { list("pairs", object.pairs) }
    if let state = object.state {
      json.key("state")
      value(state)
    }
    json.endObject()
  }

  private mutating func list(_ key: String, _ run: NodeRun) {
    json.key(key)
    json.beginArray()
    values(run)
    json.endArray()
  }

  private mutating func tensor(_ tensor: Tensor, _ placement: Placement?) {
    if case .storage(let id) = tensor.origin {
      json.string("storage")
      name(placement)
      value(id)
    } else {
      json.string("tensor")
      name(placement)
      if case .call(let object) = tensor.origin {
        json.beginArray()
        call(graph[object])
        json.endArray()
      } else {
        json.null()
      }
    }
    guard let placement, placement.isDisguised || placement.name == nil else { return }
    json.beginObject()
    json.member("dtype", tensor.dtype.name)
    json.member("shape", tensor.shape)
    json.endObject()
  }

  private mutating func name(_ placement: Placement?) {
    if let name = placement?.name { json.string(name) } else { json.null() }
  }
}

/// The nodes of a graph that get an entry in the table of a skeleton, and their numbers.
struct SkeletonTable {
  /// The nodes, by number.
  private(set) var nodes: [NodeID] = []
  /// The number of each node, by its index in the graph; negative for none.
  private var numbers: [Int32]

  /// Numbers the nodes that `roots` reach.
  ///
  /// Scalars that are written inline get no number.
  init(of graph: TensorGraph, roots: [NodeID]) {
    numbers = [Int32](repeating: -1, count: graph.nodeCount)
    let reachable = graph.reachable(from: roots)
    var uses = [UInt8](repeating: 0, count: graph.nodeCount)
    for id in reachable {
      graph.forEachReference(of: id) { uses[Int($0.index)] = min(uses[Int($0.index)] + 1, 2) }
    }
    for id in reachable where !Self.isInline(id, of: graph, isShared: uses[Int(id.index)] > 1) {
      numbers[graph.index(of: id)] = Int32(nodes.count)
      nodes.append(id)
    }
  }

  /// Returns the number of a node; `nil` for one that is written inline.
  func number(of id: NodeID) -> Int? {
    let number = numbers[Int(id.index)]
    return number < 0 ? nil : Int(number)
  }

  /// The largest int that every JSON reader keeps exactly (RFC 8259, section 6).
  private static let largestInlineInt = 1 << 53 - 1

  private static func isInline(_ id: NodeID, of graph: TensorGraph, isShared: Bool) -> Bool {
    switch graph[id] {
    case .none, .bool: true
    case .int(let value): value.magnitude <= largestInlineInt
    case .float(let value): value.isFinite
    case .string(let run): !isShared && String(validating: graph[run], as: UTF8.self) != nil
    default: false
    }
  }
}
