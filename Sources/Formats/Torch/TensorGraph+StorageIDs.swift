package import CkptBase
package import CkptGraph

/// The persistent ids of storages, as the formats of `torch.save` have them.
///
/// A ZIP archive has `('storage', class, key, location, numel)` and a legacy file one more item, which is
/// `None` unless the id stands for a part of the storage; neither is read as the other
/// (`torch/serialization.py`, `persistent_load`).
extension TensorGraph {
  /// Names the storages by numbers from `first` on, in their persistent ids as well, so that graphs
  /// of several archives can be put together.
  ///
  /// - Returns: the strs that are the names.
  /// - Throws: `limitExceeded` when the graph is full.
  @discardableResult
  package mutating func numberStorages(from first: Int) throws(CheckpointError) -> Set<NodeID> {
    var keys: [ExactString: NodeID] = [:]
    for (index, storage) in storages.enumerated() {
      let key = String(first + index)
      keys[ExactString(storage.key)] = try addString(key)
      setKey(key, of: StorageID(index: index))
    }
    try replaceStorageIDs { graph, items in
      if let key = graph.string(items[2]).flatMap({ keys[ExactString($0)] }) { items[2] = key }
    }
    return Set(keys.values)
  }

  /// Appends the graph of another archive, whose storages get the numbers behind those of this one.
  ///
  /// - Returns: the mapping of its ids.
  /// - Throws: `limitExceeded` when the graph is full.
  package mutating func appendNumbered(
    _ other: TensorGraph
  ) throws(CheckpointError) -> IDRemapping {
    var other = other
    try other.numberStorages(from: storages.count)
    return try append(other)
  }

  /// Gives the persistent ids the form that an archive of this format has.
  ///
  /// - Throws: `unsupported` for parts of storages that are in the object by themselves, which a ZIP
  ///   archive has no id for; `limitExceeded` when the graph is full.
  package mutating func spellStorageIDs(
    for format: TorchArchiveDescription.Format
  ) throws(CheckpointError) {
    if format.isZip { try replaceViews() }
    try replaceStorageIDs { _, items in
      if format.isZip {
        items.removeLast(items.count - 5)
      } else if items.count == 5 {
        items.append(TensorGraph.none)
      }
    }
  }

  /// Lets tensors over a part of a storage be over the whole, which they are in the graph already.
  private mutating func replaceViews() throws(CheckpointError) {
    for tensor in tensors {
      switch tensor.origin {
      case .plain: continue
      case .storage(let id):
        guard isView(id) else { continue }
        throw CheckpointError(
          .unsupported,
          "a part of a storage that is in the object by itself has no place in an archive")
      case .call(let object):
        guard var items = shortTuple(self[object].arguments), items.count > 1,
          case .persistent(let id) = self[items[0]], isView(id)
        else { continue }
        items[1] = try add(.int(tensor.offset))
        self[object].arguments = try add(.tuple(addChildren(items[...])))
      }
    }
  }

  /// Whether a persistent id stands for a part of a storage.
  private func isView(_ id: NodeID) -> Bool {
    guard let items = tuple(id), items.count > 5 else { return false }
    return items[items.startIndex + 5] != TensorGraph.none
  }

  /// Puts new persistent ids in the places of those of storages, which `change` changes.
  private mutating func replaceStorageIDs(
    _ change: (TensorGraph, inout [NodeID]) -> Void
  ) throws(CheckpointError) {
    for index in 0..<nodeCount {
      let node = NodeID(index: index)
      guard case .persistent(let id) = self[node] else { continue }
      replace(node, with: .persistent(try changed(id, change)))
    }
    for index in tensors.indices {
      guard case .storage(let id) = tensors[index].origin else { continue }
      var tensor = tensors[index]
      tensor.origin = .storage(id: try changed(id, change))
      replace(TensorID(index: index), with: tensor)
    }
  }

  private mutating func changed(
    _ id: NodeID, _ change: (TensorGraph, inout [NodeID]) -> Void
  ) throws(CheckpointError) -> NodeID {
    guard let found = tuple(id), found.count >= 5 else { return id }
    var items = Array(found)
    change(self, &items)
    guard items[...] != found else { return id }
    return try add(.tuple(addChildren(items[...])))
  }

  /// Makes the storages little-endian: their bytes are swapped where a file has them.
  ///
  /// - Throws: `malformed` for a storage whose size cannot be computed.
  package mutating func makeStoragesLittleEndian() throws(CheckpointError) {
    for index in storages.indices where storages[index].isBigEndian {
      var storage = storages[index]
      storage.isBigEndian = false
      if let region = storage.region {
        let dtype = storage.dtype ?? self.dtype(ofViewsOf: StorageID(index: index))
        let elements = Tensor(
          node: TensorGraph.none, dtype: dtype, shape: [storage.byteCount / dtype.byteCount],
          strides: [1], offset: 0, storage: nil)
        let block = ElementBlock(elements, in: region, isBigEndian: true)
        storage.blocks = try PlacedBlocks([.init(block, at: [0])], in: elements.shape)
        storage.region = nil
      }
      replace(StorageID(index: index), with: storage)
    }
  }

  /// The dtype of the tensors over an untyped storage.
  private func dtype(ofViewsOf storage: StorageID) -> DType {
    tensors.first { $0.storage == storage }?.dtype ?? .uint8
  }
}
