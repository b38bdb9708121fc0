package import CkptBase
package import CkptContainer
package import CkptGraph
internal import CkptSkeleton

/// A skeleton in a document of its own: an object without its tensor bytes, which are in other
/// files, under other names or in parts.
///
/// The text has the format of a skeleton in a safetensors file (`Documentation/skeleton.md`). A
/// NAME is the name that the writer chose for a tensor.
package struct DetachedSkeleton {
  /// The object.
  ///
  /// After ``fill(_:)`` succeeded, its tensors have their elements.
  package private(set) var graph: TensorGraph
  /// The container that the object comes from.
  package let origin: (any ContainerDescription)?
  /// Warnings for the user.
  package let warnings: [String]
  private let references: [ParsedSkeleton.TensorReference]

  /// The elements for a tensor of the object.
  package struct Contents {
    /// The dtype of the elements.
    package var dtype: DType
    /// The number of elements along each dimension.
    package var shape: [Int]
    /// The elements, if there are any.
    package var blocks: PlacedBlocks?

    /// Creates the elements of a tensor of `graph`.
    package init(_ tensor: Tensor, of graph: TensorGraph) {
      dtype = tensor.dtype
      shape = tensor.shape
      blocks = graph.blocks(of: tensor)
    }
  }

  /// Returns the document for a graph, with these names of tensors.
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
  /// - Throws: the errors of reading a skeleton: `malformed`, `unsupported` for a later version,
  ///   `forbidden` for objects that can run code.
  package init(reading bytes: [UInt8], droppingUnsafe dropsUnsafe: Bool) throws(CheckpointError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CheckpointError(.malformed, "a skeleton must be UTF-8 text")
    }
    let skeleton = try SkeletonReader.read(
      text, fileByteCount: bytes.count, droppingUnsafe: dropsUnsafe)
    origin = skeleton.origin
    warnings = skeleton.warnings
    references = skeleton.tensors
    graph = skeleton.graph
  }

  /// Gives each tensor its elements.
  ///
  /// `contents` returns them by the name of the tensor.
  ///
  /// - Returns: the reason if it is impossible, as a sentence: a tensor is missing, has another
  ///   dtype or shape, or shares its storage; otherwise `nil`.
  /// - Throws: `malformed` for an inconsistent skeleton.
  package mutating func fill(
    _ contents: (String) -> Contents?
  ) throws(CheckpointError) -> String? {
    var filled: Set<StorageID> = []
    var named: Set<NodeID> = []
    for reference in references {
      guard case .entry(let name) = reference.place else { continue }
      named.insert(reference.node)
      guard let found = contents(name) else { return "tensor '\(name)' is missing" }
      guard reference.hasConstruction else {
        _ = try graph.addPackedTensor(
          found.dtype, found.shape, key: name, blocks: found.blocks, at: reference.node)
        continue
      }
      guard case .tensor(let id) = graph[reference.node], let storage = graph[id].storage else {
        throw CheckpointError(.malformed, "the construction of tensor '\(name)' is invalid")
      }
      let tensor = graph[id]
      guard tensor.dtype == found.dtype, tensor.shape == found.shape else {
        return "tensor '\(name)' was \(tensor.dtype.name) \(tensor.shape) and is now "
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

  /// Whether a tensor is its whole storage, in order.
  private func isWhole(_ tensor: Tensor) -> Bool {
    guard let storage = tensor.storage.map({ graph[$0] }) else { return false }
    return tensor.offset == 0 && tensor.isContiguous && !tensor.isConjugated && !tensor.isNegated
      && tensor.byteCount == storage.byteCount && !storage.isBigEndian
  }
}
