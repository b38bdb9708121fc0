package import CkptContainer
package import CkptGraph
internal import CkptJSON

/// Writes the parts of a graph that safetensors has no place for, as `Documentation/skeleton.md`
/// specifies.
package struct SkeletonWriter {
  /// The version of the format that is written.
  static let version = 2

  /// The key of the skeleton in `__metadata__`.
  package static let metadataKey = "ckptconv.skeleton"

  /// The deepest nesting of nodes.
  static let depthLimit = 32

  /// The largest int that every JSON reader keeps exactly (RFC 8259, section 6).
  static let largestInlineInt = 1 << 53 - 1

  /// The entry that holds the bytes of a tensor.
  package struct Placement: Sendable {
    /// The name of the entry, `nil` for a tensor without data.
    package var name: String?
    /// Whether the dtype and shape of the entry differ from the tensor's.
    package var isDisguised: Bool
    /// Whether the name follows from the keys on the first path to the tensor.
    ///
    /// Such a path leads through dicts only, and its keys are strs and ints.
    package var followsKeys: Bool

    /// Creates a placement in the entry `name`, or in none.
    package init(name: String?, isDisguised: Bool, followsKeys: Bool = false) {
      self.name = name
      self.isDisguised = isDisguised
      self.followsKeys = followsKeys
    }
  }

  let graph: TensorGraph
  /// The placements, by tensor index.
  private let placements: [Placement?]
  /// The calls whose results the pickle threw away, if all of their tensors have an entry.
  private let discarded: [NodeID]
  private(set) var table: SkeletonTable
  private var finder = TensorFormFinder()
  /// The JSON text of the forms.
  private var forms = JSONWriter()
  /// The nesting depth of the node that is being written.
  private var depth = 0
  /// The default key of the next storage.
  private var nextKey = 0
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
    forms.beginArray()
    json.member("skeleton", Self.version)
    json.member("layout", layout.rawValue)
    write(container)
    json.key("root")
    value(graph.root)
    if !discarded.isEmpty {
      json.key("discarded")
      json.beginArray()
      for id in discarded { value(id) }
      json.endArray()
    }
    json.key("nodes")
    json.beginArray()
    while let id = table.next() { node(id) }
    json.endArray()
    forms.endArray()
    json.key("forms")
    json.value(json: String(decoding: forms.bytes, as: UTF8.self))
    json.endObject()
  }

  // MARK: Values

  private mutating func value(_ id: NodeID) {
    switch graph[id] {
    case .none: json.null()
    case .bool(let value): json.bool(value)
    case .int(let value) where value.magnitude <= Self.largestInlineInt: json.integer(value)
    case .float(let value) where value.isFinite: json.number(value)
    case .string(let run) where !table.isShared(id) && Self.isUTF8(graph[run]):
      json.string(utf8: graph[run])
    default:
      guard !table.isShared(id), depth < Self.depthLimit else {
        json.beginArray()
        json.integer(table.number(of: id))
        return json.endArray()
      }
      depth += 1
      node(id)
      depth -= 1
    }
  }

  private static func isUTF8(_ text: ArraySlice<UInt8>) -> Bool {
    (try? UTF8Span(validating: text.span)) != nil
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
      if Self.isUTF8(graph[run]) {
        json.string(utf8: graph[run])
      } else {
        json.null()
        json.string(Base64.encode(graph[run], .standard))
      }
    case .bytes(let run):
      json.string("bytes")
      json.string(Base64.encode(graph[run], .standard))
      if let spelling = graph.spellings[id], table.isShared(spelling) { value(spelling) }
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
      guard !isWrittenByForm(tensor, placement) else { return }
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

/// Tensors that are written by their forms.
extension SkeletonWriter {
  /// Writes the rest of a tensor's node by its form; returns false for a tensor without one.
  private mutating func isWrittenByForm(_ tensor: Tensor, _ placement: Placement?) -> Bool {
    guard case .call(let object) = tensor.origin, let placement, let name = placement.name,
      !placement.isDisguised,
      let (form, key) = TensorFormFinder.form(
        of: tensor, graph[object], in: graph, isShared: { table.isShared($0) }),
      case .string(let text) = graph[key]
    else { return false }
    let (number, isNew) = finder.number(of: form)
    if isNew { write(form) }
    json.integer(number)
    let keyNumber = table.isShared(key) ? nil : DecimalKey.number(graph[text])
    if keyNumber == nil || keyNumber != nextKey {
      value(key)
    } else if !placement.followsKeys {
      json.null()
    }
    if let keyNumber { nextKey = keyNumber + 1 }
    if !placement.followsKeys { json.string(name) }
    return true
  }

  /// Writes a form into the table of forms.
  private mutating func write(_ form: TensorForm) {
    swap(&json, &forms)
    json.beginArray()
    for part in [form.function, form.kind, form.storageClass, form.location] { value(part) }
    json.integer(form.elementCount)
    json.integer(form.offset)
    json.integers(form.shape)
    json.integers(form.strides)
    json.bool(form.requiresGradient)
    value(form.hooks)
    for part in form.others { value(part) }
    json.endArray()
    swap(&json, &forms)
  }
}

/// The nodes of a graph that get an entry in the table of a skeleton, and their numbers.
///
/// These are the nodes with more than one reference, and those that are nested too deep.
struct SkeletonTable {
  /// The number of each node plus one, or one of the values below; by the node's index in the graph.
  private var states: [Int32]
  private static let unreached: Int32 = 0
  private static let single: Int32 = -1
  private static let shared: Int32 = -2

  /// The nodes with numbers, in order.
  private var nodes: [NodeID] = []
  /// The count of nodes that have been returned by ``next()``.
  private var writtenCount = 0

  /// Counts the references to all nodes that `roots` reach.
  init(of graph: TensorGraph, roots: [NodeID]) {
    var states = [Int32](repeating: Self.unreached, count: graph.nodeCount)
    var pending: [NodeID] = []
    func refer(to id: NodeID) {
      let isNew = states[Int(id.index)] == Self.unreached
      states[Int(id.index)] = isNew ? Self.single : Self.shared
      if isNew { pending.append(id) }
    }
    for root in roots { refer(to: root) }
    while let id = pending.popLast() { graph.forEachReference(of: id) { refer(to: $0) } }
    self.states = states
  }

  /// Whether the roots reach a node.
  func isReached(_ id: NodeID) -> Bool { states[Int(id.index)] != Self.unreached }

  /// Whether a node has more than one reference, or a number.
  func isShared(_ id: NodeID) -> Bool { states[Int(id.index)] < Self.single || hasNumber(id) }

  private func hasNumber(_ id: NodeID) -> Bool { states[Int(id.index)] > Self.unreached }

  /// Returns the number of a node; gives it the next one if it has none.
  mutating func number(of id: NodeID) -> Int {
    if !hasNumber(id) {
      nodes.append(id)
      states[Int(id.index)] = Int32(nodes.count)
    }
    return Int(states[Int(id.index)]) - 1
  }

  /// Returns the next node of the table, or `nil` if all have been returned.
  mutating func next() -> NodeID? {
    guard writtenCount < nodes.count else { return nil }
    writtenCount += 1
    return nodes[writtenCount - 1]
  }
}
