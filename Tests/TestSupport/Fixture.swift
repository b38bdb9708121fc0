package import Bytes

/// The files that other programs wrote, kept in `Fixtures`.
package enum Fixture {
  /// The path of a fixture from its path below `Fixtures`.
  package static func path(_ name: String) -> String {
    let tests = #filePath.split(separator: "/").dropLast(3)
    return "/" + tests.joined(separator: "/") + "/Fixtures/" + name
  }

  /// Opens a fixture.
  package static func open(_ name: String) throws -> SourceFile {
    try SourceFile(path: path(name))
  }

  /// The bytes of a fixture.
  package static func bytes(_ name: String) throws -> [UInt8] {
    let file = try open(name)
    return try file.bytes(in: 0..<file.byteCount)
  }
}
