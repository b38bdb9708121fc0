internal import CkptBase
package import CkptGraph
internal import CkptPlan
internal import CkptSafetensors

/// A tensor of a checkpoint under one of its names.
///
/// The elements stay in the files until they are read by ``floats(budget:)``, ``doubles(budget:)``,
/// ``elements(as:budget:)``, ``bytes(budget:)``, ``read(into:budget:)`` or
/// ``forEachChunk(byteCount:budget:_:)``. All of these return the elements in row-major order,
/// packed, little-endian, and with the signs that PyTorch flips lazily.
public struct NamedTensor: Sendable {
  /// The path to the tensor: its keys, joined with dots, such as `transformer.wte.weight`.
  public let name: String
  package let tensor: Tensor
  package let graph: TensorGraph

  package init(_ name: String, _ id: TensorID, of graph: TensorGraph) {
    self.name = name
    self.tensor = graph[id]
    self.graph = graph
  }

  /// The type of the elements.
  public var dtype: DType { tensor.dtype }
  /// The number of elements along each dimension; empty for a scalar.
  public var shape: [Int] { tensor.shape }
  /// The strides in the storage, in elements.
  ///
  /// Elements are packed when they are read; strides describe the saved tensor in memory.
  public var strides: [Int] { tensor.strides }
  /// The number of elements.
  public var elementCount: Int { tensor.elementCount }
  /// The size of the packed elements in bytes.
  public var byteCount: Int { tensor.byteCount }
  /// Whether the tensor has elements; a tensor on PyTorch's meta device has only a shape.
  public var hasData: Bool { tensor.storage != nil }
  /// Whether autograd records operations on the tensor.
  public var requiresGradient: Bool { tensor.requiresGradient }

  /// Whether this tensor and another one of the same checkpoint are views of one storage, like tied
  /// weights.
  public func sharesStorage(with other: NamedTensor) -> Bool {
    tensor.storage != nil && tensor.storage == other.tensor.storage
  }
}

/// The tensors of a checkpoint under all of their names, in the order of the file.
///
/// A tensor that occurs twice in the checkpoint is listed twice.
public struct TensorList: RandomAccessCollection, Sendable {
  private let graph: TensorGraph
  private let entries: [(name: String, id: TensorID)]
  private let places: [ExactString: Int]

  /// Creates the list for `graph`.
  ///
  /// - Throws: `limitExceeded` for a graph in which shared containers multiply without end.
  init(of graph: TensorGraph) throws(CheckpointError) {
    self.graph = graph
    var entries: [(name: String, id: TensorID)] = []
    entries.reserveCapacity(graph.tensors.count)
    for leaf in try NamedLeaf.all(of: graph) {
      if case .tensor(let id) = graph[leaf.node] { entries.append((leaf.name, id)) }
    }
    self.entries = entries
    var places: [ExactString: Int] = [:]
    places.reserveCapacity(entries.count)
    for (index, entry) in entries.enumerated() { places[ExactString(entry.name)] = index }
    self.places = places
  }

  /// The position of the first tensor.
  public var startIndex: Int { 0 }
  /// The position after the last tensor.
  public var endIndex: Int { entries.count }

  /// The tensor at a position.
  public subscript(position: Int) -> NamedTensor {
    NamedTensor(entries[position].name, entries[position].id, of: graph)
  }

  /// The tensor with exactly that name, or `nil`.
  public subscript(name: String) -> NamedTensor? { places[ExactString(name)].map { self[$0] } }

  /// The names in the order of the file.
  public var names: [String] { entries.map(\.name) }
}
