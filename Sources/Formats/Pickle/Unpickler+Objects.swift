internal import CkptBase
internal import CkptGraph

/// Globals, and the calls that Python would make with them. The calls are recorded, never made.
extension Unpickler {
  mutating func pushGlobal(_ reader: inout ByteReader) throws(CheckpointError) {
    let module = try readName(&reader)
    let name = try readName(&reader)
    push(try global(module, name))
  }

  mutating func pushStackGlobal() throws(CheckpointError) {
    let name = try pop()
    let module = try pop()
    guard case .string = graph[name], case .string = graph[module] else {
      guard unsafeGlobals == .report, mayBeString(name), mayBeString(module) else {
        throw CheckpointError(.malformed, "the name of a global is not a str")
      }
      return push(try graph.add(.global(module: module, name: name)))
    }
    let pair = GlobalName(module: module, name: name)
    if let known = namedGlobals[pair] { return push(known) }
    let id = try namedGlobal(pair)
    namedGlobals[pair] = id
    push(id)
  }

  /// Adds a node for the global that two strs name for the first time.
  private mutating func namedGlobal(_ pair: GlobalName) throws(CheckpointError) -> NodeID {
    if let name = graph.name(pair.name), let module = graph.name(pair.module) {
      if let dropped = try judged(module, name) { return dropped }
    } else if unsafeGlobals != .report {
      throw GlobalPolicy.tooLong
    }
    return try graph.add(.global(module: pair.module, name: pair.name))
  }

  /// Pushes a class by its number in the registry of `copyreg`.
  mutating func pushExtension(_ code: Int) throws(CheckpointError) {
    guard unsafeGlobals == .report else {
      throw CheckpointError(
        .unsupported,
        "the pickle names a class by an extension code; only the process that wrote it knows the code"
      )
    }
    push(try global("copyreg", "extension code \(code)"))
  }

  mutating func pushInstance(_ reader: inout ByteReader) throws(CheckpointError) {
    let module = try readName(&reader)
    let name = try readName(&reader)
    let callable = try global(module, name)
    let arguments = try tuple(of: popToMark())
    try pushCall(.instance, callable, arguments)
  }

  mutating func pushObject() throws(CheckpointError) {
    let items = try popToMark()
    guard let callable = items.first else {
      throw CheckpointError(.malformed, "an object without a class")
    }
    try pushCall(.instance, callable, tuple(of: items.dropFirst()))
  }

  mutating func reduce() throws(CheckpointError) {
    let arguments = try popArguments()
    let callable = try pop()
    if let value = try plainValue(of: callable, arguments) { return push(value) }
    try pushCall(.call, callable, arguments)
  }

  mutating func newObject() throws(CheckpointError) {
    let arguments = try popArguments()
    try pushCall(.new, pop(), arguments)
  }

  mutating func newObjectEx() throws(CheckpointError) {
    let keywords = try pop()
    guard mayBeDict(keywords) else {
      throw CheckpointError(.malformed, "the keyword arguments of a call are not a dict")
    }
    let arguments = try popArguments()
    try pushCall(.newWithKeywords, pop(), arguments, keywords: keywords)
  }

  mutating func build() throws(CheckpointError) {
    let state = try pop()
    let target = try top()
    guard case .object(let id) = graph[target] else {
      if let name = graph.globalName(target), unsafeGlobals != .report {
        return try refuseOrDrop("setting attributes of '\(name)'")
      }
      return try passOver(
        .build(state), of: target, isEmpty: false,
        orThrow: CheckpointError(.malformed, "BUILD sets the state of something that has no class"))
    }
    guard graph[id].state == nil else {
      return try passOver(
        .build(state), of: target, isEmpty: false,
        orThrow: CheckpointError(.unsupported, "an object gets a second state"))
    }
    graph[id].state = state
  }

  private mutating func pushCall(
    _ form: ObjectNode.Form, _ callable: NodeID, _ arguments: NodeID, keywords: NodeID? = nil
  ) throws(CheckpointError) {
    if let dropped = try judgedCall(callable, arguments) { return push(dropped) }
    push(
      try graph.add(
        ObjectNode(form: form, callable: callable, arguments: arguments, keywords: keywords)))
  }

  private mutating func popArguments() throws(CheckpointError) -> NodeID {
    let arguments = try pop()
    guard mayBeArguments(arguments) else {
      throw CheckpointError(.malformed, "the arguments of a call are not a tuple")
    }
    return arguments
  }

  private mutating func tuple(of items: ArraySlice<NodeID>) throws(CheckpointError) -> NodeID {
    items.isEmpty
      ? TensorGraph.emptyTuple : try graph.add(.tuple(graph.addChildren(items)))
  }
}

// MARK: - Judging names

extension Unpickler {
  /// Adds a node for a global that is named in the text of the program.
  mutating func global(_ module: String, _ name: String) throws(CheckpointError) -> NodeID {
    let modern =
      namingProtocol < 3
      ? Python2Names.modern(module, name) : Python2Names.Name(module: module, name: name)
    if let dropped = try judged(modern.module, modern.name) { return dropped }
    let moduleNode: NodeID
    if let known = moduleNames[ExactString(modern.module)] {
      moduleNode = known
    } else {
      moduleNode = try graph.addString(modern.module)
      moduleNames[ExactString(modern.module)] = moduleNode
    }
    return try graph.add(.global(module: moduleNode, name: graph.addString(modern.name)))
  }

  /// Refuses a dangerous global.
  ///
  /// If those are dropped, returns the node that replaces it.
  private mutating func judged(_ module: String, _ name: String) throws(CheckpointError) -> NodeID?
  {
    judgedByteCount += module.utf8.count + name.utf8.count
    guard judgedByteCount <= Limits.globalNameBytes else { throw GlobalPolicy.tooMany }
    guard unsafeGlobals != .report,
      GlobalPolicy.verdict(module: module, name: name) == .dangerous
    else { return nil }
    try refuseOrDrop(GlobalPolicy.subject(module: module, name: name))
    return try addDropped()
  }

  /// Refuses a call that can run code, or returns its replacement if such calls are dropped.
  private mutating func judgedCall(
    _ callable: NodeID, _ arguments: NodeID
  ) throws(CheckpointError) -> NodeID? {
    if droppedNodes.contains(callable) { return try addDropped() }
    if unsafeGlobals == .report, case .persistent = graph[callable] { return nil }
    switch try graph.judgeCall(callable, arguments) {
    case .function: return nil
    case .nestedClass(let module, let name): return try judged(module, name)
    case .refused(let what):
      guard unsafeGlobals != .report else { return nil }
      let owner = graph.tuple(arguments)?.first
      if owner.map(droppedNodes.contains) != true { try refuseOrDrop(what) }
      return try addDropped()
    }
  }

  /// Refuses `what`, which can run code, or records that it was dropped.
  private mutating func refuseOrDrop(_ what: String) throws(CheckpointError) {
    guard unsafeGlobals == .drop else { throw GlobalPolicy.refusal(of: what) }
    dropped.add(what)
  }

  private mutating func addDropped() throws(CheckpointError) -> NodeID {
    let id = try graph.add(.none)
    droppedNodes.insert(id)
    return id
  }

  private func readName(_ reader: inout ByteReader) throws(CheckpointError) -> String {
    let line = try reader.readLine()
    var bytes: [UInt8] = []
    for index in line.indices { bytes.append(line[index]) }
    guard bytes.count <= Limits.nameBytes || unsafeGlobals == .report else {
      throw GlobalPolicy.tooLong
    }
    guard !bytes.isEmpty || unsafeGlobals == .report else {
      throw CheckpointError(.malformed, "a global has no name")
    }
    guard let name = String(validating: bytes, as: UTF8.self) else {
      throw CheckpointError(.malformed, "the name of a global is not UTF-8")
    }
    return name
  }
}

// MARK: - Values that old protocols spell as calls

extension Unpickler {
  /// Returns the plain value that a call stands for, if CPython's pickler writes that call for lack
  /// of an opcode.
  ///
  /// Any other call stays a call.
  private mutating func plainValue(
    of callable: NodeID, _ arguments: NodeID
  ) throws(CheckpointError) -> NodeID? {
    // Every call passes here, and nearly all of them name other modules.
    guard case .global(let module, _) = graph[callable], case .string(let run) = graph[module],
      run.count <= 8, let items = graph.tuple(arguments)
    else { return nil }
    if pickleProtocol < 3 {
      if graph.isGlobal(callable, "_codecs", "encode") { return try encodedBytes(items) }
      if graph.isGlobal(callable, "builtins", "bytes"), items.isEmpty {
        return try graph.add(.bytes(graph.addBytes([])))
      }
    }
    if pickleProtocol < 4, items.count == 1, let only = items.first,
      case .list(let run) = graph[only]
    {
      let isSet = graph.isGlobal(callable, "builtins", "set")
      if isSet || graph.isGlobal(callable, "builtins", "frozenset"), spend(only, count: run.count) {
        return try graph.add(isSet ? .set(run) : .frozenSet(run))
      }
    }
    if pickleProtocol < 5, graph.isGlobal(callable, "builtins", "bytearray") {
      if items.isEmpty { return try graph.add(.byteArray(graph.addBytes([]))) }
      if items.count == 1, let only = items.first, case .bytes(let run) = graph[only],
        spend(only, count: run.count)
      {
        return try graph.add(.byteArray(run))
      }
    }
    return nil
  }

  /// Reads `_codecs.encode(text, 'latin1')`, the form of bytes in protocols 0 to 2.
  private mutating func encodedBytes(_ items: ArraySlice<NodeID>) throws(CheckpointError) -> NodeID?
  {
    guard items.count == 2, let text = items.first, let encoding = items.last,
      graph.text(of: encoding, equals: "latin1"), case .string(let run) = graph[text],
      spend(text, count: run.count), let bytes = PythonText.latin1(graph[run])
    else { return nil }
    let id = try graph.add(.bytes(graph.addBytes(bytes)))
    if bytes.count == 1 { graph.spellings[id] = text }
    return id
  }

  /// The maximum length of an object that can become plain values any number of times.
  private static let freeCount = 64

  /// Whether `id`, with `count` items or bytes, can become one more plain value.
  ///
  /// CPython makes a new str or list for each call. A hostile pickle uses one object again and
  /// again, and each value made of it would have to be written out.
  private mutating func spend(_ id: NodeID, count: some BinaryInteger) -> Bool {
    count <= Self.freeCount || spent.insert(id).inserted
  }
}
