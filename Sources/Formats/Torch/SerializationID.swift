internal import Bytes
internal import Plan

/// The record `.data/serialization_id`: forty digits made from the names and checksums of all records
/// before it (`PyTorchStreamWriter::writeSerializationId`).
///
/// Nobody reads it back; it is here so that archives are the same to the byte.
struct SerializationID: Sendable {
  static let byteCount = 40
  private static let digitCount = 20

  private var names = RecordNameSet()
  private var checksums: [Contribution] = []

  /// What goes into the second half.
  private enum Contribution: Sendable {
    case word(UInt32)
    case checksum(@Sendable (RecordChecksums) -> UInt32)
  }

  /// Takes in a record.
  ///
  /// - Parameters:
  ///   - name: its name without the prefix.
  ///   - leadingBytes: its first eight bytes, if it has as many.
  ///   - checksum: where its checksum comes from, `nil` for a record without data.
  mutating func add(
    _ name: String, leadingBytes: [UInt8], checksum: (@Sendable (RecordChecksums) -> UInt32)?
  ) {
    names.insert(name)
    guard let checksum else { return }
    // The writer recognises data descriptors by their signature, also where data begins like one.
    if leadingBytes.count == 8, leadingBytes.starts(with: [0x50, 0x4b, 0x07, 0x08]) {
      checksums.append(.word(leadingBytes[4...].reversed().reduce(0) { $0 << 8 | UInt32($1) }))
    }
    checksums.append(.checksum(checksum))
  }

  /// The record, once the checksums are known.
  ///
  /// Of `found`, the record of an archive that is written again, the first half is kept, since other
  /// C++ libraries than libstdc++ have other hashes.
  func text(replacing found: [UInt8]?) -> @Sendable (RecordChecksums) -> [UInt8] {
    let isNumber = { (byte: UInt8) in (0x30...0x39).contains(byte) }
    let nameDigits: [UInt8]
    if let found, found.count == Self.byteCount, found.allSatisfy(isNumber) {
      nameDigits = Array(found.prefix(Self.digitCount))
    } else {
      nameDigits = Self.digits(names.hashesInOrder.reduce(0, Self.combine))
    }
    return { [checksums] sums in
      let hash = checksums.reduce(0 as UInt64) { hash, contribution in
        switch contribution {
        case .word(let word): Self.combine(hash, UInt64(word))
        case .checksum(let checksum): Self.combine(hash, UInt64(checksum(sums)))
        }
      }
      return nameDigits + Self.digits(hash)
    }
  }

  /// `c10::hash_combine`.
  private static func combine(_ seed: UInt64, _ value: UInt64) -> UInt64 {
    seed ^ (value &+ 0x9e37_79b9 &+ seed << 6 &+ seed >> 2)
  }

  private static func digits(_ value: UInt64) -> [UInt8] {
    let text = Array(String(value).utf8)
    return [UInt8](repeating: UInt8(ascii: "0"), count: digitCount - text.count) + text
  }
}
