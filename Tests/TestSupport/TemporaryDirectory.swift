internal import Glibc

/// A directory that is removed, with all that is in it, when the test lets go of it.
package final class TemporaryDirectory: Sendable {
  /// Its path.
  package let path: String

  /// Makes a new one.
  package init() throws {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var name = Array("\(parent)/ckptconv-test-XXXXXX".utf8CString)
    guard mkdtemp(&name) != nil else { throw Failure(call: "mkdtemp", code: errno) }
    path = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit {
    var open = [path]
    var directories: [String] = []
    while let directory = open.popLast() {
      directories.append(directory)
      for name in Self.names(in: directory) where unlink("\(directory)/\(name)") != 0 {
        open.append("\(directory)/\(name)")
      }
    }
    for directory in directories.reversed() { rmdir(directory) }
  }

  /// The names in the directory, hidden ones too, in order.
  package var names: [String] { Self.names(in: path) }

  private static func names(in path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// The path of a file in the directory.
  package static func / (directory: TemporaryDirectory, name: String) -> String {
    directory.path + "/" + name
  }

  /// Makes a directory in the directory.
  package func makeDirectory(_ name: String) throws {
    guard mkdir(self / name, 0o777) == 0 else { throw Failure(call: "mkdir", code: errno) }
  }

  /// Makes or overwrites a file.
  package func write(_ bytes: [UInt8], to name: String) throws {
    guard let file = fopen(self / name, "w") else { throw Failure(call: "fopen", code: errno) }
    fwrite(bytes, 1, bytes.count, file)
    guard fclose(file) == 0 else { throw Failure(call: "fclose", code: errno) }
  }

  /// The bytes of a file, or `nil` when there is none.
  package func bytes(of name: String) -> [UInt8]? {
    guard let file = fopen(self / name, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
      bytes += chunk.prefix(count)
    }
    return bytes
  }

  private struct Failure: Error {
    let call: String
    let code: Int32
  }
}
