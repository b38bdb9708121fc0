package import CkptBase
internal import Glibc

/// The files that other programs wrote, kept in `Fixtures`.
package enum Fixture {
  /// The path of a fixture from its path below `Fixtures`.
  package static func path(_ name: String) -> String {
    let tests = #filePath.split(separator: "/").dropLast(3)
    return "/" + tests.joined(separator: "/") + "/Fixtures/" + name
  }

  /// Opens a fixture.
  package static func open(_ name: String) throws -> FileSource {
    try FileSource(path: path(name))
  }

  /// The bytes of a fixture.
  package static func bytes(_ name: String) throws -> [UInt8] {
    let file = try open(name)
    return try file.bytes(in: 0..<file.byteCount)
  }

  /// The paths below `Fixtures` of the ZIP archives in a folder, in the order of their names.
  package static func archives(in folder: String) throws -> [String] {
    guard let directory = opendir(path(folder)) else {
      throw CheckpointError(call: "opendir", path: path(folder), errno: errno)
    }
    defer { closedir(directory) }
    var archives: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard !name.hasPrefix(".") else { continue }
      let file = try open("\(folder)/\(name)")
      if try file.bytes(in: 0..<4) == [0x50, 0x4b, 3, 4] { archives.append("\(folder)/\(name)") }
    }
    return archives.sorted()
  }
}
