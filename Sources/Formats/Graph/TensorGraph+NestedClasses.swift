internal import CkptBase

/// Nested classes in the form of protocols below 4: `getattr(Outer, 'Inner')`.
extension TensorGraph {
  /// Whether a node is `builtins.getattr`.
  package func isNestedClassFunction(_ id: NodeID) -> Bool {
    isGlobal(id, "builtins", "getattr")
  }

  /// Whether a node is a call of `getattr`, which readers allow only for nested classes.
  package func isNestedClass(_ id: NodeID) -> Bool {
    guard case .object(let object) = self[id] else { return false }
    return self[object].form == .call && isNestedClassFunction(self[object].callable)
  }

  /// Returns the module and dotted name of a nested class, or `nil` for another node.
  package func nestedClass(_ id: NodeID) -> (module: String, name: String)? {
    guard case .object(let object) = self[id], isNestedClass(id) else { return nil }
    return nestedClass(ofArguments: self[object].arguments)
  }

  /// Returns the module and dotted name of the class `getattr(*arguments)`, or `nil` for arguments
  /// of another form.
  package func nestedClass(ofArguments arguments: NodeID) -> (module: String, name: String)? {
    var arguments = arguments
    var suffix: [String] = []
    var byteCount = 0
    // Each round resolves one `getattr`. Each call in a chain looks up its own name, so chains must
    // be short.
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
