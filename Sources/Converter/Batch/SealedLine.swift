internal import Bytes
internal import Codecs

/// A JSON object on a line of its own that tells whether it is whole: its last member is the CRC-32
/// of all that stands before it.
enum SealedLine {
  private static let head = Array(",\"crc32\":\"".utf8)
  private static let tail = Array("\"}".utf8)
  private static let digitCount = 8

  /// The object with the seal and a line feed.
  static func seal(_ object: [UInt8]) -> [UInt8] {
    var line = Array(object.dropLast())
    let digits = String(CRC32.checksum(line.span), radix: 16)
    line += head
    line += String(repeating: "0", count: digitCount - digits.utf8.count).utf8
    line += digits.utf8
    line += tail
    line.append(UInt8(ascii: "\n"))
    return line
  }

  /// The object in a line without its line feed, or `nil` if it is not what was sealed.
  static func open(_ line: ArraySlice<UInt8>) -> [UInt8]? {
    let sealCount = head.count + digitCount + tail.count
    guard line.count > sealCount else { return nil }
    let object = Array(line.dropLast(sealCount)) + [UInt8(ascii: "}")]
    var sealed = seal(object)
    sealed.removeLast()
    return sealed.elementsEqual(line) ? object : nil
  }
}
