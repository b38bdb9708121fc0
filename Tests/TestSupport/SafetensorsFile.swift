/// A safetensors file that a test writes down.
package struct SafetensorsFile {
  /// The length of the header that the first eight bytes announce; by default the true one.
  package var announced: UInt64?
  /// The header.
  package var header: [UInt8]
  /// The bytes after the header.
  package var data: [UInt8]

  /// A file with this header.
  package init(_ header: String, data: [UInt8] = []) {
    self.init(header: Array(header.utf8), data: data)
  }

  /// A file with these bytes for its header.
  package init(header: [UInt8], data: [UInt8]) {
    self.header = header
    self.data = data
  }

  /// The file.
  package var bytes: [UInt8] {
    littleEndian(announced ?? UInt64(header.count)) + header + data
  }
}
