package import CkptBase
package import CkptContainer
package import CkptGraph
internal import CkptSkeleton

/// A skeleton in a document of its own: what an object has beside the bytes of its tensors, when
/// those are in other files, under other names or in parts.
///
/// The text is that of the skeleton of a safetensors file (`Documentation/skeleton.md`), except that
/// NAME is whatever the writer calls a tensor by.
package struct DetachedSkeleton {
  /// The object; once ``fill(_:)`` has succeeded, its tensors have their elements.
  package private(set) var graph: TensorGraph
  /// The container that the object comes from.
  package let origin: (any ContainerDescription)?
  /// What the user should know.
  package let warnings: [String]
  private let references: [ParsedSkeleton.TensorReference]

  /// Elements for a tensor of the object.
  package struct Contents {
    /// The type of the elements.
    package var dtype: DType
    /// The number of elements along each dimension.
    package var shape: [Int]
    /// The elements, if there are any.
    package var blocks: PlacedBlocks?

    /// The elements of a tensor of `graph`.
    package init(_ tensor: Tensor, of graph: TensorGraph) {
      dtype = tensor.dtype
      shape = tensor.shape
      blocks = graph.blocks(of: tensor)
    }
  }

  /// The document for a graph, in which tensors are called by the given names.
  package static func write(
    _ graph: TensorGraph, from origin: (any ContainerDescription)?, names: [TensorID: String]
  ) -> [UInt8] {
    let placements = graph.tensors.indices.map { index -> SkeletonWriter.Placement? in
      let id = TensorID(index: index)
      return names[id].map {
        SkeletonWriter.Placement(name: $0, isDisguised: EntryForm(of: graph[id]).isDisguise)
      }
    }
    return SkeletonWriter.write(
      graph, from: origin, layout: .plain, placements: placements)
  }

  /// Reads a document.
  ///
  /// - Throws: what reading a skeleton throws: `malformed`, `unsupported` for a later version,
  ///   `forbidden` for what can run code.
  package init(reading bytes: [UInt8], droppingUnsafe dropsUnsafe: Bool) throws(CheckpointError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CheckpointError(.malformed, "a skeleton is UTF-8 text, and this is not")
    }
    let skeleton = try SkeletonReader.read(text, droppingUnsafe: dropsUnsafe)
    origin = skeleton.origin
    warnings = skeleton.warnings
    references = skeleton.tensors
    graph = skeleton.graph
  }

  /// Gives each tensor its elements, which `contents` has by the tensor's name.
  ///
  /// - Returns: why that cannot be done, as a sentence, where a tensor is not there any more, has
  ///   another type or shape than it had, or shares its storage; `nil` when all is well.
  /// - Throws: `malformed` for a skeleton that is not of one piece.
  package mutating func fill(
    _ contents: (String) -> Contents?
  ) throws(CheckpointError) -> String? {
    var filled: Set<StorageID> = []
    var named: Set<NodeID> = []
    for reference in references {
      guard let name = reference.name else { continue }
      named.insert(reference.node)
      guard let found = contents(name) else { return "tensor '\(name)' is gone" }
      guard reference.hasConstruction else {
        _ = try graph.addPackedTensor(
          found.dtype, found.shape, key: name, blocks: found.blocks, at: reference.node)
        continue
      }
      guard case .tensor(let id) = graph[reference.node], let storage = graph[id].storage else {
        throw CheckpointError(.malformed, "the construction of tensor '\(name)' is not one")
      }
      let tensor = graph[id]
      guard tensor.dtype == found.dtype, tensor.shape == found.shape else {
        return "tensor '\(name)' was \(tensor.dtype.name) \(tensor.shape) and is "
          + "\(found.dtype.name) \(found.shape)"
      }
      guard isWhole(tensor), filled.insert(storage).inserted else {
        return "tensor '\(name)' was a part of its storage"
      }
      graph.setBlocks(found.blocks, of: storage)
    }
    for tensor in graph.tensors where tensor.storage != nil && !named.contains(tensor.node) {
      throw CheckpointError(.malformed, "the skeleton does not name a tensor that has elements")
    }
    return nil
  }

  /// The object as a checkpoint.
  package var checkpoint: Checkpoint {
    Checkpoint(graph: graph, container: origin, warnings: warnings)
  }

  /// Whether a tensor is exactly its storage, in order.
  private func isWhole(_ tensor: Tensor) -> Bool {
    guard let storage = tensor.storage.map({ graph[$0] }) else { return false }
    return tensor.offset == 0 && tensor.isContiguous && !tensor.isConjugated && !tensor.isNegated
      && tensor.byteCount == storage.byteCount && !storage.isBigEndian
  }
}
