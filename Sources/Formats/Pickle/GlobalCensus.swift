internal import CkptBase
package import CkptGraph

/// Lists every global that a graph names, and the effect of the calls that use it.
package struct GlobalCensus {
  /// An opcode that makes an object, and its offset.
  struct CallOrigin {
    var opcode: Opcode
    var offset: Int
  }

  /// The number of times a pickle names a global, and the offset of the first.
  struct Mentions {
    var offset: Int
    var count = 1
  }

  /// A global as it is counted: by its name, not by its node.
  struct Key: Hashable {
    var module: String
    var name: String
  }

  let graph: TensorGraph
  /// The mentions of each global.
  ///
  /// A global that is missing here is named once.
  private let mentions: [NodeID: Mentions]
  /// The opcodes that make objects, by object number.
  private let calls: [CallOrigin]
  private var uses: [Key: GlobalUse] = [:]
  /// The results of ``reached(from:)`` so far: targets of `getattr` calls.
  private var paths: [NodeID: Path?] = [:]

  /// Returns all globals that `graph` names, reachable or not, the most dangerous first.
  package static func uses(in graph: TensorGraph) -> [GlobalUse] {
    uses(in: graph, mentions: [:], calls: [], changes: [], plainCalls: [])
  }

  /// Returns all globals that the graph of a pickle names.
  ///
  /// `changes` are the globals whose attributes or items the pickle sets; `plainCalls` are those
  /// whose calls became plain values.
  static func uses(
    in graph: TensorGraph, mentions: [NodeID: Mentions], calls: [CallOrigin], changes: [NodeID],
    plainCalls: [NodeID]
  ) -> [GlobalUse] {
    var census = GlobalCensus(graph: graph, mentions: mentions, calls: calls)
    census.countNames()
    for (index, object) in graph.objects.enumerated() { census.count(object, number: index) }
    for id in changes { census.countChange(of: id) }
    for id in plainCalls { census.countPlainCall(of: id) }
    census.judgeCalls()
    return census.sorted()
  }

  private init(graph: TensorGraph, mentions: [NodeID: Mentions], calls: [CallOrigin]) {
    self.graph = graph
    self.mentions = mentions
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
      let mentions = mentions[id]
      update(key) { use in
        use.mentions += mentions?.count ?? 1
        if use.offset == nil { use.offset = mentions?.offset }
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

  /// The reason why a node is suspicious as a name, or `nil`.
  ///
  /// The check counts bytes because a long name can hide its target:
  /// `posixpath.os.path.os.path.os.system`.
  private func remark(onName id: NodeID) -> String? {
    guard graph.name(id) == nil else { return nil }
    guard case .string(let run) = graph[id], run.count > Limits.nameBytes else {
      return "its name is computed while the pickle is loaded"
    }
    return "its name has \(run.count) bytes; no real name is that long"
  }

  private mutating func update(_ key: Key, _ change: (inout GlobalUse) -> Void) {
    var use =
      uses[key]
      ?? GlobalUse(
        module: key.module, name: key.name,
        verdict: GlobalPolicy.verdict(module: key.module, name: key.name),
        danger: GlobalPolicy.danger(module: key.module, name: key.name))
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
    countUnsafeCall(object)
  }

  private mutating func countChange(of global: NodeID) {
    update(key(ofGlobal: global)) { use in
      use.ways.insert(.build)
      use.verdict = .dangerous
      use.remark =
        use.remark ?? "the pickle changes a class, a module or another object of Python's"
    }
  }

  private mutating func countPlainCall(of callable: NodeID) {
    guard case .global = graph[callable] else { return }
    update(key(ofGlobal: callable)) { use in
      use.calls += 1
      use.ways.insert(.reduce)
    }
  }

  /// Counts the target of a `getattr` call.
  ///
  /// Honest pickles use it only for nested classes.
  private mutating func countAttribute(_ call: ObjectNode, offset: Int?) {
    let path = attributePath(call)
    if let path {
      update(path) { use in
        use.mentions += 1
        use.ways.insert(.attribute)
        if use.offset == nil { use.offset = offset }
      }
    }
  }

  /// Marks a function whose call does not have its one harmless form, or whose result is called.
  private mutating func countUnsafeCall(_ call: ObjectNode) {
    guard case .refused = try? graph.judgeCall(call.callable, call.arguments),
      let key = key(ofMaker: call.callable)
    else { return }
    let isFunction = if case .global = graph[call.callable] { true } else { false }
    update(key) { use in
      use.verdict = .dangerous
      use.remark =
        isFunction ? "it looks up something other than a class" : "its result is called"
    }
  }

  /// Makes the functions that are called and not known suspicious.
  private mutating func judgeCalls() {
    for (key, use) in uses where use.verdict == .opaque {
      let isCalled = !use.ways.isDisjoint(with: [.reduce, .instance, .object])
      let remark: String? =
        if use.ways.contains(.registered) {
          "a number stands for it that only the writer's process knew"
        } else if use.ways.contains(.result) {
          "what it returns is called"
        } else if isCalled, FunctionNames.isUnknownFunction(module: key.module, name: key.name) {
          "a function that is not known is called"
        } else {
          nil
        }
      guard let remark else { continue }
      update(key) { use in
        use.verdict = .suspicious
        use.remark = use.remark ?? remark
      }
    }
  }

  private mutating func attributePath(_ call: ObjectNode) -> Key? {
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
  /// The rank of the verdict; a larger number is more dangerous.
  package var severity: Int {
    switch self {
    case .known: 0
    case .opaque: 1
    case .suspicious: 2
    case .dangerous: 3
    }
  }
}

/// The targets of calls: attributes of globals, imported modules, results of results.
extension GlobalCensus {
  /// The maximum number of chained attributes, and of chained calls.
  private static let chainLength = 64

  /// A global that a node leads to through attributes.
  struct Path {
    var key: Key
    /// The number of attributes on the way.
    var length = 0
    /// The total length of their names, in bytes.
    var byteCount = 0
  }

  /// Returns the global that a node stands for: by name, as an attribute, or as an imported module.
  mutating func reached(from start: NodeID) -> Key? {
    // A node that is resolved already costs one step, however long the chain behind it is.
    var chain: [(node: NodeID, attribute: String)] = []
    var node = start
    var path: Path?
    while chain.count < Self.chainLength {
      if let known = paths[node] {
        path = known
        break
      }
      guard case .object(let id) = graph[node] else {
        if case .global = graph[node] { path = Path(key: key(ofGlobal: node)) }
        break
      }
      let call = graph[id]
      guard let arguments = graph.tuple(call.arguments), let first = arguments.first else { break }
      if graph.isGlobal(call.callable, "builtins", "getattr"), arguments.count >= 2,
        let attribute = graph.name(arguments[arguments.startIndex + 1])
      {
        chain.append((node, attribute))
        node = first
        continue
      }
      if isImport(call.callable), let module = graph.name(first) {
        path = Path(key: Key(module: module, name: ""))
      }
      break
    }
    for (node, attribute) in chain.reversed() {
      path = path.flatMap { Self.attribute(attribute, of: $0) }
      paths[node] = path
    }
    return path?.key
  }

  private static func attribute(_ name: String, of path: Path) -> Path? {
    let byteCount = path.byteCount + name.utf8.count
    guard path.length + 1 < chainLength, byteCount <= Limits.nameBytes else { return nil }
    let whole = path.key.name.isEmpty ? name : "\(path.key.name).\(name)"
    return Path(
      key: Key(module: path.key.module, name: whole), length: path.length + 1, byteCount: byteCount)
  }

  private func isImport(_ callable: NodeID) -> Bool {
    graph.isGlobal(callable, "builtins", "__import__")
      || graph.isGlobal(callable, "importlib", "import_module")
  }

  /// Returns the global at the start of a chain of calls on results.
  func key(ofMaker start: NodeID) -> Key? {
    var node = start
    for _ in 0..<Self.chainLength {
      switch graph[node] {
      case .global: return key(ofGlobal: node)
      case .object(let id): node = graph[id].callable
      default: return nil
      }
    }
    return nil
  }
}

/// A global that a pickle names, its verdict, and the ways the pickle uses it.
public struct GlobalUse: Hashable, Sendable {
  /// A way in which a pickle uses a global beyond naming it.
  @nonexhaustive
  public enum Way: String, Hashable, Sendable, CaseIterable {
    /// Calls it.
    case reduce = "REDUCE"
    /// Makes an object of it.
    case newObject = "NEWOBJ"
    /// Makes an object of it with named arguments.
    case newObjectEx = "NEWOBJ_EX"
    /// Calls it by text, as Python 2 pickles do.
    case instance = "INST"
    /// Calls it as Python 2 pickles do.
    case object = "OBJ"
    /// Gives a state to it or to its result: `__setstate__` runs, or attributes are set.
    case build = "BUILD"
    /// Looks it up by number in the registry of `copyreg`.
    case registered = "EXT"
    /// Reaches it as an attribute of another object.
    case attribute = "getattr"
    /// Calls its result.
    case result = "call of its result"
  }

  /// The module, by its Python 3 name.
  public var module: String
  /// The name in the module, dotted for an attribute of a member; empty for the module itself.
  public var name: String
  /// The verdict on it.
  package var verdict: GlobalPolicy.Verdict
  /// The reason of a name that is dangerous.
  public var danger: Danger?
  /// The ways in which the pickle uses it.
  public var ways: Set<Way> = []
  /// The number of times the pickle names or reaches it.
  public var mentions = 0
  /// The number of times it would be called.
  public var calls = 0
  /// The offset of the first mention, in bytes; `nil` if it is unknown.
  public var offset: Int?
  /// The reason why it is more dangerous than its name suggests.
  public var remark: String?

  /// The reason for a verdict that is worse than opaque.
  public var reason: String? { remark ?? danger?.rawValue }

  /// The dotted name.
  public var qualifiedName: String { name.isEmpty ? module : "\(module).\(name)" }
}
