public import CkptBase
public import CkptContainer
public import CkptGraph
internal import CkptSafetensors

/// Changes to a checkpoint. Files and tensors are only read when the checkpoint is saved.
extension Checkpoint {
  /// Creates a checkpoint without tensors or values: an empty dict.
  public init() {
    var graph = TensorGraph()
    _ = graph.addEmptyRoot()
    self.init(graph: graph, container: nil)
  }

  /// Renames tensors.
  ///
  /// The new name replaces the key in the dict that holds the tensor. In nested dicts, it must
  /// begin with the keys of the outer dicts, as the old name does.
  ///
  /// - Parameter newName: receives each name and returns the new name.
  /// - Throws: ``CheckpointError`` with code `unsupported` for a tensor that is not a value of a
  ///   dict or would move to another dict, `conflict` for a name that two tensors would have. The
  ///   checkpoint is then unchanged.
  public mutating func renameTensors(
    _ newName: (_ name: String) -> String
  ) throws(CheckpointError) {
    var changed = graph
    var edits = EntryEdits()
    var dicts: Set<NodeID> = []
    let leaves = try NamedLeaves(of: graph)
    for leaf in leaves.tensors {
      let name = newName(leaf.name)
      guard ExactString(name) != ExactString(leaf.name) else { continue }
      guard let (dict, key) = leaves.entry(of: leaf), let oldKey = graph.string(key),
        let newKey = Self.key(of: name, insteadOf: leaf.name, withKey: oldKey),
        edits.rename(
          leaf.leaf, of: leaves.paths, to: try changed.addString(newKey), label: leaf.name)
      else {
        throw CheckpointError(
          .unsupported,
          "'\(leaf.name)' cannot become '\(name)': only the key in its dict can change")
      }
      dicts.insert(dict)
    }
    try apply(edits, to: &changed)
    for dict in dicts where try changed.hasEqualKeys(dict) {
      throw CheckpointError(.conflict, "two entries of a dict would have the same name")
    }
    graph = changed
  }

  /// Removes the tensors with the names that a condition selects.
  ///
  /// - Parameter isRemoved: receives each name.
  /// - Throws: ``CheckpointError`` with code `unsupported` for a tensor that is not a value of a
  ///   dict. The checkpoint is then unchanged.
  public mutating func removeTensors(
    where isRemoved: (_ name: String) -> Bool
  ) throws(CheckpointError) {
    var edits = EntryEdits()
    let leaves = try NamedLeaves(of: graph)
    for leaf in leaves.tensors where isRemoved(leaf.name) {
      guard edits.remove(leaf.leaf, of: leaves.paths, label: leaf.name) else {
        throw Self.cannotChange(leaf.name)
      }
    }
    var changed = graph
    try apply(edits, to: &changed)
    graph = changed
  }

  /// Casts all floating-point tensors, rounding to nearest even as PyTorch does.
  ///
  /// Tied tensors stay tied. The elements are cast when they are read or saved.
  ///
  /// - Parameter dtype: ``DType/float32``, ``DType/float16`` or ``DType/bfloat16``.
  /// - Throws: ``CheckpointError`` with code `unsupported` for another dtype, and for a checkpoint
  ///   that was cast before.
  public mutating func castTensors(to dtype: DType) throws(CheckpointError) {
    guard ElementCast.targets.contains(dtype) else {
      let known = ElementCast.targets.map(\.name).joined(separator: ", ")
      throw CheckpointError(.unsupported, "tensors are not cast to \(dtype.name), only to \(known)")
    }
    guard graph.canCastFloats(to: dtype) else {
      throw CheckpointError(
        .unsupported, "the tensors were cast before",
        remedy: "save the checkpoint first, and open it again")
    }
    graph.castFloats(to: dtype)
  }

  /// Replaces a tensor by elements of a Swift type, or adds it to the outermost dict.
  ///
  /// Other names of a tied tensor keep the old elements.
  ///
  /// - Parameters:
  ///   - name: the name, as ``tensors()`` lists it.
  ///   - elements: the elements in row-major order.
  ///   - shape: the number of elements along each dimension; empty for a scalar.
  /// - Throws: ``CheckpointError`` with code `conflict` if the number of elements does not match
  ///   the shape, `unsupported` for a name whose value cannot be replaced.
  public mutating func setTensor<Element: TensorElement>(
    _ name: String, to elements: [Element], shape: [Int]
  ) throws(CheckpointError) {
    try setTensor(
      name, Element.dtype, shape, in: MemorySource(elements: elements, name: "tensor '\(name)'"))
  }

  /// Replaces a tensor by elements of any dtype, or adds it to the outermost dict.
  ///
  /// - Parameters:
  ///   - name: the name, as ``tensors()`` lists it.
  ///   - bytes: the elements in row-major order, little-endian.
  ///   - dtype: the type of the elements.
  ///   - shape: the number of elements along each dimension; empty for a scalar.
  /// - Throws: ``CheckpointError`` as ``setTensor(_:to:shape:)`` does.
  public mutating func setTensor(
    _ name: String, toBytes bytes: [UInt8], dtype: DType, shape: [Int]
  ) throws(CheckpointError) {
    try setTensor(name, dtype, shape, in: MemorySource(bytes, name: "tensor '\(name)'"))
  }

  /// Replaces a tensor by one of any checkpoint, or adds it to the outermost dict.
  ///
  /// The elements are not read yet, so the files of that checkpoint must exist until this one is
  /// saved.
  ///
  /// - Throws: ``CheckpointError`` with code `unsupported` for a tensor without data, and for a name whose
  ///   value cannot be replaced.
  public mutating func setTensor(
    _ name: String, to other: NamedTensor
  ) throws(CheckpointError) {
    var changed = graph
    guard other.hasData else {
      throw CheckpointError(
        .unsupported, "tensor '\(other.name)' is on the meta device and has no data")
    }
    let node = try changed.addPackedTensor(
      other.dtype, other.shape, key: name, blocks: other.graph.blocks(of: other.tensor))
    try put(node, at: name, in: &changed)
    graph = changed
  }

  /// Replaces a value that is not a tensor, or adds it to the outermost dict.
  ///
  /// - Parameters:
  ///   - name: the path to the value, as ``values()`` lists it.
  ///   - value: a number, a string, a list or a dict of these, or `nil` for `None`. Literals can be
  ///     used.
  /// - Throws: ``CheckpointError`` with code `unsupported` for a name whose value cannot be replaced.
  public mutating func setValue(
    _ name: String, to value: PlainValue
  ) throws(CheckpointError) {
    var changed = graph
    let node = try changed.addValue(value)
    try put(node, at: name, in: &changed)
    graph = changed
  }
}

extension Checkpoint {
  /// Returns the key that renames the entry `old` with key `oldKey` to `name`; `nil` if the keys
  /// before it would change too.
  private static func key(
    of name: String, insteadOf old: String, withKey oldKey: String
  ) -> String? {
    let beginning = old.utf8.count - oldKey.utf8.count
    guard old.ends(with: oldKey),
      name.utf8.prefix(beginning).elementsEqual(old.utf8.prefix(beginning))
    else { return nil }
    return name.droppingFirst(beginning)
  }

  private mutating func setTensor(
    _ name: String, _ dtype: DType, _ shape: [Int], in source: any ByteSource
  ) throws(CheckpointError) {
    guard shape.allSatisfy({ $0 >= 0 }) else {
      throw CheckpointError(.conflict, "a shape has no negative sizes, found \(shape)")
    }
    try Tensor.requireSize(shape, of: dtype)
    let byteCount = shape.reduce(dtype.byteCount, *)
    guard byteCount == source.byteCount else {
      throw CheckpointError(
        .conflict,
        "\(dtype.name) elements of shape \(shape) have \(byteCount) bytes, found \(source.byteCount)"
      )
    }
    let region = FileRegion(source: source, range: 0..<byteCount, name: name)
    var changed = graph
    let node = try changed.addPackedTensor(dtype, shape, key: name, region: region)
    try put(node, at: name, in: &changed)
    graph = changed
  }

  /// Replaces an object, or adds one to the outermost dict.
  private func put(
    _ node: NodeID, at name: String, in changed: inout TensorGraph
  ) throws(CheckpointError) {
    let leaves = try NamedLeaves(of: graph)
    guard let leaf = leaves.all.first(where: { ExactString($0.name) == ExactString(name) }) else {
      guard changed.appendEntry(key: try changed.addString(name), value: node, to: changed.root)
      else {
        throw CheckpointError(
          .unsupported,
          "'\(name)' cannot be added: the checkpoint is not a dict but "
            + changed.description(of: changed.root, limit: 60))
      }
      return
    }
    var edits = EntryEdits()
    guard edits.put(node, in: leaf.leaf, of: leaves.paths, label: name) else {
      throw Self.cannotChange(name)
    }
    try apply(edits, to: &changed)
  }

  private func apply(
    _ edits: EntryEdits, to changed: inout TensorGraph
  ) throws(CheckpointError) {
    if let label = edits.apply(to: &changed) { throw Self.cannotChange(label) }
  }

  private static func cannotChange(_ name: String) -> CheckpointError {
    CheckpointError(.unsupported, "'\(name)' is not the value of a dict that can be changed")
  }
}
