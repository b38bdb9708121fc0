package import Bytes

extension TensorGraph {
  /// Takes in everything that another graph holds; nothing here refers to it yet.
  ///
  /// Takes time linear in the size of `other`.
  ///
  /// - Returns: what its nodes, tensors and storages are called here.
  /// - Throws: `limitExceeded` when both together are beyond ``Limits``.
  package mutating func append(_ other: TensorGraph) throws(FormatError) -> GraphShift {
    let constants = Int(GraphShift.constantCount)
    guard nodes.count + other.nodes.count - constants <= Limits.graphNodes,
      storages.count + other.storages.count <= Limits.graphNodes,
      children.count + other.children.count <= Int(UInt32.max)
    else {
      throw FormatError(
        .limitExceeded, "the checkpoint has more than \(Limits.graphNodes) Python objects")
    }
    guard text.count + other.text.count <= Int(UInt32.max) else { throw Self.tooMuchText }
    // Safe from truncation: the guards keep the sums below the bounds of these types.
    let shift = GraphShift(
      nodes: Int32(nodes.count - constants), children: UInt32(children.count),
      text: UInt32(text.count), objects: Int32(objects.count), tensors: Int32(tensors.count),
      storages: Int32(storages.count))
    nodes += other.nodes.dropFirst(constants).lazy.map { shift($0) }
    children += other.children.lazy.map { shift($0) }
    text += other.text
    objects += other.objects.lazy.map { shift($0) }
    tensors += other.tensors.lazy.map { shift($0) }
    storages += other.storages
    discarded += other.discarded.lazy.map { shift($0) }
    for (bytes, spelling) in other.spellings { spellings[shift(bytes)] = shift(spelling) }
    for (owner, owned) in other.parts { parts[shift(owner)] = owned.map { shift($0) } }
    return shift
  }
}
