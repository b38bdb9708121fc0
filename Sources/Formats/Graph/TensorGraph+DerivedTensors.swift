package import CkptBase

/// Tensors that are rows of another one, or joined from several. No bytes are copied: the new
/// tensors are views, or have storages of several blocks.
extension TensorGraph {
  /// Adds a tensor with the rows `rows` of another one, counted along its first dimension.
  ///
  /// It is a view of the same storage if a file has that; otherwise it gets a storage of its own.
  ///
  /// - Throws: `malformed` for rows that do not exist, `limitExceeded` if the graph is full.
  package mutating func addRows(
    _ rows: Range<Int>, of id: TensorID
  ) throws(CheckpointError) -> TensorID {
    let tensor = self[id]
    guard let count = tensor.shape.first, rows.lowerBound >= 0, rows.upperBound <= count else {
      throw CheckpointError(
        .malformed,
        "there are no rows \(rows.lowerBound) to \(rows.upperBound) in a tensor of shape "
          + "\(tensor.shape)")
    }
    var part = tensor
    part.shape[0] = rows.count
    // The strides of a tensor without elements can be anything.
    if part.elementCount > 0 { part.offset += rows.lowerBound * part.strides[0] }
    guard let packed = tensor.packed else { return try addNew(part) }
    guard part.elementCount > 0 else { return try addNew(part.filling(addStorage(of: part, nil))) }
    let block = ElementBlock(packed: packed, dtype: tensor.dtype, shape: tensor.shape)
    return try addNew(part.filling(addStorage(of: part, PlacedBlocks(whole: block).rows(rows))))
  }

  /// Adds a tensor that joins the given ones along their first dimension.
  ///
  /// Adjacent rows of one storage become a view of it again.
  ///
  /// - Throws: `unsupported` for tensors that cannot be joined, `limitExceeded` if the graph is
  ///   full.
  package mutating func addJoined(_ ids: [TensorID]) throws(CheckpointError) -> TensorID {
    precondition(!ids.isEmpty, "joining needs at least one tensor")
    let tensors = ids.map { self[$0] }
    var whole = tensors[0]
    for tensor in tensors.dropFirst() {
      try Self.requireFit(whole, tensor)
      whole.shape[0] = try whole.shape[0].adding(tensor.shape[0], orThrow: "a joined tensor's rows")
    }
    try Tensor.requireSize(whole.shape, of: whole.dtype)
    whole.requiresGradient = tensors.contains(where: \.requiresGradient)
    guard whole.storage != nil else { return try addNew(whole) }
    if let view = Self.view(of: tensors) {
      whole.offset = view.offset
      whole.storage = view.storage
      whole.strides = view.strides
      return try addNew(whole)
    }
    let parts = tensors.compactMap { self.blocks(of: $0) }
    var blocks = parts.first
    for part in parts.dropFirst() { blocks?.append(part) }
    return try addNew(whole.filling(addStorage(of: whole, blocks)))
  }

  private static func requireFit(_ first: Tensor, _ second: Tensor) throws(CheckpointError) {
    guard first.dtype == second.dtype, !first.shape.isEmpty,
      first.shape.count == second.shape.count,
      first.shape.dropFirst() == second.shape.dropFirst(),
      (first.storage == nil) == (second.storage == nil)
    else {
      throw CheckpointError(
        .unsupported,
        "a \(first.words) and a \(second.words) cannot be joined along their first dimension")
    }
  }

  /// Returns one view for tensors that are adjacent in one storage, or `nil`.
  ///
  /// Tensors without elements are ignored.
  private static func view(of tensors: [Tensor]) -> Tensor? {
    let tensors = tensors.filter { $0.elementCount > 0 }
    guard let first = tensors.first, first.packed == nil else { return nil }
    for (tensor, next) in zip(tensors, tensors.dropFirst()) {
      guard next.packed == nil, next.storage == tensor.storage, next.strides == tensor.strides,
        next.offset == tensor.offset + tensor.shape[0] * tensor.strides[0],
        next.isConjugated == tensor.isConjugated, next.isNegated == tensor.isNegated
      else { return nil }
    }
    return first
  }

  /// Adds a tensor that shows the same bytes as another and comes from no pickle.
  ///
  /// - Throws: `limitExceeded` when the graph is full.
  package mutating func addView(of id: TensorID) throws(CheckpointError) -> NodeID {
    var tensor = self[id]
    tensor.node = try add(.none)
    tensor.origin = .plain
    add(tensor)
    return tensor.node
  }

  private mutating func addNew(_ tensor: Tensor) throws(CheckpointError) -> TensorID {
    var tensor = tensor
    tensor.node = try add(.none)
    tensor.origin = .plain
    add(tensor)
    return TensorID(index: Int32(tensors.count - 1))
  }
}

extension TensorGraph {
  /// Adds a tensor over a storage of exactly its elements: a region of a source, or blocks.
  ///
  /// - Returns: the node of the tensor: `node`, or a new one.
  /// - Throws: `limitExceeded` if the graph is full.
  package mutating func addPackedTensor(
    _ dtype: DType, _ shape: [Int], key: String, region: FileRegion? = nil,
    blocks: PlacedBlocks? = nil, at node: NodeID? = nil
  ) throws(CheckpointError) -> NodeID {
    let node = if let node { node } else { try add(.none) }
    var tensor = Tensor(
      node: node, dtype: dtype, shape: shape, strides: Tensor.packedStrides(shape), offset: 0,
      storage: nil)
    tensor.storage = add(
      Storage(
        key: key, dtype: dtype, location: "cpu", byteCount: tensor.byteCount, region: region,
        isBigEndian: false, blocks: blocks))
    add(tensor)
    return node
  }

  /// Returns the blocks in files that hold the elements of a tensor, in a box of its shape; `nil`
  /// for a tensor without elements or data.
  package func blocks(of tensor: Tensor) -> PlacedBlocks? {
    guard tensor.elementCount > 0, let storage = tensor.storage.map({ self[$0] }) else {
      return nil
    }
    if let packed = tensor.packed {
      return PlacedBlocks(
        whole: ElementBlock(packed: packed, dtype: tensor.dtype, shape: tensor.shape))
    }
    if let region = storage.region {
      return PlacedBlocks(
        whole: ElementBlock(tensor, in: region, isBigEndian: storage.isBigEndian))
    }
    guard let blocks = storage.blocks else { return nil }
    precondition(
      tensor.isContiguous && tensor.shape.dropFirst() == blocks.shape.dropFirst(),
      "a view of a storage of blocks must be rows of it")
    guard let count = tensor.shape.first else { return blocks }
    let row = tensor.offset / (tensor.elementCount / count)
    return blocks.rows(row..<row + count)
  }

  /// Adds a storage made of `blocks`, the elements of `tensor`, if it has any.
  mutating func addStorage(of tensor: Tensor, _ blocks: PlacedBlocks?) -> StorageID {
    let old = tensor.storage.map { self[$0] }
    return add(
      Storage(
        key: old?.key ?? "", dtype: tensor.dtype, location: old?.location ?? "cpu",
        byteCount: tensor.byteCount, region: nil, isBigEndian: false, blocks: blocks))
  }
}

extension Tensor {
  /// Returns the tensor over a storage of exactly its elements.
  func filling(_ storage: StorageID) -> Tensor {
    var tensor = self
    tensor.storage = storage
    tensor.offset = 0
    tensor.strides = Tensor.packedStrides(shape)
    tensor.isConjugated = false
    tensor.isNegated = false
    tensor.packed = nil
    return tensor
  }

  /// The description of the tensor in messages.
  fileprivate var words: String {
    storage == nil ? "\(dtype.name) tensor \(shape) without data" : "\(dtype.name) tensor \(shape)"
  }
}

/// A cast of floating-point elements, rounding to nearest even like PyTorch.
package struct ElementCast: Hashable, Sendable {
  /// The dtype before the cast.
  package let source: DType
  /// The dtype after the cast.
  package let target: DType

  /// The dtypes that elements can be cast to.
  package static let targets: [DType] = [.float32, .float16, .bfloat16]

  /// Creates the cast of `source` to `target`, or `nil` if there is none: for integers, booleans,
  /// complex and packed numbers, for targets other than ``targets``, and for equal dtypes.
  package init?(from source: DType, to target: DType) {
    guard Self.sources.contains(source), Self.targets.contains(target), source != target else {
      return nil
    }
    self.source = source
    self.target = target
  }

  private static let sources: Set<DType> = [.float64, .float32, .float16, .bfloat16]
}

/// Casts of tensors.
extension TensorGraph {
  /// Casts every floating-point tensor to `dtype`, one of ``ElementCast/targets``, like a cast of a
  /// module in PyTorch.
  ///
  /// Integers, booleans and bare storages are unchanged. The tensors remain the same objects, and
  /// tied ones remain tied, over new storages without gaps. A tensor can be cast once.
  package mutating func castFloats(to dtype: DType) {
    precondition(ElementCast.targets.contains(dtype))
    var storages: [TensorView: StorageID] = [:]
    for index in tensors.indices {
      let id = TensorID(index: Int32(index))
      let tensor = self[id]
      guard ElementCast(from: tensor.dtype, to: dtype) != nil, !tensor.origin.isStorage else {
        continue
      }
      var cast = tensor
      cast.dtype = dtype
      cast.origin = .plain
      if tensor.storage != nil {
        let blocks = blocks(of: tensor)
        precondition(
          blocks?.blocks.allSatisfy { $0.elements.dtype == tensor.dtype } ?? true,
          "a tensor can be cast only once")
        let view = TensorView(tensor)
        let storage = view.flatMap { storages[$0] } ?? addStorage(of: cast, blocks)
        if let view { storages[view] = storage }
        cast = cast.filling(storage)
      }
      replace(id, with: cast)
    }
  }
}

extension TensorGraph {
  /// Whether ``castFloats(to:)`` can cast: no tensor was cast before.
  package func canCastFloats(to dtype: DType) -> Bool {
    tensors.allSatisfy { tensor in
      guard ElementCast(from: tensor.dtype, to: dtype) != nil, !tensor.origin.isStorage,
        let blocks = blocks(of: tensor)
      else { return true }
      return blocks.blocks.allSatisfy { $0.elements.dtype == tensor.dtype }
    }
  }
}

extension Tensor.Origin {
  fileprivate var isStorage: Bool { if case .storage = self { true } else { false } }
}
