internal import CkptBase
internal import CkptGraph

/// Numbers, text and bytes.
extension Pickler {
  mutating func saveInt(_ value: Int) {
    switch value {
    case 0...0xff:
      emit(.binInt1)
      output.write(UInt8(value))
    case 0x100...0xffff:
      emit(.binInt2)
      output.write(integer: UInt16(value))
    case Int(Int32.min)...Int(Int32.max):
      emit(.binInt)
      output.write(integer: UInt32(bitPattern: Int32(value)))
    default:
      var bytes = (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      while bytes[bytes.count - 1] == (bytes[bytes.count - 2] & 0x80 == 0 ? 0x00 : 0xff) {
        bytes.removeLast()
      }
      saveLong(bytes[...])
    }
  }

  /// Writes an int as little-endian two's complement of minimal length.
  mutating func saveLong(_ bytes: ArraySlice<UInt8>) {
    if bytes.count < 256 {
      emit(.long1)
      output.write(UInt8(bytes.count))
    } else {
      emit(.long4)
      output.write(integer: UInt32(bytes.count))
    }
    output.write(Array(bytes))
  }

  mutating func saveString(_ id: NodeID, _ run: ByteRun) {
    emitText(graph[run])
    memoize(id)
  }

  /// Writes a str that is one object in CPython: a constant of the interpreter or of a library.
  mutating func saveInterned(_ text: String) {
    let utf8 = Array(text.utf8)
    output.startObject()
    let memo: MemoText = utf8.count <= 1 ? .character(utf8) : .interned(ExactString(text))
    if recall(memo) { return }
    emitText(utf8[...])
    memoize(memo)
  }

  private mutating func emitText(_ utf8: ArraySlice<UInt8>) {
    let count = utf8.count
    output.startPayload(byteCount: count)
    if version >= 4, count < 256 {
      output.write(Opcode.shortBinUnicode.rawValue)
      output.write(UInt8(count))
    } else {
      // Text in a graph is below 4 GiB, so BINUNICODE8 is never needed.
      output.write(Opcode.binUnicode.rawValue)
      output.write(integer: UInt32(count))
    }
    output.write(payload: utf8)
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
      emitText(utf8[...])
      return memoizeFresh()
    }
    if let spelling = graph.spellings[id] {
      if recall(spelling) { return }
      emitText(utf8[...])
      memoizedTexts[.character(utf8)] = memoCount
      return memoize(spelling)
    }
    if recall(.character(utf8)) { return }
    emitText(utf8[...])
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
    emitText(PythonText.utf8(latin1: graph[run])[...])
    memoizeFresh()
    saveInterned("latin1")
    emit(.tuple2)
    memoizeFresh()
    emit(.reduce)
    memoizeFresh()
  }
}
