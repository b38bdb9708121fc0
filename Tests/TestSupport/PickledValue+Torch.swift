/// Objects that `torch.save` pickles for tensors (`torch/_utils.py`, `torch/serialization.py`).
extension PickledValue {
  /// An empty `OrderedDict`: the hooks that every tensor is saved with.
  package static let noHooks = PickledValue.call(.global("collections", "OrderedDict"), [])

  /// A storage of `count` elements, by the name of its class after `torch.`.
  package static func storage(
    _ type: String, _ count: PickledValue, key: PickledValue = "0", location: PickledValue = "cpu"
  ) -> PickledValue {
    let module = type == "UntypedStorage" ? "torch.storage" : "torch"
    return .persistent(.tuple(["storage", .global(module, type), key, location, count]))
  }

  /// A tuple of ints.
  package static func ints(_ values: [Int]) -> PickledValue { .tuple(values.map { .int($0) }) }

  /// A call of a function of `torch._utils`.
  package static func rebuilt(by function: String, _ arguments: [PickledValue]) -> PickledValue {
    .call(.global("torch._utils", function), arguments)
  }

  /// A tensor as `_rebuild_tensor_v2` makes it; without strides, one that lies packed in row-major
  /// order.
  package static func tensor(
    _ storage: PickledValue, _ shape: [Int], strides: [Int]? = nil, offset: Int = 0,
    requiresGradient: Bool = false, flags: [PickledValue] = []
  ) -> PickledValue {
    let strides = strides ?? packedStrides(shape)
    let view = [storage, .int(offset), ints(shape), ints(strides)]
    return rebuilt(
      by: "_rebuild_tensor_v2", view + [.bool(requiresGradient), noHooks] + flags)
  }

  /// A tensor as `_rebuild_tensor_v3` makes it, which names the dtype.
  package static func tensor(
    _ storage: PickledValue, _ shape: [Int], strides: [Int]? = nil, offset: Int = 0,
    dtype: String, flags: [PickledValue] = []
  ) -> PickledValue {
    let strides = strides ?? packedStrides(shape)
    let view = [storage, .int(offset), ints(shape), ints(strides)]
    return rebuilt(
      by: "_rebuild_tensor_v3", view + [false, noHooks, .global("torch", dtype)] + flags)
  }

  private static func packedStrides(_ shape: [Int]) -> [Int] {
    shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
  }
}
