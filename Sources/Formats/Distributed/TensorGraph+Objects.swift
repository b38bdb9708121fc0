internal import CkptBase
internal import CkptGraph

/// The objects in which distributed programs describe tensors, by the names of their attributes.
extension TensorGraph {
  /// The name of an object's class, without its module.
  func className(of id: NodeID) -> String? {
    guard case .object(let object) = self[id],
      case .global(_, let name) = self[self[object].callable]
    else { return nil }
    return self.name(name)
  }

  /// An attribute of an object, from its state or the slots in it.
  func attribute(_ name: String, of id: NodeID) -> NodeID? {
    guard case .object(let object) = self[id], let state = self[object].state else { return nil }
    for part in shortTuple(state) ?? [state] {
      if let found = value(of: name, in: part) { return found }
    }
    return nil
  }

  /// The number of an enumeration's member, or a number itself.
  func enumerationNumber(_ id: NodeID) -> Int? {
    if case .object(let object) = self[id], let first = shortTuple(self[object].arguments)?.first {
      return int(first)
    }
    return int(id)
  }

  /// The sizes or offsets in a `torch.Size`, a tuple or a list; `nil` for anything else.
  func extents(_ id: NodeID) -> [Int]? {
    var numbers = sizes(id)
    if case .list(let run) = self[id], run.count <= Limits.dimensions {
      let items = self[run].compactMap { int($0) }
      numbers = items.count == Int(run.count) ? items : nil
    }
    guard let numbers, numbers.count <= Limits.dimensions, numbers.allSatisfy({ $0 >= 0 })
    else { return nil }
    return numbers
  }
}
