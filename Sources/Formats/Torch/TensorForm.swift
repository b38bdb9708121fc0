internal import Bytes
internal import Graph

/// What a call says of the tensor it rebuilds, before its storage is looked up.
struct TensorForm {
  /// The persistent id of the storage, `nil` on the meta device.
  var storage: NodeID?
  /// Where the first element lies, in elements.
  var offset: Int
  /// The number of elements along each dimension.
  var shape: [Int]
  /// The distance between neighbours along each dimension, in elements.
  var strides: [Int]
  /// Whether autograd records operations on it.
  var requiresGradient: Bool
  /// The dtype, where the storage's class does not tell.
  var dtype: DType?
  /// Whether the lazy conjugation is on.
  var isConjugated = false
  /// Whether the lazy negation is on.
  var isNegated = false

  /// Reads the arguments of a function of `torch/_utils.py` that makes a tensor of one storage;
  /// `nil` for any other function.
  ///
  /// - Throws: `malformed` for arguments of another form.
  init?(of function: String, _ arguments: TensorArguments) throws(FormatError) {
    switch function {
    case "_rebuild_tensor":
      try self.init(view: arguments, requiresGradient: false)
    case "_rebuild_tensor_v2":
      try self.init(view: arguments, requiresGradient: arguments.flag(4))
      (isConjugated, isNegated) = try arguments.lazyFlags(6)
    case "_rebuild_tensor_v3":
      try self.init(view: arguments, requiresGradient: arguments.flag(4))
      dtype = try arguments.dtype(6)
      (isConjugated, isNegated) = try arguments.lazyFlags(7)
    case "_rebuild_qtensor":
      try self.init(view: arguments, requiresGradient: arguments.flag(5))
    case "_rebuild_meta_tensor_no_storage":
      try self.init(meta: arguments)
    default: return nil
    }
  }

  /// The first four arguments that these functions share: storage, offset, size, stride.
  private init(view arguments: TensorArguments, requiresGradient: Bool) throws(FormatError) {
    storage = try arguments.storage(0)
    offset = try arguments.size(1)
    shape = try arguments.sizes(2)
    strides = try arguments.sizes(3)
    self.requiresGradient = requiresGradient
  }

  /// The arguments of a tensor without data: dtype, size, stride, requires_grad.
  private init(meta arguments: TensorArguments) throws(FormatError) {
    dtype = try arguments.dtype(0)
    offset = 0
    shape = try arguments.sizes(1)
    strides = try arguments.sizes(2)
    requiresGradient = try arguments.flag(3)
  }
}
