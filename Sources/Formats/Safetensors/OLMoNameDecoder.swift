internal import Bytes
internal import Graph
internal import JSON
internal import Pickle

/// Reads the names that OLMo gives tensors: base64 of a pickled pair of key path and flag.
///
/// OLMo itself runs `pickle.loads` on every one of them; here they go through the same machine as any
/// pickle, which runs nothing.
enum OLMoNameDecoder {
  /// What a name says.
  struct Key {
    /// The keys that lead to the value.
    var path: [NodeID]
    /// Whether the entry's bytes are a pickle.
    var isPickled: Bool
  }

  /// Whether `name` looks like OLMo's: base64 of something that begins like a pickle.
  static func isOLMo(_ name: String) -> Bool {
    // The first twelve bits of a pickle of protocol 2 to 15.
    guard name.utf8.starts(with: "gA".utf8), let bytes = Base64.decode(name, .urlSafe),
      bytes.count >= 4
    else { return false }
    return bytes[0] == 0x80 && (2...5).contains(bytes[1]) && bytes[bytes.count - 1] == 0x2e
  }

  /// The key that `name` stands for, its parts added to the machine's graph.
  ///
  /// - Throws: `malformed` for a name of another form, `forbidden` for one that would run code.
  static func decode(
    _ name: String, with machine: inout Unpickler
  ) throws(FormatError) -> Key {
    guard let bytes = Base64.decode(name, .urlSafe) else {
      throw FormatError(.malformed, "the name is not base64, others of this file are OLMo's")
    }
    var reader = ByteReader(bytes.span)
    let pair = try machine.loadWhole(&reader)
    guard let parts = machine.graph.tuple(pair), parts.count == 2, let first = parts.first,
      let path = machine.graph.tuple(first), path.count <= Limits.pathLength, let last = parts.last,
      case .bool(let isPickled) = machine.graph[last]
    else {
      throw FormatError(.malformed, "the name is not a pair of a tuple of keys and a flag")
    }
    return Key(path: Array(path), isPickled: isPickled)
  }

  /// The keys of a name as people write them, for messages; a name of another form as it is.
  static func label(of name: String) -> String {
    var machine = Unpickler()
    guard let key = try? decode(name, with: &machine) else { return name }
    return TensorNames(graph: machine.finish(), layout: .olmo)
      .plainName(of: key.path.map { .key($0) })
  }
}
