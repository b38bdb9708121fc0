internal import CkptBase

/// The opcodes of pickle protocols 0 to 5 (CPython `Lib/pickletools.py`).
///
/// One table serves both directions: the unpickler switches on it, the pickler writes its values.
enum Opcode: UInt8 {
  case mark = 0x28  // (
  case emptyTuple = 0x29  // )
  case stop = 0x2e  // .
  case pop = 0x30  // 0
  case popMark = 0x31  // 1
  case dup = 0x32  // 2
  case binBytes = 0x42  // B
  case shortBinBytes = 0x43  // C
  case float = 0x46  // F
  case binFloat = 0x47  // G
  case int = 0x49  // I
  case binInt = 0x4a  // J
  case binInt1 = 0x4b  // K
  case long = 0x4c  // L
  case binInt2 = 0x4d  // M
  case none = 0x4e  // N
  case persistentID = 0x50  // P
  case binPersistentID = 0x51  // Q
  case reduce = 0x52  // R
  case string = 0x53  // S
  case binString = 0x54  // T
  case shortBinString = 0x55  // U
  case unicode = 0x56  // V
  case binUnicode = 0x58  // X
  case emptyList = 0x5d  // ]
  case append = 0x61  // a
  case build = 0x62  // b
  case global = 0x63  // c
  case dict = 0x64  // d
  case appends = 0x65  // e
  case get = 0x67  // g
  case binGet = 0x68  // h
  case instance = 0x69  // i
  case longBinGet = 0x6a  // j
  case list = 0x6c  // l
  case object = 0x6f  // o
  case put = 0x70  // p
  case binPut = 0x71  // q
  case longBinPut = 0x72  // r
  case setItem = 0x73  // s
  case tuple = 0x74  // t
  case setItems = 0x75  // u
  case emptyDict = 0x7d  // }
  case proto = 0x80
  case newObject = 0x81
  case extension1 = 0x82
  case extension2 = 0x83
  case extension4 = 0x84
  case tuple1 = 0x85
  case tuple2 = 0x86
  case tuple3 = 0x87
  case newTrue = 0x88
  case newFalse = 0x89
  case long1 = 0x8a
  case long4 = 0x8b
  case shortBinUnicode = 0x8c
  case binUnicode8 = 0x8d
  case binBytes8 = 0x8e
  case emptySet = 0x8f
  case addItems = 0x90
  case frozenSet = 0x91
  case newObjectEx = 0x92
  case stackGlobal = 0x93
  case memoize = 0x94
  case frame = 0x95
  case byteArray8 = 0x96
  case nextBuffer = 0x97
  case readOnlyBuffer = 0x98
}

/// The operand and stack effect of each opcode, without its meaning (CPython `Lib/pickletools.py`).
/// This is enough to step over an opcode that cannot be executed.
extension Opcode {
  /// The operand that follows an opcode.
  enum Operand {
    /// A fixed number of bytes.
    case bytes(Int)
    /// A number of lines of text.
    case lines(Int)
    /// A length of `lengthByteCount` bytes, and as many bytes as it says.
    case counted(lengthByteCount: Int)
  }

  /// The objects that an opcode takes from the stack.
  enum StackConsumption {
    /// A fixed number of objects.
    case objects(Int)
    /// All objects down to the topmost mark, and the mark.
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

  /// The objects that the opcode takes, and whether it pushes one.
  var effect: (taking: StackConsumption, gives: Bool) {
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
  /// - Throws: `truncated` if the program ends inside the operand; `malformed` for an invalid
  ///   length.
  func skipOperand(_ reader: inout ByteReader) throws(CheckpointError) {
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
