internal import CkptBase
internal import CkptGraph

/// Numbers, text and bytes.
extension Pickler {
  mutating func saveInt(_ value: Int) { output.write(int: value) }

  /// Writes an int as little-endian two's complement of minimal length.
  mutating func saveLong(_ bytes: ArraySlice<UInt8>) { output.write(long: bytes) }

  mutating func saveString(_ id: NodeID, _ run: ByteRun) {
    output.write(text: graph[run])
    memoize(id)
  }

  /// Writes a str that is one object in CPython: a constant of the interpreter or of a library.
  mutating func saveInterned(_ text: String) {
    let utf8 = Array(text.utf8)
    output.startObject()
    let memo: MemoText = utf8.count <= 1 ? .character(utf8) : .interned(ExactString(text))
    if recall(memo) { return }
    output.write(text: utf8[...])
    memoize(memo)
  }

  mutating func saveBytes(_ id: NodeID, _ run: ByteRun) {
    guard version < 3 else {
      emitBytes(graph[run])
      return memoize(id)
    }
    // Protocol 2 has no bytes: they become `_codecs.encode(text, 'latin1')`, and no bytes
    // `bytes()`.
    if run.count == 0 {
      saveGlobal("builtins", "bytes")
      emit(.emptyTuple)
    } else {
      saveGlobal("_codecs", "encode")
      output.startObject()
      saveSpelling(of: id, run)
      saveInterned("latin1")
      emit(.tuple2)
      memoizeFresh()
    }
    emit(.reduce)
    memoize(id)
  }

  /// Writes the str that spells a bytes object in Latin-1.
  private mutating func saveSpelling(of id: NodeID, _ run: ByteRun) {
    let utf8 = PythonText.utf8(latin1: graph[run])
    guard run.count == 1 else {
      output.write(text: utf8[...])
      return memoizeFresh()
    }
    if let spelling = graph.spellings[id] {
      if recall(spelling) { return }
      output.write(text: utf8[...])
      memoizedTexts[.character(utf8)] = memoCount
      return memoize(spelling)
    }
    if recall(.character(utf8)) { return }
    output.write(text: utf8[...])
    memoize(.character(utf8))
  }

  private mutating func emitBytes(_ bytes: ArraySlice<UInt8>) {
    output.startPayload(byteCount: bytes.count)
    if bytes.count < 256 {
      output.write(Opcode.shortBinBytes.rawValue)
      output.write(UInt8(bytes.count))
    } else {
      output.write(Opcode.binBytes.rawValue)
      output.write(integer: UInt32(bytes.count))
    }
    output.write(payload: bytes)
  }

  mutating func saveByteArray(_ id: NodeID, _ run: ByteRun) {
    if version >= 5 {
      output.startPayload(byteCount: Int(run.count))
      output.write(Opcode.byteArray8.rawValue)
      output.write(integer: UInt64(run.count))
      output.write(payload: graph[run])
      return memoize(id)
    }
    saveGlobal("builtins", "bytearray")
    if run.count == 0 {
      emit(.emptyTuple)
    } else {
      output.startObject()
      saveFreshBytes(run)
      emit(.tuple1)
      memoizeFresh()
    }
    emit(.reduce)
    memoize(id)
  }

  /// Writes the bytes object that a bytearray is made from; nothing else refers to it.
  private mutating func saveFreshBytes(_ run: ByteRun) {
    guard version < 3 else {
      emitBytes(graph[run])
      return memoizeFresh()
    }
    saveGlobal("_codecs", "encode")
    output.write(text: PythonText.utf8(latin1: graph[run])[...])
    memoizeFresh()
    saveInterned("latin1")
    emit(.tuple2)
    memoizeFresh()
    emit(.reduce)
    memoizeFresh()
  }
}
