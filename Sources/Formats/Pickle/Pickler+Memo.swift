internal import Bytes
internal import Graph

/// The memo: which objects have been written, and their numbers.
extension Pickler {
  /// Writes a reference to an object that has a number; returns whether it has.
  mutating func recall(_ id: NodeID) -> Bool {
    if let index = memo[id] {
      emitGet(index)
      return true
    }
    guard let text = memoText(of: id) else { return false }
    return recall(text)
  }

  /// Writes a reference to an object known by its text; returns whether it has a number.
  mutating func recall(_ text: MemoText) -> Bool {
    guard let index = memoisedTexts[text] else { return false }
    emitGet(index)
    return true
  }

  /// Numbers the object just written.
  mutating func memoise(_ id: NodeID) {
    memo[id] = memoCount
    if let text = memoText(of: id) { memoisedTexts[text] = memoCount }
    memoiseFresh()
  }

  /// Numbers an object just written that is known by its text.
  mutating func memoise(_ text: MemoText) {
    memoisedTexts[text] = memoCount
    memoiseFresh()
  }

  /// Numbers an object just written that nothing can refer to.
  mutating func memoiseFresh() {
    if version >= 4 {
      emit(.memoize)
    } else if memoCount < 256 {
      emit(.binPut)
      output.write(UInt8(memoCount))
    } else {
      emit(.longBinPut)
      output.write(integer: UInt32(memoCount))
    }
    memoCount += 1
  }

  private mutating func emitGet(_ index: Int) {
    if index < 256 {
      emit(.binGet)
      output.write(UInt8(index))
    } else {
      emit(.longBinGet)
      output.write(integer: UInt32(index))
    }
  }

  /// What makes a node one with other nodes.
  private func memoText(of id: NodeID) -> MemoText? {
    switch graph[id] {
    case .string(let run):
      guard case .asLoaded(let others) = strings, !others.contains(id) else { return nil }
      let bytes = graph[run]
      // In UTF-8 the characters from 0x80 to 0xff take two bytes, the first of them C2 or C3.
      let isLatin1Pair = bytes.count == 2 && (bytes.first == 0xc2 || bytes.first == 0xc3)
      return bytes.count <= 1 || isLatin1Pair ? .character(Array(bytes)) : nil
    case .global(let module, let name):
      return .global(
        module: ExactString(graph.string(module) ?? ""),
        name: ExactString(graph.string(name) ?? ""))
    default: return nil
    }
  }

  /// Lets a node share the number of an object that is one with it.
  mutating func alias(_ id: NodeID, to index: Int) { memo[id] = index }

  /// Whether a node already has a number: it was met inside of itself.
  func isMemoised(_ id: NodeID) -> Bool { memo[id] != nil }

  /// Numbers a tuple whose items have been written.
  mutating func endTuple(_ id: NodeID, count: Int) {
    guard isMemoised(id) else {
      emitTuple(count: count)
      return memoise(id)
    }
    // The tuple contains itself through a list or dict and was written there: take back its items.
    if count <= 3 {
      for _ in 0..<count { emit(.pop) }
    } else {
      emit(.popMark)
    }
    _ = recall(id)
  }

  /// Numbers the result of a call that has been written, and goes on with what is done to it.
  mutating func endCall(_ id: NodeID, _ object: ObjectNode) {
    guard isMemoised(id) else {
      memoise(id)
      return scheduleContents(of: object)
    }
    // The call's arguments contain its result, which was written there: take this one back.
    emit(.pop)
    _ = recall(id)
  }
}
