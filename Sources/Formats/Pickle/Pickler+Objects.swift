internal import CkptBase
internal import CkptGraph

/// Tuples, lists, dicts, sets and the objects built from calls.
extension Pickler {
  /// How the children of a container follow it, 1000 at a time.
  enum Batch {
    /// Exact lists: APPEND for a single item, else batches however long the last.
    case list
    /// Exact dicts: as lists, but a full last batch is followed by an empty one.
    case dict
    /// Sets: batches, and an empty one after a full last batch.
    case set
    /// Items from an iterator, which looks ahead: a last single item goes without a mark.
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

  /// Writes the children of `run` from item `next` on, up to one batch, and schedules the rest.
  mutating func writeBatch(_ run: NodeRun, next: Int, _ batch: Batch) {
    let items = Int(run.count) / batch.stride
    let left = items - next
    let isWholeSingle = items == 1 && (batch == .list || batch == .dict)
    let isLastSingle = left == 1 && (batch == .items || batch == .pairs)
    if let single = batch.single, isWholeSingle && left == 1 || isLastSingle {
      tasks.append(.emit(single))
      return scheduleChildren(run, next..<next + 1, batch)
    }
    // Only CPython's loops over exact dicts and sets start a batch that turns out to be empty.
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

  mutating func startSet(_ id: NodeID, _ run: NodeRun) {
    guard version < 4 else {
      emit(.emptySet)
      memoize(id)
      return tasks.append(.batch(run, next: 0, .set))
    }
    startListCall(id, "set", run)
  }

  mutating func startFrozenSet(_ id: NodeID, _ run: NodeRun) {
    guard version < 4 else {
      emit(.mark)
      tasks.append(.memoize(id))
      tasks.append(.emit(.frozenSet))
      for child in graph[run].reversed() { tasks.append(.save(child)) }
      return
    }
    startListCall(id, "frozenset", run)
  }

  /// Writes `set([...])`, since protocols 2 and 3 have no sets.
  ///
  /// The list and the tuple around it are fresh.
  private mutating func startListCall(_ id: NodeID, _ type: String, _ run: NodeRun) {
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
        "an object of a form that Python's pickler does not write in protocol \(version)")
    }
    schedule(.emit(opcode), .endCall(id, objectID))
    if let keywords = object.keywords { tasks.append(.save(keywords)) }
    tasks.append(.save(object.arguments))
    tasks.append(.save(object.callable))
  }

  /// Schedules what is done to an object after its call: items, pairs, state.
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

  /// Makes sure that a global is read as what it is from a pickle before protocol 4.
  ///
  /// Names are lines there; those of several lines no reader has let through (``GlobalPolicy``).
  ///
  /// - Throws: `unsupported` for a name of Python 2, which pickles of protocol 3 and later may have.
  private func requireWritable(_ module: String, _ name: String) throws(CheckpointError) {
    guard version == 3 || Python2Names.survives(module, name) else {
      throw CheckpointError(
        .unsupported,
        "global '\(module).\(name)' would be another one in a pickle of protocol \(version)")
    }
  }

  /// Writes the name of a module.
  ///
  /// All classes of a module share its name once they are loaded. In a pickle as it was written
  /// the graph tells which names are one, because dtypes name `torch` by a str of their own; the
  /// first is also the one that calls without a node in the graph were written with.
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

  /// Writes a class or function that the graph has no node for.
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
