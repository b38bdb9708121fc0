internal import CkptBase
internal import CkptGraph

/// Tuples, lists, dicts, sets and the objects built from calls.
extension Pickler {
  /// A rule for writing the children of a container in batches of 1000.
  enum Batch {
    /// Exact lists: APPEND for a single item, otherwise batches of any length.
    case list
    /// Exact dicts: like lists, but an empty batch follows a full last one.
    case dict
    /// Sets: batches, and an empty one after a full last one.
    case set
    /// Items from an iterator that looks ahead: a single last item is written without a mark.
    case items
    /// Key-value pairs from an iterator.
    case pairs

    /// Children per item.
    var stride: Int { self == .dict || self == .pairs ? 2 : 1 }

    var single: Opcode? {
      switch self {
      case .list, .items: .append
      case .dict, .pairs: .setItem
      case .set: nil
      }
    }

    var many: Opcode {
      switch self {
      case .list, .items: .appends
      case .dict, .pairs: .setItems
      case .set: .addItems
      }
    }
  }

  private static let batchSize = 1000

  mutating func startTuple(_ id: NodeID, _ run: NodeRun) {
    guard run.count > 0 else { return emit(.emptyTuple) }
    if run.count > 3 { emit(.mark) }
    tasks.append(.endTuple(id, count: Int(run.count)))
    for child in graph[run].reversed() { tasks.append(.save(child)) }
  }

  mutating func emitTuple(count: Int) {
    switch count {
    case 0: emit(.emptyTuple)
    case 1: emit(.tuple1)
    case 2: emit(.tuple2)
    case 3: emit(.tuple3)
    default: emit(.tuple)
    }
  }

  /// Writes one batch of the children of `run` from item `next` on, and schedules the others.
  mutating func writeBatch(_ run: NodeRun, next: Int, _ batch: Batch) {
    let items = Int(run.count) / batch.stride
    let left = items - next
    let isWholeSingle = items == 1 && (batch == .list || batch == .dict)
    let isLastSingle = left == 1 && (batch == .items || batch == .pairs)
    if let single = batch.single, isWholeSingle && left == 1 || isLastSingle {
      tasks.append(.emit(single))
      return scheduleChildren(run, next..<next + 1, batch)
    }
    // Only CPython's loops over exact dicts and sets start a batch that can be empty.
    let startsEmptyBatch =
      (batch == .dict && items > 1 || batch == .set) && next > 0
      && next.isMultiple(of: Self.batchSize)
    guard left > 0 || left == 0 && startsEmptyBatch else { return }
    emit(.mark)
    let count = min(left, Self.batchSize)
    if count == Self.batchSize { tasks.append(.batch(run, next: next + count, batch)) }
    tasks.append(.emit(batch.many))
    scheduleChildren(run, next..<next + count, batch)
  }

  private mutating func scheduleChildren(_ run: NodeRun, _ items: Range<Int>, _ batch: Batch) {
    let first = run.range.lowerBound + items.lowerBound * batch.stride
    let children = graph[run]
    for index in (first..<first + items.count * batch.stride).reversed() {
      tasks.append(.save(children[index]))
    }
  }

  mutating func startSet(_ id: NodeID, _ run: NodeRun) throws(CheckpointError) {
    guard version < 4 else {
      emit(.emptySet)
      memoize(id)
      return tasks.append(.batch(run, next: 0, .set))
    }
    try startListCall(id, "set", run)
  }

  mutating func startFrozenSet(_ id: NodeID, _ run: NodeRun) throws(CheckpointError) {
    guard version < 4 else {
      emit(.mark)
      tasks.append(.memoize(id))
      tasks.append(.emit(.frozenSet))
      for child in graph[run].reversed() { tasks.append(.save(child)) }
      return
    }
    try startListCall(id, "frozenset", run)
  }

  /// Writes `set([...])`, since protocols 2 and 3 have no sets.
  ///
  /// The list and the tuple around it are new objects.
  ///
  /// - Throws: `unsupported` for a set that holds what is made from it.
  private mutating func startListCall(
    _ id: NodeID, _ type: String, _ run: NodeRun
  ) throws(CheckpointError) {
    guard openSets.insert(id).inserted else {
      throw CheckpointError(
        .unsupported,
        "a set contains an object that is made from it, which protocol \(version) cannot describe")
    }
    saveGlobal("builtins", type)
    emit(.emptyList)
    memoizeFresh()
    schedule(.batch(run, next: 0, .list), .endListCall(id))
  }

  mutating func startObject(_ id: NodeID, _ objectID: ObjectID) throws(CheckpointError) {
    let object = graph[objectID]
    let opcode: Opcode
    switch object.form {
    case .call: opcode = .reduce
    case .new: opcode = .newObject
    case .newWithKeywords where version >= 4: opcode = .newObjectEx
    case .newWithKeywords, .instance:
      throw CheckpointError(
        .unsupported,
        "Python's pickler cannot write this kind of object in protocol \(version)")
    }
    schedule(.emit(opcode), .endCall(id, objectID))
    if let keywords = object.keywords { tasks.append(.save(keywords)) }
    tasks.append(.save(object.arguments))
    tasks.append(.save(object.callable))
  }

  /// Schedules the steps that follow the call of an object: items, pairs, state.
  mutating func scheduleContents(of object: ObjectNode) {
    if let state = object.state { schedule(.save(state), .emit(.build)) }
    if object.pairs.count > 0 { tasks.append(.batch(object.pairs, next: 0, .pairs)) }
    if object.items.count > 0 { tasks.append(.batch(object.items, next: 0, .items)) }
  }
}

/// Classes and functions, by name.
extension Pickler {
  mutating func startGlobal(
    _ id: NodeID, module: NodeID, name: NodeID
  ) throws(CheckpointError) {
    guard version >= 4 else {
      let (moduleText, nameText) = (graph.string(module) ?? "", graph.string(name) ?? "")
      try requireWritable(moduleText, nameText)
      emitGlobal(moduleText, nameText)
      return memoize(id)
    }
    schedule(.emit(.stackGlobal), .memoize(id))
    schedule(.saveModule(module), .save(name))
  }

  /// Checks that a global keeps its meaning in a pickle below protocol 4.
  ///
  /// A name is a line of text there. ``GlobalPolicy`` has refused names of several lines.
  ///
  /// - Throws: `unsupported` for a Python 2 name, which pickles of protocol 3 and later can have.
  private func requireWritable(_ module: String, _ name: String) throws(CheckpointError) {
    guard version == 3 || Python2Names.survives(module, name) else {
      throw CheckpointError(
        .unsupported,
        "global '\(module).\(name)' would mean another object in a pickle of protocol \(version)")
    }
  }

  /// Writes the name of a module.
  ///
  /// All classes of a module share one name str after loading. In a pickle as it was written the
  /// graph tells which names are one object, because dtypes name `torch` by a str of their own.
  /// Calls without a node in the graph use the first one.
  mutating func saveModule(_ id: NodeID) {
    output.startObject()
    guard !recall(id), case .string(let run) = graph[id] else { return }
    let name = graph.string(id) ?? ""
    let isFirst = namedModules.insert(ExactString(name)).inserted
    guard isFirst || strings.areLoaded else { return saveString(id, run) }
    let memo = MemoText.interned(ExactString(name))
    if !recall(memo) { saveInterned(name) }
    if let index = memoizedTexts[memo] { alias(id, to: index) }
  }

  /// Writes a class or function that has no node in the graph.
  mutating func saveGlobal(_ module: String, _ name: String) {
    let memo = MemoText.global(
      module: ExactString(module), name: ExactString(name))
    output.startObject()
    if recall(memo) { return }
    if version >= 4 {
      saveInterned(module)
      saveInterned(name)
      emit(.stackGlobal)
    } else {
      emitGlobal(module, name)
    }
    memoize(memo)
  }

  private mutating func emitGlobal(_ module: String, _ name: String) {
    let written =
      version < 3
      ? Python2Names.old(module, name) : Python2Names.Name(module: module, name: name)
    emit(.global)
    output.write(Array("\(written.module)\n\(written.name)\n".utf8))
  }
}
