/// A legacy file of `torch.save` that a test puts together, part by part.
package struct LegacyFile {
  /// A storage as it stands behind the pickles.
  package struct Storage {
    /// Its key.
    package var key: String
    /// The number of its elements.
    package var count: Int
    /// The bytes of its elements.
    package var bytes: [UInt8]

    /// A storage of `count` elements.
    package init(_ key: String, count: Int, _ bytes: [UInt8]) {
      (self.key, self.count, self.bytes) = (key, count, bytes)
    }
  }

  /// The magic number, `LONG1` of ten bytes.
  package static let magicNumber = PickledValue.operations([
    0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19,
  ])

  /// The five pickles in their order.
  package var pickles: [[UInt8]]
  /// The storages behind them.
  package var storages: [Storage]

  /// A file with this object, pickled in this protocol.
  package init(_ object: PickledValue, _ storages: [Storage] = [], protocol version: UInt8 = 2) {
    let values = [
      Self.magicNumber, 1001, ["protocol_version": 1001, "little_endian": true], object,
      .list(storages.map { .str($0.key) }),
    ]
    pickles = values.map { $0.pickle(protocol: version) }
    self.storages = storages
  }

  /// The file.
  package var bytes: [UInt8] {
    pickles.flatMap { $0 } + storages.flatMap { littleEndian($0.count) + $0.bytes }
  }
}

extension PickledValue {
  /// A storage as legacy files name it: with a part of it, or `None`, as the last item.
  package static func legacyStorage(
    _ type: String, _ count: PickledValue, key: PickledValue = "0", location: PickledValue = "cpu",
    view: PickledValue = .none
  ) -> PickledValue {
    let module = type == "UntypedStorage" ? "torch.storage" : "torch"
    return .persistent(.tuple(["storage", .global(module, type), key, location, count, view]))
  }
}
