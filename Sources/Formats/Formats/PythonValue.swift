internal import CkptBase
package import CkptGraph

/// A Python object of a checkpoint: a value that is not a tensor, or the dict or list around it.
///
/// An object of an unknown class is described by its pickle; no code is run. Parts are looked up on
/// request.
public struct PythonValue: Sendable {
  private let graph: TensorGraph
  private let node: NodeID

  package init(_ node: NodeID, of graph: TensorGraph) {
    self.graph = graph
    self.node = node
  }

  /// Whether the object is `None`.
  public var isNone: Bool {
    if case .none = graph[node] { true } else { false }
  }

  /// The value of a bool; `nil` for another object.
  public var bool: Bool? {
    guard case .bool(let value) = graph[node] else { return nil }
    return value
  }

  /// The value of an int that fits 64 bits, or `nil` for another object.
  public var int: Int? {
    guard case .int(let value) = graph[node] else { return nil }
    return value
  }

  /// The value of a float, or of an int that a `Double` holds exactly; `nil` for another object.
  public var double: Double? {
    switch graph[node] {
    case .float(let value): value
    case .int(let value): Double(exactly: value)
    default: nil
    }
  }

  /// The text of a str, or `nil` for another object.
  public var string: String? { graph.string(node) }

  /// The contents of a bytes or bytearray object, or `nil` for another object.
  public var bytes: [UInt8]? {
    switch graph[node] {
    case .bytes(let run), .byteArray(let run): Array(graph[run])
    default: nil
    }
  }

  /// The items of a list, tuple or set in order, or `nil` for another object.
  public var elements: [PythonValue]? {
    switch graph[node] {
    case .list(let run), .tuple(let run), .set(let run), .frozenSet(let run):
      graph[run].map { PythonValue($0, of: graph) }
    default: nil
    }
  }

  /// The entries of a dict, or of an object of a dict's subclass, in order; `nil` for another object.
  public var entries: [(key: PythonValue, value: PythonValue)]? {
    graph.entries(of: node)?.map {
      (PythonValue($0.key, of: graph), PythonValue($0.value, of: graph))
    }
  }
}

extension PythonValue: CustomStringConvertible {
  /// The object as Python's `repr` writes it, roughly, cut after about 200 characters.
  public var description: String { graph.description(of: node) }
}

/// Search for objects by their paths.
extension TensorGraph {
  /// A state of the search: a node, and the length of the path to it, in bytes.
  private struct Place: Hashable {
    var node: NodeID
    var offset: Int
  }

  /// Returns the first node at a path, or `nil`.
  ///
  /// Keys can contain dots, so a path can be read in several ways. Each node is visited at most
  /// once for each length of the path.
  package func node(at path: String) -> NodeID? {
    let path = Array(path.utf8)
    var pending = [Place(node: root, offset: 0)]
    var seen: Set<Place> = []
    while let place = pending.popLast() {
      guard place.offset <= path.count else { return place.node }
      guard seen.insert(place).inserted else { continue }
      for part in namedParts(of: place.node).reversed() {
        guard let component = part.component else {
          pending.append(Place(node: part.node, offset: place.offset))
          continue
        }
        let name = Array(text(of: component).utf8)
        let end = place.offset + name.count
        guard path[place.offset...].starts(with: name),
          end == path.count || path[end] == UInt8(ascii: ".")
        else { continue }
        pending.append(Place(node: part.node, offset: end + 1))
      }
    }
    return nil
  }

  /// Returns the parts of an object with their steps.
  private func namedParts(of id: NodeID) -> [Part] {
    if let entries = entries(of: id) { return entries.map { Part(.key($0.key), $0.value) } }
    if let parts = parts[id] { return parts }
    switch self[id] {
    case .list(let run), .tuple(let run), .set(let run), .frozenSet(let run):
      return self[run].enumerated().map { Part(.index($0.offset), $0.element) }
    case .object(let object):
      let items = self[self[object].items].enumerated().map {
        Part(.index($0.offset), $0.element)
      }
      guard let state = self[object].state else { return items }
      // The state of an object with slots is a pair of dicts.
      let states = tuple(state).map(Array.init) ?? [state]
      return items
        + states.flatMap { state in
          (entries(of: state) ?? []).map { Part(.key($0.key), $0.value) }
        }
    default: return []
    }
  }
}
