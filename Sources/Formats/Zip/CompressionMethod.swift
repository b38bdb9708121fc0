internal import Graph

/// How an entry's data is compressed (APPNOTE 4.4.5).
struct CompressionMethod: RawRepresentable, Hashable {
  let rawValue: UInt16

  /// The encoding of the data, or `nil` for the methods that torch does not read either.
  var encoding: FileRegion.Encoding? {
    switch rawValue {
    case 0: .stored
    case 8: .deflated
    default: nil
    }
  }

  /// The methods that are named to say why they are refused.
  private static let names: [UInt16: String] = [
    1: "Shrink", 2: "Reduce 1", 3: "Reduce 2", 4: "Reduce 3", 5: "Reduce 4", 6: "Implode",
    9: "Deflate64", 10: "PKWARE DCL Implode", 12: "BZIP2", 14: "LZMA", 16: "IBM CMPSC",
    18: "IBM TERSE", 19: "IBM LZ77", 20: "old Zstandard", 93: "Zstandard", 94: "MP3", 95: "XZ",
    96: "JPEG", 97: "WavPack", 98: "PPMd", 99: "AE-x encryption",
  ]
}

extension CompressionMethod: CustomStringConvertible {
  /// The number, with the name where it has one.
  var description: String {
    guard let name = CompressionMethod.names[rawValue] else { return "method \(rawValue)" }
    return "method \(rawValue) (\(name))"
  }
}
