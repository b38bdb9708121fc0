internal import CkptBase
internal import CkptCheckpoints
internal import CkptYAML

/// Compares two configurations field by field.
enum ConfigurationDifferences {
  /// Returns the differences of two configurations of one name; `nil` for other files, and for text
  /// that cannot be parsed.
  static func find(in pair: FilePairing.Pair) -> [Difference]? {
    let name = FilePath(pair.first).name
    guard CheckpointMembers.configurations.contains(name), let left = try? fields(of: pair.first),
      let right = try? fields(of: pair.second)
    else { return nil }
    let known = Dictionary(
      right.map { ($0.path, $0.text) }, uniquingKeysWith: { first, _ in first })
    var differences: [Difference] = []
    for field in left where known[field.path] != field.text {
      let other = known[field.path]
      differences.append(
        Difference(
          other == nil ? .missing : .value, at: "\(name): \(field.path.text)", first: field.text,
          second: other))
    }
    let present = Set(left.map(\.path))
    for field in right where !present.contains(field.path) {
      differences.append(
        Difference(.extra, at: "\(name): \(field.path.text)", first: nil, second: field.text))
    }
    return differences
  }

  private typealias Field = (path: ExactString, text: String)

  /// Returns the scalars of a configuration, each with its path.
  private static func fields(of path: String) throws(CheckpointError) -> [Field] {
    let bytes = try FileSource(path: path)
      .contents(of: "a configuration", atMost: YAMLLimits.documentBytes)
    // JSON is YAML, too.
    let document = try CheckpointError.within(path) { () throws(CheckpointError) in
      try YAMLValue(reading: bytes)
    }
    var fields: [Field] = []
    var pending: [(path: String, value: YAMLValue)] = [("", document)]
    while let (path, value) = pending.popLast() {
      let prefix = path.isEmpty ? "" : "\(path)."
      switch value.content {
      case .scalar(let scalar): fields.append((ExactString(path), scalar.description))
      case .sequence(let items):
        if items.isEmpty { fields.append((ExactString(path), "[]")) }
        pending += items.enumerated().reversed().map { ("\(prefix)\($0.offset)", $0.element) }
      case .mapping(let mapping):
        if mapping.isEmpty { fields.append((ExactString(path), "{}")) }
        pending += mapping.entries.reversed().map { ("\(prefix)\($0.key.description)", $0.value) }
      }
    }
    return fields
  }
}
