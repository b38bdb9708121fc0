internal import Graph
internal import JSON
internal import Pickle

/// Writes what a graph has beside the bytes of its tensors, as `Documentation/skeleton.md`
/// specifies it.
struct SkeletonWriter {
  /// The version of the format.
  static let version = 1

  /// The key of `__metadata__` that a skeleton stands under.
  static let metadataKey = "ckptconv.skeleton"

  /// Where a tensor's bytes went.
  struct Placement {
    /// The name of the entry, `nil` for a tensor without data.
    var name: String?
    /// Whether the entry's dtype and shape are not the tensor's own.
    var isDisguised: Bool
  }

  private let graph: TensorGraph
  /// By the tensors' places in the graph.
  private let placements: [Placement?]
  /// The calls whose results the pickle threw away, as far as all of their tensors have a place.
  private let discarded: [NodeID]
  /// The number of each node in the table, by its place in the graph; negative without one.
  private var numbers: [Int32]
  private var table: [NodeID] = []
  private var json = JSONWriter()

  /// The skeleton of `graph` as JSON text.
  static func write(
    _ graph: TensorGraph, source: SourceDescription, layout: Layout,
    placements: [Placement?]
  ) -> [UInt8] {
    var writer = SkeletonWriter(graph: graph, placements: placements)
    writer.number()
    writer.write(source: source, layout: layout)
    return writer.json.bytes
  }

  private init(graph: TensorGraph, placements: [Placement?]) {
    self.graph = graph
    self.placements = placements
    discarded = Self.placed(graph.discarded, in: graph, placements)
    numbers = [Int32](repeating: -1, count: graph.nodeCount)
  }

  /// The nodes among `ids` without those that hold a tensor whose bytes went nowhere: such a call
  /// could not be read back.
  private static func placed(
    _ ids: [NodeID], in graph: TensorGraph, _ placements: [Placement?]
  ) -> [NodeID] {
    guard !ids.isEmpty else { return [] }
    let holdsUnplaced = graph.nodesHoldingTensors {
      graph[$0].storage != nil && placements[graph.index(of: $0)] == nil
    }
    return ids.filter { !holdsUnplaced[graph.index(of: $0)] }
  }

  /// Numbers the nodes that need a place of their own in the table.
  private mutating func number() {
    let reachable = graph.reachable(from: [graph.root] + discarded)
    var uses = [UInt8](repeating: 0, count: graph.nodeCount)
    for id in reachable {
      graph.forEachReference(of: id) { uses[Int($0.index)] = min(uses[Int($0.index)] + 1, 2) }
    }
    for id in reachable where !isInline(id, isShared: uses[Int(id.index)] > 1) {
      numbers[graph.index(of: id)] = Int32(table.count)
      table.append(id)
    }
  }

  private func number(of id: NodeID) -> Int? {
    let number = numbers[graph.index(of: id)]
    return number < 0 ? nil : Int(number)
  }

  /// The largest int that every JSON reader keeps exactly (RFC 8259, section 6).
  private static let largestInlineInt = 1 << 53 - 1

  private func isInline(_ id: NodeID, isShared: Bool) -> Bool {
    switch graph[id] {
    case .none, .bool: true
    case .int(let value): value.magnitude <= Self.largestInlineInt
    case .float(let value): value.isFinite
    case .string(let run): !isShared && String(validating: graph[run], as: UTF8.self) != nil
    default: false
    }
  }

  private mutating func write(source: SourceDescription, layout: Layout) {
    json.beginObject()
    json.member("skeleton", Self.version)
    json.member("layout", layout.rawValue)
    write(source)
    json.key("root")
    value(graph.root)
    json.key("nodes")
    json.beginArray()
    for id in table { node(id) }
    json.endArray()
    if !discarded.isEmpty {
      json.key("discarded")
      json.beginArray()
      for id in discarded { value(id) }
      json.endArray()
    }
    json.endObject()
  }

  private mutating func write(_ source: SourceDescription) {
    guard case .torch(let archive) = source.container else { return }
    json.key("source")
    json.beginObject()
    json.member("container", archive.isTorchScript ? "torchscript" : "torch-zip")
    json.member("prefix", archive.prefix)
    json.member("protocol", archive.pickleProtocol)
    json.member("byteorder", archive.isBigEndian ? "big" : "little")
    json.key("records")
    json.beginArray()
    for record in archive.records {
      json.beginArray()
      switch record {
      case .pickle(let name): json.string(name)
      case .storage(let name, let byteCount):
        json.string(name)
        json.integer(byteCount)
      case .other(let name, let bytes):
        json.string(name)
        json.string(Base64.encode(bytes, .standard))
      case .compressed(let name, let bytes, let byteCount):
        json.string(name)
        json.string(Base64.encode(bytes, .standard))
        json.integer(byteCount)
      }
      json.endArray()
    }
    json.endArray()
    if !archive.hasChecksums { json.member("checksums", false) }
    if let pickle = archive.pickleBytes, !isRespelled(pickle, archive.pickleProtocol) {
      json.member("pickle", Base64.encode(pickle, .standard))
    }
    json.endObject()
  }

  /// Whether our own pickler writes exactly `pickle` for the graph.
  private func isRespelled(_ pickle: [UInt8], _ version: Int) -> Bool {
    // What cannot be pickled by that protocol has been spelled by another pickler.
    let own = try? Pickler.pickle(graph.root, of: graph, protocol: max(version, 2))
    return own == pickle
  }

  // MARK: Values

  private mutating func value(_ id: NodeID) {
    if let number = number(of: id) {
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
      if let spelling = graph.spellings[id], number(of: spelling) != nil { value(spelling) }
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

  /// What is done to an object after its call.
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
