internal import Bytes

/// What a node is, when it is one of the simple kinds.
extension TensorGraph {
  /// The text of a str node, with lone surrogates replaced, or `nil` for another node.
  public func string(_ id: NodeID) -> String? {
    guard case .string(let run) = self[id] else { return nil }
    return String(decoding: self[run], as: UTF8.self)
  }

  /// The text of a str node that may be a name, or `nil` for another node and for longer texts than
  /// ``Limits/nameBytes``.
  package func name(_ id: NodeID) -> String? {
    guard case .string(let run) = self[id], run.count <= Limits.nameBytes else { return nil }
    return string(id)
  }

  /// The value of an int or bool node that fits 64 bits, or `nil` for another node.
  public func int(_ id: NodeID) -> Int? {
    switch self[id] {
    case .int(let value): value
    case .bool(let value): value ? 1 : 0
    default: nil
    }
  }

  /// The elements of a tuple node, or `nil` for another node.
  public func tuple(_ id: NodeID) -> ArraySlice<NodeID>? {
    guard case .tuple(let run) = self[id] else { return nil }
    return self[run]
  }

  /// The items of a tuple that may be arguments or a state of a class that is known, or `nil` for
  /// another node and for longer tuples than ``Limits/knownArguments``.
  ///
  /// Any number of objects can refer to one tuple of any length, so a long one is not looked at.
  package func shortTuple(_ id: NodeID) -> [NodeID]? {
    guard let items = tuple(id), items.count <= Limits.knownArguments else { return nil }
    return Array(items)
  }

  /// Whether `id` is the global `module.name`.
  package func isGlobal(_ id: NodeID, _ module: StaticString, _ name: StaticString) -> Bool {
    guard case .global(let moduleID, let nameID) = self[id] else { return false }
    return text(of: moduleID, equals: module) && text(of: nameID, equals: name)
  }

  /// Whether `id` is a str with exactly the text `expected`.
  package func text(of id: NodeID, equals expected: StaticString) -> Bool {
    guard case .string(let run) = self[id], Int(run.count) == expected.utf8CodeUnitCount else {
      return false
    }
    return self[run].elementsEqual(expected.description.utf8)
  }

  /// The dotted name of a global, or `nil` for another node.
  public func globalName(_ id: NodeID) -> String? {
    guard case .global(let module, let name) = self[id] else { return nil }
    return "\(string(module) ?? "?").\(string(name) ?? "?")"
  }
}
