/// The objects beside plain values that checkpoints are made of, recognised from their calls.
public enum KnownObject: Sendable {
  /// `collections.OrderedDict`, with the `_metadata` that `nn.Module.state_dict()` attaches.
  case orderedDict(metadata: NodeID?)
  /// `collections.defaultdict` and the callable that makes missing values.
  case defaultDict(factory: NodeID?)
  /// `collections.Counter`.
  case counter
  /// `collections.deque` and its maximal length.
  case deque(maximum: Int?)
  /// `argparse.Namespace` and the dict of its attributes.
  case namespace(attributes: NodeID?)
  /// A `pathlib` path.
  case path(String)
  /// `torch.nn.Parameter` around a tensor.
  case parameter(tensor: NodeID, requiresGradient: Bool)
  /// `torch.Size`, in elements.
  case size([Int])
  /// A dtype of PyTorch.
  case dtype(DType)
  /// `torch.device`, such as `cuda` and 1.
  case device(type: String, index: Int?)
  /// A sparse tensor's `torch.layout` by its name, such as `torch.sparse_coo`.
  case layout(String)
  /// A NumPy dtype.
  case numpyDType(NumpyDType)
  /// A NumPy array.
  case numpyArray(NumpyArray)
  /// A NumPy scalar: its dtype and its bytes.
  case numpyScalar(NumpyDType, data: NodeID)
  /// The state of Python's `random`: `(version, ints, gauss_next)`.
  case pythonRandomState(integerCount: Int)
  /// The state of NumPy's legacy generator: `(name, array, position, has_gauss, gauss)`.
  case numpyRandomState(algorithm: String)
  /// A complex number.
  case complex(real: Double, imaginary: Double)
}

/// A NumPy dtype as its pickle spells it (`numpy/_core/src/multiarray/descriptor.c`).
public struct NumpyDType: Hashable, Sendable {
  /// The kind and size in bytes, such as `f4`, or `U2` for text of two characters.
  public var code: String
  /// `<`, `>`, or `|` where it does not matter.
  public var byteOrder: String
}

/// A NumPy array as its pickle spells it (`numpy/_core/src/multiarray/methods.c`).
public struct NumpyArray: Sendable {
  /// The number of elements along each dimension.
  public var shape: [Int]
  /// The type of the elements.
  public var dtype: NumpyDType
  /// Whether the first dimension runs fastest.
  public var isFortranOrder: Bool
  /// A bytes node with the elements, or a list node for objects.
  public var data: NodeID
}
