internal import CkptBase

/// An object of checkpoints other than a plain value, recognized from its call.
package enum KnownObject: Sendable {
  /// `collections.OrderedDict`, with the `_metadata` that `nn.Module.state_dict()` attaches.
  case orderedDict(metadata: NodeID?)
  /// `collections.defaultdict`, with the callable for missing values.
  case defaultDict(factory: NodeID?)
  /// `collections.Counter`.
  case counter
  /// `collections.deque`, with its maximum length.
  case deque(maximum: Int?)
  /// `argparse.Namespace`, with the dict of its attributes.
  case namespace(attributes: NodeID?)
  /// A `pathlib` path.
  case path(String)
  /// `torch.nn.Parameter`, with its tensor.
  case parameter(tensor: NodeID, requiresGradient: Bool)
  /// `torch.Size`, in elements.
  case size([Int])
  /// `torch.device`, such as `cuda` with index 1.
  case dtype(DType)
  /// `torch.device`, such as `cuda` and 1.
  case device(type: String, index: Int?)
  /// The `torch.layout` of a sparse tensor, by name, such as `torch.sparse_coo`.
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
  /// A `datetime.datetime`, `date`, `time` or `timedelta`, as Python writes it.
  case dateTime(String)
  /// A complex number.
  case complex(real: Double, imaginary: Double)
}

/// A NumPy dtype in the form of its pickle (`numpy/_core/src/multiarray/descriptor.c`).
package struct NumpyDType: Hashable, Sendable {
  /// The kind and size in bytes, such as `f4`; `U2` is text of two characters.
  package var code: String
  /// `<` or `>`; `|` if the byte order does not matter.
  package var byteOrder: String
}

extension NumpyDType {
  /// The dtype of PyTorch with the same elements, or `nil` where it has none.
  package var torchDType: DType? { Self.dtypes[code] }

  /// Whether numbers are stored most significant byte first.
  package var isBigEndian: Bool { byteOrder == ">" }

  private static let dtypes: [String: DType] = [
    "b1": .bool, "u1": .uint8, "i1": .int8, "u2": .uint16, "i2": .int16, "u4": .uint32,
    "i4": .int32, "u8": .uint64, "i8": .int64, "f2": .float16, "f4": .float32, "f8": .float64,
    "c8": .complex64, "c16": .complex128,
  ]
}

/// A NumPy array in the form of its pickle (`numpy/_core/src/multiarray/methods.c`).
package struct NumpyArray: Sendable {
  /// The number of elements along each dimension.
  package var shape: [Int]
  /// The dtype of the elements.
  package var dtype: NumpyDType
  /// Whether the array is in column-major (Fortran) order.
  package var isFortranOrder: Bool
  /// A bytes node with the elements, or a list node for an array of objects.
  package var data: NodeID
}

extension TensorGraph {
  /// Returns the known object of a node.
  ///
  /// The result is `nil` for other classes, for arguments that the class's own pickles do not have,
  /// and for plain values.
  package func knownObject(_ id: NodeID) -> KnownObject? {
    switch self[id] {
    case .global: return dtype(id)
    case .tuple: return randomState(id)
    case .object(let objectID):
      let object = self[objectID]
      guard let (module, name) = shortGlobal(object.callable),
        let arguments = shortTuple(object.arguments)
      else { return nil }
      return known(module, name, arguments, object)
    default: return nil
    }
  }

  /// Returns the `_metadata` among the attributes of an `OrderedDict`; torch sets no other.
  ///
  /// Any number of dicts can share one state, so a long one is ignored.
  private func metadata(ofState state: NodeID) -> NodeID? {
    guard case .dict(let run) = self[state], run.count <= 2 * Limits.knownArguments else {
      return nil
    }
    return value(of: "_metadata", in: state)
  }

  private func known(
    _ module: String, _ name: String, _ arguments: [NodeID], _ object: ObjectNode
  ) -> KnownObject? {
    switch (module, name) {
    case ("collections", "OrderedDict"):
      return .orderedDict(metadata: object.state.flatMap { metadata(ofState: $0) })
    case ("collections", "defaultdict"): return .defaultDict(factory: arguments.first)
    case ("collections", "Counter"): return .counter
    case ("collections", "deque"):
      return .deque(maximum: arguments.count > 1 ? int(arguments[1]) : nil)
    case ("argparse", "Namespace"): return .namespace(attributes: object.state)
    case ("pathlib", _), ("pathlib._local", _): return path(name, arguments)
    case ("datetime", _): return dateTimeText(name, arguments).map { .dateTime($0) }
    case ("builtins", "complex"):
      guard arguments.count == 2, case .float(let real) = self[arguments[0]],
        case .float(let imaginary) = self[arguments[1]]
      else { return nil }
      return .complex(real: real, imaginary: imaginary)
    case ("numpy", "dtype"): return numpyDType(arguments, object.state).map { .numpyDType($0) }
    case ("numpy.core.multiarray", _), ("numpy._core.multiarray", _):
      return numpyValue(name, arguments, object)
    case ("numpy.core.numeric", "_frombuffer"), ("numpy._core.numeric", "_frombuffer"):
      return numpyArray(ofBuffer: arguments)
    default:
      return module.hasPrefix("torch") ? torchObject(module, name, arguments) : nil
    }
  }

  private func torchObject(
    _ module: String, _ name: String, _ arguments: [NodeID]
  ) -> KnownObject? {
    switch (module, name) {
    case ("torch._utils", "_rebuild_parameter"), ("torch._utils", "_rebuild_parameter_with_state"):
      guard arguments.count >= 3, case .tensor = self[arguments[0]] else { return nil }
      return .parameter(
        tensor: arguments[0], requiresGradient: arguments[1] == TensorGraph.true)
    case ("torch", "Size"):
      guard let sizes = arguments.first.flatMap({ tuple($0) }),
        sizes.count <= Limits.dimensions
      else { return nil }
      let values = sizes.compactMap { int($0) }
      return values.count == sizes.count ? .size(values) : nil
    case ("torch", "device"):
      guard let type = arguments.first.flatMap({ self.name($0) }) else { return nil }
      return .device(type: type, index: arguments.count > 1 ? int(arguments[1]) : nil)
    case ("torch.serialization", "_get_layout"):
      return arguments.first.flatMap { self.name($0) }.map { .layout($0) }
    default: return nil
    }
  }

  private func dtype(_ id: NodeID) -> KnownObject? {
    guard case .global(let module, let name) = self[id], text(of: module, equals: "torch"),
      let dtype = DType(rawValue: self.name(name) ?? "")
    else { return nil }
    return .dtype(dtype)
  }

  /// Reads a path.
  ///
  /// Up to Python 3.12 the arguments are its parts, and the first one can be the root. Later there
  /// is one argument.
  private func path(_ name: String, _ arguments: [NodeID]) -> KnownObject? {
    guard name.hasSuffix("Path") else { return nil }
    let parts = arguments.compactMap { self.name($0) }
    guard parts.count == arguments.count else { return nil }
    let joined = parts.joined(separator: "/")
    return .path(joined.hasPrefix("//") ? String(joined.dropFirst()) : joined)
  }

  // MARK: NumPy

  private func numpyDType(_ arguments: [NodeID], _ state: NodeID?) -> NumpyDType? {
    guard let code = arguments.first.flatMap({ self.name($0) }) else { return nil }
    let state = state.flatMap { shortTuple($0) } ?? []
    return NumpyDType(code: code, byteOrder: state.count > 1 ? self.name(state[1]) ?? "|" : "|")
  }

  private func numpyDType(_ id: NodeID) -> NumpyDType? {
    guard case .object(let object) = self[id],
      isGlobal(self[object].callable, "numpy", "dtype"),
      let arguments = shortTuple(self[object].arguments)
    else { return nil }
    return numpyDType(arguments, self[object].state)
  }

  private func numpyValue(
    _ name: String, _ arguments: [NodeID], _ object: ObjectNode
  ) -> KnownObject? {
    if name == "scalar", arguments.count == 2, let dtype = numpyDType(arguments[0]) {
      return .numpyScalar(dtype, data: arguments[1])
    }
    return name == "_reconstruct" ? numpyArray(of: object) : nil
  }

  /// `_frombuffer(buffer, dtype, shape, order)`, as protocol 5 has it (`numpy/_core/numeric.py`).
  private func numpyArray(ofBuffer arguments: [NodeID]) -> KnownObject? {
    guard arguments.count == 4, let dtype = numpyDType(arguments[1]),
      let sizes = tuple(arguments[2]), sizes.count <= Limits.dimensions
    else { return nil }
    return .numpyArray(
      NumpyArray(
        shape: sizes.compactMap { int($0) }, dtype: dtype,
        isFortranOrder: text(of: arguments[3], equals: "F"), data: arguments[0]))
  }

  private func numpyArray(of object: ObjectNode) -> KnownObject? {
    // This is `_reconstruct`, followed by the state (version, shape, dtype, is_fortran, data).
    guard let state = object.state.flatMap({ shortTuple($0) }),
      state.count == 5, let sizes = tuple(state[1]), sizes.count <= Limits.dimensions,
      let dtype = numpyDType(state[2])
    else { return nil }
    return .numpyArray(
      NumpyArray(
        shape: sizes.compactMap { int($0) }, dtype: dtype,
        isFortranOrder: state[3] == TensorGraph.true, data: state[4]))
  }

  // MARK: Random states

  private func randomState(_ id: NodeID) -> KnownObject? {
    guard let items = shortTuple(id) else { return nil }
    if items.count == 3, int(items[0]) == 3, let state = tuple(items[1]), state.count == 625 {
      return .pythonRandomState(integerCount: state.count)
    }
    if items.count == 5, let algorithm = self.name(items[0]), case .object = self[items[1]],
      case .numpyArray = knownObject(items[1])
    {
      return .numpyRandomState(algorithm: algorithm)
    }
    return nil
  }

  /// Returns the numbers in a `torch.Size` or a tuple; `nil` for another node.
  package func sizes(_ id: NodeID) -> [Int]? {
    if case .size(let sizes) = knownObject(id) { return sizes }
    guard let items = shortTuple(id) else { return nil }
    let sizes = items.compactMap { int($0) }
    return sizes.count == items.count ? sizes : nil
  }

  /// Returns the value of a str key in a dict, or `nil` for none.
  package func value(of key: String, in id: NodeID) -> NodeID? {
    entries(of: id)?.first { text(of: $0.key, equals: key) }?.value
  }
}
