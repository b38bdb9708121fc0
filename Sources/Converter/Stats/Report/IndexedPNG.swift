internal import CkptBase
internal import CkptJSON

/// A picture of up to 256 colors as PNG (ISO/IEC 15948), with the colors of the map viridis.
enum IndexedPNG {
  /// The number of colors between the smallest and the largest value.
  static let levels = 254
  /// The index of pixels without value, which are transparent.
  static let none: UInt8 = 255

  /// Colors of viridis (matplotlib), evenly spaced.
  static let anchors: [(red: Int, green: Int, blue: Int)] = [
    (68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141), (39, 173, 129),
    (92, 200, 99), (170, 220, 50), (253, 231, 37),
  ]

  private static let palette: [UInt8] = {
    var colors: [UInt8] = []
    for level in 0..<levels {
      let place = Double(level) / Double(levels - 1) * Double(anchors.count - 1)
      let index = min(Int(place), anchors.count - 2)
      let share = place - Double(index)
      func mixed(_ first: Int, _ second: Int) -> UInt8 {
        UInt8((Double(first) + share * Double(second - first)).rounded())
      }
      let (left, right) = (anchors[index], anchors[index + 1])
      colors += [
        mixed(left.red, right.red), mixed(left.green, right.green), mixed(left.blue, right.blue),
      ]
    }
    return colors + [214, 40, 120, 0, 0, 0]
  }()

  /// The picture whose rows, from the top, have these indices; all have the same length.
  static func encode(_ rows: [[UInt8]]) -> [UInt8] {
    var file = ByteWriter()
    file.write([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    var header = bigEndian(rows.first?.count ?? 0) + bigEndian(rows.count)
    // Eight bits an index; a palette; the usual compression and filters; no interlacing.
    header += [8, 3, 0, 0, 0]
    append("IHDR", header, to: &file)
    append("PLTE", palette, to: &file)
    append("tRNS", [UInt8](repeating: 255, count: 255) + [0], to: &file)
    append("IDAT", compressed(rows.flatMap { [0] + $0 }), to: &file)
    append("IEND", [], to: &file)
    return file.bytes
  }

  /// The picture as the address of an image.
  static func address(_ rows: [[UInt8]]) -> String {
    "data:image/png;base64," + Base64.encode(encode(rows), .standard)
  }

  private static func append(_ name: String, _ content: [UInt8], to file: inout ByteWriter) {
    let chunk = Array(name.utf8) + content
    file.write(bigEndian(content.count) + chunk + bigEndian(Int(CRC32.checksum(chunk.span))))
  }

  /// The bytes in the format zlib (RFC 1950): a stream of deflate between a header and the sum Adler-32.
  private static func compressed(_ bytes: [UInt8]) -> [UInt8] {
    let room = bytes.count + bytes.count / 100 + 64
    var (low, high) = (1, 0)
    for byte in bytes {
      low = (low + Int(byte)) % 65521
      high = (high + low) % 65521
    }
    return [0x78, 0xda] + (Deflater.deflate(bytes.span, limit: room) ?? [])
      + bigEndian(high << 16 | low)
  }

  private static func bigEndian(_ number: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
  }
}
