internal import Bytes
internal import Graph

/// What calls lead to: attributes of globals, imported modules, results of results.
extension GlobalCensus {
  /// How many attributes of attributes are followed, and how many calls of results.
  private static let chainLength = 64

  /// The global that a node is, by name, as an attribute of one, or as an imported module.
  func reached(from start: NodeID) -> Key? {
    var suffix: [String] = []
    var suffixByteCount = 0
    var node = start
    for _ in 0..<Self.chainLength where suffixByteCount <= Limits.nameBytes {
      switch graph[node] {
      case .global:
        let key = key(ofGlobal: node)
        return Key(
          module: key.module, name: ([key.name] + suffix.reversed()).joined(separator: "."))
      case .object(let id):
        let call = graph[id]
        guard let arguments = graph.tuple(call.arguments), let first = arguments.first else {
          return nil
        }
        if graph.isGlobal(call.callable, "builtins", "getattr"), arguments.count >= 2,
          let attribute = graph.name(arguments[arguments.startIndex + 1])
        {
          suffix.append(attribute)
          suffixByteCount += attribute.utf8.count
          node = first
        } else if isImport(call.callable), let module = graph.name(first) {
          return Key(module: module, name: suffix.reversed().joined(separator: "."))
        } else {
          return nil
        }
      default: return nil
      }
    }
    return nil
  }

  private func isImport(_ callable: NodeID) -> Bool {
    graph.isGlobal(callable, "builtins", "__import__")
      || graph.isGlobal(callable, "importlib", "import_module")
  }

  /// The global at the start of a chain of calls whose results are called.
  func key(ofMaker start: NodeID) -> Key? {
    var node = start
    for _ in 0..<Self.chainLength {
      switch graph[node] {
      case .global: return key(ofGlobal: node)
      case .object(let id): node = graph[id].callable
      default: return nil
      }
    }
    return nil
  }
}
