internal import Bytes
package import Graph

/// Finds every global of a graph and what the calls in it would do with them.
package struct GlobalCensus {
  /// An operation of a pickle that makes an object, and its place.
  struct CallOrigin {
    var opcode: Opcode
    var offset: Int
  }

  /// A global as it is counted: by what it is, not by where it stands.
  struct Key: Hashable {
    var module: String
    var name: String
  }

  let graph: TensorGraph
  /// Where globals are named.
  private let offsets: [NodeID: Int]
  /// Where objects are made, by their number.
  private let calls: [CallOrigin]
  private var uses: [Key: GlobalUse] = [:]

  /// Everything that `graph` names, reachable or not, the worst first.
  package static func uses(in graph: TensorGraph) -> [GlobalUse] {
    uses(in: graph, offsets: [:], calls: [], states: [], plainCalls: [])
  }

  /// Everything that the graph of a pickle names; `states` are globals that are given a state,
  /// `plainCalls` those whose calls became plain values.
  static func uses(
    in graph: TensorGraph, offsets: [NodeID: Int], calls: [CallOrigin], states: [NodeID],
    plainCalls: [NodeID]
  ) -> [GlobalUse] {
    var census = GlobalCensus(graph: graph, offsets: offsets, calls: calls)
    census.countNames()
    for (index, object) in graph.objects.enumerated() { census.count(object, number: index) }
    for id in states { census.countState(of: id) }
    for id in plainCalls { census.countPlainCall(of: id) }
    return census.sorted()
  }

  private init(graph: TensorGraph, offsets: [NodeID: Int], calls: [CallOrigin]) {
    self.graph = graph
    self.offsets = offsets
    self.calls = calls
  }

  private func sorted() -> [GlobalUse] {
    uses.values.sorted { first, second in
      let ranks = (first.verdict.severity, second.verdict.severity)
      if ranks.0 != ranks.1 { return ranks.0 > ranks.1 }
      let places = (first.offset ?? 0, second.offset ?? 0)
      return places.0 != places.1
        ? places.0 < places.1 : first.qualifiedName < second.qualifiedName
    }
  }

  // MARK: Names

  private mutating func countNames() {
    for index in 0..<graph.nodeCount {
      let id = NodeID(index: index)
      guard case .global(let module, let name) = graph[id] else { continue }
      let key = key(ofGlobal: id)
      let offset = offsets[id]
      update(key) { use in
        use.mentions += 1
        if use.offset == nil { use.offset = offset }
      }
      if let remark = remark(onName: module) ?? remark(onName: name) {
        update(key) { use in
          use.verdict = .dangerous
          use.remark = remark
        }
      } else if key.module == "copyreg", key.name.hasPrefix("extension code") {
        update(key) { use in use.ways.insert(.registered) }
      }
    }
  }

  func key(ofGlobal id: NodeID) -> Key {
    guard case .global(let module, let name) = graph[id] else { return Key(module: "", name: "") }
    return Key(module: text(module), name: text(name))
  }

  private func text(_ id: NodeID) -> String {
    graph.name(id) ?? graph.description(of: id, limit: 60)
  }

  /// What is wrong with a node as a name, or `nil`.
  ///
  /// A name of any length may lead to dangerous places: `posixpath.os.path.os.path.os.system`.
  private func remark(onName id: NodeID) -> String? {
    guard graph.name(id) == nil else { return nil }
    guard case .string(let run) = graph[id], run.count > Limits.nameBytes else {
      return "its name is put together while the pickle is loaded"
    }
    return "its name has \(run.count) bytes, more than any name"
  }

  private mutating func update(_ key: Key, _ change: (inout GlobalUse) -> Void) {
    var use =
      uses[key]
      ?? GlobalUse(
        module: key.module, name: key.name,
        verdict: GlobalPolicy.verdict(module: key.module, name: key.name))
    change(&use)
    uses[key] = use
  }

  // MARK: Calls

  private mutating func count(_ object: ObjectNode, number: Int) {
    let origin = number < calls.count ? calls[number] : nil
    let way = origin.map(Self.way) ?? Self.way(of: object.form)
    if let key = reached(from: object.callable) {
      update(key) { use in
        use.calls += 1
        use.ways.insert(way)
        if object.state != nil { use.ways.insert(.build) }
      }
    } else if let key = key(ofMaker: object.callable) {
      update(key) { use in use.ways.insert(.result) }
    }
    if graph.isGlobal(object.callable, "builtins", "getattr") {
      countAttribute(object, offset: origin?.offset)
    }
  }

  private mutating func countState(of global: NodeID) {
    update(key(ofGlobal: global)) { use in
      use.ways.insert(.build)
      use.remark = use.remark ?? "its attributes are overwritten"
    }
  }

  private mutating func countPlainCall(of callable: NodeID) {
    guard case .global = graph[callable] else { return }
    update(key(ofGlobal: callable)) { use in
      use.calls += 1
      use.ways.insert(.reduce)
    }
  }

  /// Counts what a call of `getattr` reaches, which is a nested class in honest pickles.
  private mutating func countAttribute(_ call: ObjectNode, offset: Int?) {
    let path = attributePath(call)
    if let path {
      update(path) { use in
        use.mentions += 1
        use.ways.insert(.attribute)
        if use.offset == nil { use.offset = offset }
      }
    }
    guard graph.nestedClassParts(ofArguments: call.arguments) == nil else { return }
    update(Key(module: "builtins", name: "getattr")) { use in
      use.verdict = .dangerous
      use.remark = "it reaches for what is not a class"
    }
  }

  private func attributePath(_ call: ObjectNode) -> Key? {
    guard let arguments = graph.tuple(call.arguments), arguments.count >= 2,
      let owner = arguments.first, let attribute = graph.name(arguments[arguments.startIndex + 1])
    else { return nil }
    guard let key = reached(from: owner) else { return nil }
    return Key(module: key.module, name: key.name.isEmpty ? attribute : "\(key.name).\(attribute)")
  }

  private static func way(of origin: CallOrigin) -> GlobalUse.Way {
    switch origin.opcode {
    case .newObject: .newObject
    case .newObjectEx: .newObjectEx
    case .instance: .instance
    case .object: .object
    default: .reduce
    }
  }

  private static func way(of form: ObjectNode.Form) -> GlobalUse.Way {
    switch form {
    case .call: .reduce
    case .new: .newObject
    case .newWithKeywords: .newObjectEx
    case .instance: .object
    }
  }
}

extension GlobalPolicy.Verdict {
  /// The worse, the larger.
  package var severity: Int {
    switch self {
    case .known: 0
    case .opaque: 1
    case .dangerous: 2
    }
  }
}
