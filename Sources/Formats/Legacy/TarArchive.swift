package import CkptBase

/// The members of a tar archive, found by their headers (POSIX.1 `pax`, ustar; GNU tar).
package struct TarArchive: Sendable {
  /// A member.
  package struct Member: Sendable {
    /// The name, with directories.
    package let name: String
    /// The place of its bytes in the source.
    package let range: Range<Int>
    /// Whether it is a file; others are directories, links, and headers that speak of the next member.
    package let isFile: Bool

    /// The end of its last block, up to which zeros should follow its bytes.
    package var paddedEnd: Int {
      (range.upperBound + blockByteCount - 1) / blockByteCount * blockByteCount
    }
  }

  /// The size that headers and data are padded to, in bytes.
  package static let blockByteCount = 512
  /// The most bytes of a header that speaks of the next member: names and sizes.
  private static let extendedByteCount = 1 << 20

  /// The members in the order of the archive.
  package private(set) var members: [Member] = []
  /// The end of the last member, in bytes: nobody who unpacks the archive reads what follows, which
  /// should be blocks of zeros.
  package private(set) var end = 0
  /// The reason why there are no more members, where it is not the end of the archive.
  package private(set) var fault: CheckpointError?

  /// The archive in `source`.
  ///
  /// - Parameters:
  ///   - source: the bytes.
  ///   - limit: the largest number of members to find.
  /// - Throws: `inputOutput` when the read fails.
  package init(reading source: any ByteSource, limit: Int = .max) throws(CheckpointError) {
    var name: String?
    var byteCount: Int?
    while members.count < limit, end + Self.blockByteCount <= source.byteCount {
      let start = end + Self.blockByteCount
      let bytes = try source.bytes(in: end..<start)
      guard bytes.contains(where: { $0 != 0 }) else { return }
      guard let header = TarHeader(bytes) else {
        // Python's tarfile takes this for the end of the archive, too.
        fault = CheckpointError(.malformed, "this is no header of a member", at: end)
        return
      }
      let size = byteCount ?? header.byteCount
      guard size <= source.byteCount - start else {
        fault = CheckpointError(
          .truncated,
          "member '\(name ?? header.name)' has \(size) bytes, \(source.byteCount - start) are left",
          at: end, remedy: "fetch the file again")
        return
      }
      let range = start..<start + size
      let member = Member(name: name ?? header.name, range: range, isFile: header.isFile)
      members.append(member)
      (name, byteCount) = (nil, nil)
      if header.isExtension, size <= Self.extendedByteCount {
        (name, byteCount) = header.extensions(in: try source.bytes(in: range))
      }
      end = min(member.paddedEnd, source.byteCount)
    }
  }

  /// Whether a file with these first bytes is a tar archive: a header's mark is in its place.
  package static func begins(_ head: [UInt8]) -> Bool {
    let mark = 257
    return head.count >= blockByteCount && head[mark...].starts(with: "ustar".utf8)
  }

  /// Whether a file with these first bytes begins with the header of a member, of any kind of tar.
  ///
  /// The checksum tells, as it does for Python (CPython `Lib/tarfile.py`, `frombuf`).
  package static func hasHeader(_ head: [UInt8]) -> Bool {
    TarHeader(Array(head.prefix(blockByteCount))) != nil
  }

  /// The file of that name; of several the last, which unpacking leaves.
  package func file(named name: String) -> Member? {
    members.last { $0.isFile && ($0.name == name || $0.name == "./" + name) }
  }
}

/// The header of a member.
private struct TarHeader {
  private static let name = 0..<100
  private static let size = 124..<136
  private static let checksum = 148..<156
  private static let type = 156
  private static let mark = 257
  private static let prefix = 345..<500

  var name: String
  var byteCount: Int
  private let type: UInt8

  /// The header that `bytes`, a block, are; `nil` where the checksum is wrong.
  init?(_ bytes: [UInt8]) {
    guard bytes.count == TarArchive.blockByteCount,
      let checksum = Self.number(bytes[Self.checksum]), let size = Self.number(bytes[Self.size])
    else { return nil }
    let others = bytes.enumerated().filter { !Self.checksum.contains($0.offset) }.map(\.element)
    let blanks = Self.checksum.count * Int(UInt8(ascii: " "))
    // Some programs added signed bytes.
    guard
      checksum == others.reduce(blanks, { $0 + Int($1) })
        || checksum == others.reduce(blanks, { $0 + Int(Int8(bitPattern: $1)) })
    else { return nil }
    byteCount = size
    type = bytes[Self.type]
    name = Self.text(bytes[Self.name])
    // GNU tar keeps times there.
    let isPOSIX = bytes[Self.mark...].starts(with: Array("ustar".utf8) + [0])
    let prefix = Self.text(bytes[Self.prefix])
    if isPOSIX, !prefix.isEmpty { name = "\(prefix)/\(name)" }
  }

  /// Whether the member is a file: `0`, or nothing in archives before POSIX.
  var isFile: Bool { type == UInt8(ascii: "0") || type == 0 || type == UInt8(ascii: "7") }

  /// Whether the member speaks of the next one: `x` of POSIX and `L` of GNU tar.
  var isExtension: Bool { type == UInt8(ascii: "x") || type == UInt8(ascii: "L") }

  /// Returns the name and size of the next member from an extension.
  func extensions(in bytes: [UInt8]) -> (name: String?, byteCount: Int?) {
    guard type == UInt8(ascii: "x") else { return (Self.text(bytes[...]), nil) }
    var (name, byteCount): (String?, Int?)
    // Records are `length key=value\n`.
    var rest = bytes[...]
    while let space = rest.firstIndex(of: UInt8(ascii: " ")),
      let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > 0,
      length <= rest.count, space < rest.startIndex + length - 1
    {
      let record = String(
        decoding: rest[(space + 1)..<(rest.startIndex + length - 1)], as: UTF8.self)
      if record.hasPrefix("path=") { name = String(record.dropFirst(5)) }
      if record.hasPrefix("size="), let size = Int(record.dropFirst(5)), size >= 0 {
        byteCount = size
      }
      rest = rest.dropFirst(length)
    }
    return (name, byteCount)
  }

  private static func text(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// A number in octal digits, or in GNU tar's form for large ones; `nil` for one that is none.
  private static func number(_ field: ArraySlice<UInt8>) -> Int? {
    if field.first == 0x80 {
      let bytes = field.dropFirst().drop { $0 == 0 }
      guard bytes.count <= 7 else { return nil }
      return bytes.reduce(0) { $0 << 8 | Int($1) }
    }
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
    guard digits.count <= 12, !digits.isEmpty else { return digits.isEmpty ? 0 : nil }
    guard let number = Int(String(decoding: digits, as: UTF8.self), radix: 8), number >= 0 else {
      return nil
    }
    return number
  }
}
