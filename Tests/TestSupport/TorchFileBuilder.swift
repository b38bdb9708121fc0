/// A `.pt` file that a test puts together: tensors first, then the object that holds them.
package final class TorchFileBuilder {
  private var storages: [[UInt8]] = []

  /// A file without tensors.
  package init() {}

  /// Adds a tensor of float32 with a storage of its own; without `values`, of zeros.
  package func tensor(_ shape: [Int], _ values: [Float]? = nil) -> PickledValue {
    let values = values ?? Array(repeating: 0, count: shape.reduce(1, *))
    return tensor(shape, "FloatStorage", values.flatMap { littleEndian($0.bitPattern) }, size: 4)
  }

  /// Adds a tensor whose storage, of that class after `torch.`, has these bytes.
  package func tensor(
    _ shape: [Int], _ type: String, _ bytes: [UInt8], size: Int
  ) -> PickledValue {
    let key = PickledValue.str(String(storages.count))
    storages.append(bytes)
    return .tensor(.storage(type, .int(bytes.count / size), key: key), shape)
  }

  /// Adds a tensor for each of these names and shapes.
  ///
  /// - Returns: the state dict of all of them.
  package func stateDict(_ tensors: [(name: String, shape: [Int])]) -> PickledValue {
    var entries: [PickledValue] = []
    for (name, shape) in tensors { entries += [.str(name), tensor(shape)] }
    return .dict(entries)
  }

  /// The bytes of the file with this object.
  package func bytes(_ object: PickledValue) -> [UInt8] {
    ZipBuilder.torch(pickle: object.pickle(), storages: storages).bytes()
  }
}
