import CkptBase
import CkptContainer
import CkptGraph
import CkptTestSupport
import CkptTorch

/// A `.pt` file that a test builds.
enum TorchFile {
  /// Reads a file with this object and these storages.
  static func read(
    _ object: PickledValue, storages: [[UInt8]] = [], droppingUnsafe: Bool = false
  ) throws -> Checkpoint {
    let archive = ZipBuilder.torch(pickle: object.pickle(), storages: storages)
    return try read(archive, droppingUnsafe: droppingUnsafe)
  }

  /// Reads an archive.
  static func read(_ archive: ZipBuilder, droppingUnsafe: Bool = false) throws -> Checkpoint {
    try TorchReader.read(
      TemporaryFile.holding(archive.bytes()), droppingUnsafe: droppingUnsafe)
  }
}

extension TensorGraph {
  /// The tensors of the graph with the paths to them, one per line of a listing.
  func tensorListing() throws -> [String] {
    let leaves = try LeafWalk.leaves(of: self)
    return leaves.all.compactMap { leaf in
      guard case .tensor(let id) = self[leaf.node] else { return nil }
      let path = leaves.path(to: leaf).map { step in
        switch step {
        case .key(let key): string(key) ?? description(of: key)
        case .index(let index): String(index)
        case .attribute(let name): ".\(name)"
        }
      }
      return "\(path.joined(separator: "/")): \(summary(of: self[id]))"
    }
  }

  private func summary(of tensor: Tensor) -> String {
    var words = ["\(tensor.dtype.name) \(tensor.shape) by \(tensor.strides) from \(tensor.offset)"]
    words.append(tensor.storage.map { "of '\(self[$0].key)'" } ?? "of nothing")
    if tensor.requiresGradient { words.append("grad") }
    if tensor.isConjugated { words.append("conj") }
    if tensor.isNegated { words.append("neg") }
    if let shape = tensor.elementShape { words.append("as \(shape)") }
    return words.joined(separator: " ")
  }
}
