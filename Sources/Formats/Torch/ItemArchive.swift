package import CkptBase
internal import CkptContainer
package import CkptGraph
internal import CkptPickle
package import CkptPlan

/// The archive of one tensor or value, as `torch.save` writes it.
///
/// A distributed checkpoint stores every chunk of a tensor as such an archive. Chunks of one dtype and
/// shape differ only in their elements, so one plan serves all of them.
package struct ItemArchive: Sendable {
  private let plan: FilePlan
  /// The segment that stands for the elements.
  private let placeholder: Int?

  /// The directory inside the archive: items are saved to a stream.
  private static let prefix = TorchEncoder.prefix(forFileAt: nil)

  /// The size in bytes.
  package var byteCount: Int { plan.byteCount }

  /// Creates the archive of a tensor whose elements are still missing.
  ///
  /// - Throws: `unsupported` for a dtype that PyTorch lacks.
  package init(dtype: DType, shape: [Int]) throws(CheckpointError) {
    var graph = TensorGraph()
    graph.root = try graph.addPackedTensor(dtype, shape, key: "")
    plan = try TorchEncoder.encode(
      Checkpoint(graph: graph, container: nil), options: .init(prefix: Self.prefix)
    ).plan
    placeholder = plan.segments.firstIndex { if case .zeros = $0 { true } else { false } }
  }

  /// Creates the archive of a value that has no tensor inside.
  ///
  /// - Throws: `unsupported` for an object that cannot be pickled.
  package init(value: NodeID, of graph: TensorGraph) throws(CheckpointError) {
    let archive = TorchArchiveDescription.current(prefix: Self.prefix)
    let pickle = try Pickler.pickle(
      value, of: graph, protocol: archive.pickleProtocol, strings: .asLoaded())
    plan = try TorchArchiveEncoder.plan(archive, pickle: pickle) { _, _ in [] }
    placeholder = nil
  }

  /// Creates the archive of an object with tensors inside.
  ///
  /// It takes time linear in the size of `graph`.
  ///
  /// - Throws: `unsupported` for an object that cannot be pickled.
  package init(object: NodeID, of graph: TensorGraph) throws(CheckpointError) {
    var graph = graph
    graph.root = object
    plan = try TorchEncoder.encode(
      Checkpoint(graph: graph, container: nil), options: .init(prefix: Self.prefix)
    ).plan
    placeholder = nil
  }

  /// Appends the archive to `plan`, with the elements of its tensor.
  package func append(to plan: inout FilePlan, elements: [Segment] = []) {
    plan.append(contentsOf: self.plan, replacing: placeholder, by: elements)
  }
}
