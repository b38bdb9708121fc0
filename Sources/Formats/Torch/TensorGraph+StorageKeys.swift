package import Bytes
package import Graph

extension TensorGraph {
  /// Names the storages by numbers from `first` on, in their persistent ids as well, so that graphs
  /// of several archives can be put together.
  ///
  /// - Throws: `limitExceeded` when the graph is full.
  package mutating func numberStorages(from first: Int) throws(FormatError) {
    var keys: [ExactString: NodeID] = [:]
    for (index, storage) in storages.enumerated() {
      let key = String(first + index)
      keys[ExactString(storage.key)] = try addString(key)
      setKey(key, of: StorageID(index: index))
    }
    for index in 0..<nodeCount {
      let node = NodeID(index: index)
      guard case .persistent(let id) = self[node] else { continue }
      replace(node, with: .persistent(try renamed(id, keys)))
    }
    for index in tensors.indices {
      guard case .storage(let id) = tensors[index].origin else { continue }
      var tensor = tensors[index]
      tensor.origin = .storage(id: try renamed(id, keys))
      replace(TensorID(index: index), with: tensor)
    }
  }

  /// A persistent id with the new key in the place of the old one.
  private mutating func renamed(
    _ id: NodeID, _ keys: [ExactString: NodeID]
  ) throws(FormatError) -> NodeID {
    guard let found = tuple(id), found.count >= 5 else { return id }
    var parts = Array(found)
    guard let key = string(parts[2]).flatMap({ keys[ExactString($0)] }) else { return id }
    parts[2] = key
    return try add(.tuple(addChildren(parts[...])))
  }
}
