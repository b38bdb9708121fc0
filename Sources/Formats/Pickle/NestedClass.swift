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
    // Each round goes one `getattr` deeper; the chain cannot be circular, since a call's arguments
    // exist before it does.
    while true {
      guard let pair = tuple(arguments), pair.count == 2, let owner = pair.first,
        let attribute = pair.last, case .string = self[attribute], let name = string(attribute)
      else { return nil }
      suffix.insert(name, at: 0)
      if case .global(let module, let outer) = self[owner],
        let module = string(module), let outer = string(outer)
      {
        return (module, ([outer] + suffix).joined(separator: "."))
      }
      guard case .object(let object) = self[owner], isNestedClass(owner) else { return nil }
      arguments = self[object].arguments
    }
  }
}
