internal import Bytes
internal import Graph

/// One element of a tensor as messages show it: its value where that is a number, and its bits.
enum ElementText {
  /// The text for the packed bytes of an element.
  static func text(_ bytes: [UInt8], _ dtype: DType) -> String {
    guard !bytes.isEmpty else { return "another value" }
    let bits = bytes.reversed().reduce(into: "0x") { text, byte in
      text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    return value(bytes[...], dtype).map { "\($0) (\(bits))" } ?? bits
  }

  private static func value(_ bytes: ArraySlice<UInt8>, _ dtype: DType) -> String? {
    let bits = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    switch dtype {
    case .bool: return bits > 1 ? nil : bits == 1 ? "True" : "False"
    case .uint8, .uint16, .uint32, .uint64: return String(bits)
    case .int8: return String(Int8(truncatingIfNeeded: bits))
    case .int16: return String(Int16(truncatingIfNeeded: bits))
    case .int32: return String(Int32(truncatingIfNeeded: bits))
    case .int64: return String(Int64(truncatingIfNeeded: bits))
    case .float64: return number(Double(bitPattern: bits))
    case .float32: return number(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .float16: return number(Float(Float16(bitPattern: UInt16(truncatingIfNeeded: bits))))
    case .bfloat16: return number(Float(bitPattern: UInt32(truncatingIfNeeded: bits << 16)))
    case .complex32: return complex(bytes, .float16)
    case .complex64: return complex(bytes, .float32)
    case .complex128: return complex(bytes, .float64)
    default: return nil
    }
  }

  private static func complex(_ bytes: ArraySlice<UInt8>, _ part: DType) -> String? {
    guard let real = value(bytes.prefix(part.byteCount), part),
      let imaginary = value(bytes.suffix(part.byteCount), part)
    else { return nil }
    return "(\(real), \(imaginary))"
  }

  private static func number(_ value: some BinaryFloatingPoint & CustomStringConvertible) -> String
  {
    value.isNaN ? "nan" : value.description
  }
}
