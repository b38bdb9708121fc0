internal import CkptBase

/// Bytes, NumPy scalars and dates as Python writes them.
extension TensorGraph {
  /// The bytes as `b'...'` (`bytes_repr` in CPython's `Objects/bytesobject.c`).
  static func bytesText(_ bytes: ArraySlice<UInt8>) -> String {
    let quote =
      bytes.contains(UInt8(ascii: "'")) && !bytes.contains(UInt8(ascii: "\"")) ? "\"" : "'"
    var text = "b" + quote
    for byte in bytes {
      let scalar = Unicode.Scalar(byte)
      switch scalar {
      case "\\": text += "\\\\"
      case "'" where quote == "'": text += "\\'"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case " "..."~": text.unicodeScalars.append(scalar)
      default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return text + quote
  }

  /// The value of a NumPy scalar, such as `numpy.float32(0.5)`; `nil` for a type without numbers.
  func numpyText(_ dtype: NumpyDType, _ data: NodeID) -> String? {
    guard let type = dtype.torchDType, let value = numpyNumber(dtype, data) else { return nil }
    return "numpy.\(type.name)(\(value))"
  }

  /// The number of a NumPy scalar as Python writes it, such as `0.5`; `nil` for a type without
  /// numbers.
  package func numpyNumber(_ dtype: NumpyDType, _ data: NodeID) -> String? {
    guard case .bytes(let run) = self[data], let type = dtype.torchDType,
      type.byteCount == run.count
    else { return nil }
    let bytes = dtype.isBigEndian ? self[run].reversed() : Array(self[run])
    let bits = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return switch type {
    case .bool: bits == 0 ? "False" : "True"
    case .uint8, .uint16, .uint32, .uint64: String(bits)
    case .int8: String(Int8(truncatingIfNeeded: bits))
    case .int16: String(Int16(truncatingIfNeeded: bits))
    case .int32: String(Int32(truncatingIfNeeded: bits))
    case .int64: String(Int64(truncatingIfNeeded: bits))
    case .float32: Self.floatText(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .float64: Self.floatText(Double(bitPattern: bits))
    default: nil
    }
  }

  private static func floatText(_ value: Float) -> String {
    value.isFinite ? value.description : floatText(Double(value))
  }

  /// A value of `datetime` from the bytes that its pickles have (`Modules/_datetimemodule.c`,
  /// `datetime_getstate` and its neighbors), or `nil` for other arguments.
  func dateTimeText(_ name: String, _ arguments: [NodeID]) -> String? {
    if name == "timedelta" {
      let parts = arguments.compactMap { int($0) }
      guard parts.count == 3, arguments.count == 3 else { return nil }
      return "datetime.timedelta(days=\(parts[0]), seconds=\(parts[1]), microseconds=\(parts[2]))"
    }
    guard let first = arguments.first, case .bytes(let run) = self[first] else { return nil }
    let bytes = self[run].map { Int($0) }
    let counts = ["datetime": 10, "date": 4, "time": 6]
    guard counts[name] == bytes.count else { return nil }
    var numbers: [Int] = []
    var rest = bytes[...]
    if name != "time" {
      // The highest bit of the month says which of two equal times around a change of clocks it is.
      numbers = [bytes[0] << 8 | bytes[1], bytes[2] & 0x7f, bytes[3]]
      rest = rest.dropFirst(4)
    }
    if name != "date" {
      let clock = Array(rest)
      numbers += [clock[0] & 0x7f, clock[1], clock[2]]
      let fraction = clock[3] << 16 | clock[4] << 8 | clock[5]
      if fraction > 0 { numbers.append(fraction) }
    }
    return "datetime.\(name)(\(numbers.map { String($0) }.joined(separator: ", ")))"
  }
}
