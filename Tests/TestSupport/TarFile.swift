/// A tar archive that a test puts together (POSIX.1 `pax`, ustar).
package struct TarFile {
  /// The files in it, by their names.
  package var members: [(name: String, bytes: [UInt8])]

  /// An archive of these files.
  package init(_ members: [(name: String, bytes: [UInt8])]) { self.members = members }

  /// The archive, with the two blocks of zeros at its end.
  package var bytes: [UInt8] {
    members.flatMap { name, bytes in
      let padding = (512 - bytes.count % 512) % 512
      return Self.header(name, byteCount: bytes.count) + bytes
        + [UInt8](repeating: 0, count: padding)
    } + [UInt8](repeating: 0, count: 1024)
  }

  /// The header of a file; `type` is the letter that tells it from other members.
  package static func header(_ name: String, byteCount: Int, type: String = "0") -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at place: Int) {
      header.replaceSubrange(place..<place + text.utf8.count, with: text.utf8)
    }
    let size = String(byteCount, radix: 8)
    put(name, at: 0)
    put(String(repeating: "0", count: 11 - size.utf8.count) + size, at: 124)
    put("        ", at: 148)
    put(type, at: 156)
    put("ustar\0", at: 257)
    put(String(header.reduce(0) { $0 + Int($1) }, radix: 8), at: 148)
    return header
  }
}
