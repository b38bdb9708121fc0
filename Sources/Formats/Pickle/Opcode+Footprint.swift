internal import Bytes

/// What an operation reads and what it does to the stack, without its meaning (CPython
/// `Lib/pickletools.py`): enough to step over one that cannot be carried out.
extension Opcode {
  /// What follows the operation in the program.
  enum Operand {
    /// So many bytes.
    case bytes(Int)
    /// So many lines of text.
    case lines(Int)
    /// A length of so many bytes, and as many bytes as it says.
    case counted(lengthByteCount: Int)
  }

  /// How much an operation takes from the stack.
  enum Taking {
    /// So many objects.
    case objects(Int)
    /// Everything down to the topmost mark, and the mark.
    case toMark
  }

  var operand: Operand {
    switch self {
    case .binFloat, .frame: .bytes(8)
    case .binInt, .longBinGet, .longBinPut, .extension4: .bytes(4)
    case .binInt2, .extension2: .bytes(2)
    case .binInt1, .binGet, .binPut, .proto, .extension1: .bytes(1)
    case .global, .instance: .lines(2)
    case .float, .int, .long, .string, .unicode, .persistentID, .get, .put: .lines(1)
    case .shortBinBytes, .shortBinString, .shortBinUnicode, .long1: .counted(lengthByteCount: 1)
    case .binBytes, .binString, .binUnicode, .long4: .counted(lengthByteCount: 4)
    case .binUnicode8, .binBytes8, .byteArray8: .counted(lengthByteCount: 8)
    default: .bytes(0)
    }
  }

  /// What the operation takes, and whether it leaves an object for it.
  var effect: (taking: Taking, gives: Bool) {
    switch self {
    case .mark, .stop, .put, .binPut, .longBinPut, .memoize, .proto, .frame, .readOnlyBuffer:
      (.objects(0), false)
    case .pop, .append, .build: (.objects(1), false)
    case .setItem: (.objects(2), false)
    case .popMark, .appends, .setItems, .addItems: (.toMark, false)
    case .binPersistentID, .tuple1: (.objects(1), true)
    case .reduce, .newObject, .stackGlobal, .tuple2: (.objects(2), true)
    case .newObjectEx, .tuple3: (.objects(3), true)
    case .tuple, .list, .dict, .frozenSet, .instance, .object: (.toMark, true)
    default: (.objects(0), true)
    }
  }

  /// Steps over the operand.
  ///
  /// - Throws: `truncated` when the program ends inside of it; `malformed` for a length that is none.
  func skipOperand(_ reader: inout ByteReader) throws(FormatError) {
    switch operand {
    case .bytes(let count): try reader.skip(count)
    case .lines(let count): for _ in 0..<count { _ = try reader.readLine() }
    case .counted(lengthByteCount: 1): try reader.skip(Int(reader.readInteger(as: UInt8.self)))
    case .counted(lengthByteCount: 4): try reader.skip(Int(reader.readInteger(as: UInt32.self)))
    case .counted:
      try reader.skip(Int(reader.readInteger(as: UInt64.self), orThrow: "a length"))
    }
  }
}
