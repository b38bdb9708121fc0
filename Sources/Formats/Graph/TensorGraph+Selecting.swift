package import CkptBase

/// A part of an object as the whole.
extension TensorGraph {
  /// Makes the dict at the end of a dotted path the root.
  ///
  /// Keys may contain dots: the longest key that fits is taken.
  /// - Throws: `unsupported` if the path leads to no dict.
  package mutating func selectDict(at path: String) throws(CheckpointError) {
    var rest = path
    while !rest.isEmpty {
      guard let entries = entries(of: root) else {
        throw Self.noDict(at: path, description(of: root, limit: 60))
      }
      let names = entries.compactMap { entry in string(entry.key).map { (name: $0, entry.value) } }
      let fitting = names.filter {
        ExactString($0.name) == ExactString(rest) || rest.begins(with: $0.name + ".")
      }
      guard let (name, value) = fitting.max(by: { $0.name.utf8.count < $1.name.utf8.count }) else {
        let known = names.prefix(Self.listedKeys).map { "'\($0.name)'" }.joined(separator: ", ")
        throw CheckpointError(
          .unsupported, "there is no key '\(rest)' in the checkpoint",
          remedy: known.isEmpty
            ? nil
            : .text("the keys are \(known)\(names.count > Self.listedKeys ? ", ..." : "")"))
      }
      root = value
      rest = rest.droppingFirst(min(name.utf8.count + 1, rest.utf8.count))
    }
    guard entries(of: root) != nil else {
      throw Self.noDict(at: path, description(of: root, limit: 60))
    }
  }

  /// The number of keys that a message lists.
  private static let listedKeys = 8

  private static func noDict(at path: String, _ found: String) -> CheckpointError {
    CheckpointError(.unsupported, "'\(path)' is \(found), not a dict")
  }
}
