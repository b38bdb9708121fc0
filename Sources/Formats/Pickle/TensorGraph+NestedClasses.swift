internal import Bytes
package import Graph

/// `getattr(Outer, 'Inner')`: the only call of `getattr` that a checkpoint has a use for.
extension TensorGraph {
  /// Whether a node is such a call, so that its result may be called in turn.
  package func isNestedClass(_ id: NodeID) -> Bool {
    guard case .object(let object) = self[id] else { return false }
    return isGlobal(self[object].callable, "builtins", "getattr")
  }

  /// The module and dotted name of the class that `getattr(*arguments)` gives, or `nil` for
  /// arguments of another form.
  package func nestedClassParts(ofArguments arguments: NodeID) -> (module: String, name: String)? {
    var arguments = arguments
    var suffix: [String] = []
    var byteCount = 0
    // Each round goes one `getattr` deeper. Every call of a chain has its own name looked up, so that
    // chains must be short.
    while suffix.count < Limits.knownArguments, byteCount <= Limits.nameBytes {
      guard let pair = tuple(arguments), pair.count == 2, let owner = pair.first,
        let attribute = pair.last, let name = name(attribute)
      else { return nil }
      suffix.insert(name, at: 0)
      byteCount += name.utf8.count
      if case .global(let module, let outer) = self[owner],
        let module = self.name(module), let outer = self.name(outer)
      {
        return (module, ([outer] + suffix).joined(separator: "."))
      }
      guard case .object(let object) = self[owner], isNestedClass(owner) else { return nil }
      arguments = self[object].arguments
    }
    return nil
  }
}
