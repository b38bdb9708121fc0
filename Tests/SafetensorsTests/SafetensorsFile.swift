import Bytes
import Graph
import Safetensors
import TestSupport

/// A safetensors file that a test writes down.
struct SafetensorsFile {
  /// The length of the header that the first eight bytes announce; by default the true one.
  var announced: UInt64?
  /// The header.
  var header: [UInt8]
  /// What follows it.
  var data: [UInt8]

  init(_ header: String, data: [UInt8] = []) {
    self.header = Array(header.utf8)
    self.data = data
  }

  /// The file.
  var bytes: [UInt8] { littleEndian(announced ?? UInt64(header.count)) + header + data }

  /// What the reader makes of it.
  func read(droppingUnsafe: Bool = false) throws -> Checkpoint {
    try SafetensorsReader.read(
      TemporaryFile.holding(bytes), ReadingOptions(dropsUnsafe: droppingUnsafe))
  }
}
