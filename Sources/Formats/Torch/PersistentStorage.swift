package import CkptBase
package import CkptGraph

/// The description of a storage in a pickle: `('storage', class, key, location, numel)`, in legacy
/// files with a sixth item that is `(view key, offset, numel)` or `None` (`torch/serialization.py`,
/// `persistent_id`).
package struct PersistentStorage: Sendable {
  /// The name of the storage in the archive.
  package let key: String
  /// The dtype of its class; `nil` for an untyped storage.
  package let dtype: DType?
  /// The device it was on.
  package let location: String
  /// Its length: in elements for a typed storage, in bytes for an untyped one.
  package let elementCount: Int
  /// The elements that the id stands for, where it is a part of the storage.
  package let view: Range<Int>?

  /// The name of its record in the archive, without the prefix.
  package var recordName: String { TorchArchiveDescription.storagePrefix + key }

  /// The size of an element of the class in bytes.
  package var elementByteCount: Int { dtype?.byteCount ?? 1 }

  /// Returns the size in bytes.
  ///
  /// - Throws: `malformed` if the size overflows.
  package func byteCount() throws(CheckpointError) -> Int {
    try elementCount.multiplied(by: elementByteCount, orThrow: "the size of storage '\(key)'")
  }

  /// Reads persistent ids.
  ///
  /// Texts that many of them share are parsed once.
  package struct Reader {
    /// The element type of a storage, by its class.
    private enum ElementType {
      case typed(DType)
      case untyped
    }

    private var classes: [NodeID: ElementType] = [:]
    private var locations: [NodeID: String] = [:]

    /// Creates a reader.
    package init() {}

    /// Reads the persistent id `id`.
    ///
    /// - Throws: `malformed` for an id that is not a storage's, `unsupported` for a storage of an
    ///   unknown class.
    package mutating func read(
      _ id: NodeID, in graph: TensorGraph
    ) throws(CheckpointError) -> PersistentStorage {
      guard case .tuple(let run) = graph[id], run.count >= 5,
        isStorage(graph.child(0, of: run), in: graph)
      else {
        throw CheckpointError(
          .malformed, "a persistent id is not a storage: \(graph.description(of: id, limit: 80))")
      }
      let type = try elementType(graph.child(1, of: run), in: graph)
      guard case .string = graph[graph.child(2, of: run)] else {
        throw CheckpointError(.malformed, "the key of a storage is not a str")
      }
      guard let key = graph.name(graph.child(2, of: run)) else {
        throw CheckpointError(
          .limitExceeded, "the key of a storage has more than \(Limits.nameBytes) bytes")
      }
      guard let location = location(graph.child(3, of: run), in: graph) else {
        throw CheckpointError(
          .malformed,
          "the device of storage '\(key)' is not a str of at most \(Limits.nameBytes) bytes")
      }
      guard let elementCount = graph.int(graph.child(4, of: run)), elementCount >= 0 else {
        throw CheckpointError(.malformed, "storage '\(key)' has no length, or a negative one")
      }
      var dtype: DType?
      if case .typed(let known) = type { dtype = known }
      return PersistentStorage(
        key: key, dtype: dtype, location: location, elementCount: elementCount,
        view: run.count > 5
          ? try view(graph.child(5, of: run), of: key, elementCount, in: graph) : nil)
    }

    /// The part of a storage that view metadata speaks of; `nil` for none.
    private func view(
      _ id: NodeID, of key: String, _ elementCount: Int, in graph: TensorGraph
    ) throws(CheckpointError) -> Range<Int>? {
      if case .none = graph[id] { return nil }
      guard let items = graph.shortTuple(id), items.count == 3, let start = graph.int(items[1]),
        let count = graph.int(items[2]), start >= 0, count >= 0, start <= elementCount,
        count <= elementCount - start
      else {
        throw CheckpointError(
          .malformed,
          "the view of storage '\(key)' is \(graph.description(of: id, limit: 60)), which is no "
            + "part of its \(elementCount) elements")
      }
      return start..<start + count
    }

    private func isStorage(_ id: NodeID, in graph: TensorGraph) -> Bool {
      graph.text(of: id, equals: "storage") || PersistentStorage.text(id, in: graph) == "storage"
    }

    private mutating func elementType(
      _ id: NodeID, in graph: TensorGraph
    ) throws(CheckpointError) -> ElementType {
      if let known = classes[id] { return known }
      guard case .global(_, let name) = graph[id], let className = graph.name(name),
        let dtype = StorageClass.dtype(named: className)
      else {
        throw CheckpointError(
          .unsupported,
          "'\(graph.description(of: id, limit: 80))' is not a known storage class")
      }
      let type = dtype.map { ElementType.typed($0) } ?? .untyped
      classes[id] = type
      return type
    }

    private mutating func location(_ id: NodeID, in graph: TensorGraph) -> String? {
      if let known = locations[id] { return known }
      guard let text = PersistentStorage.text(id, in: graph) else { return nil }
      locations[id] = text
      return text
    }
  }

  /// Returns a str, or ASCII bytes, which torch accepts as a str here (`_maybe_decode_ascii`).
  private static func text(_ id: NodeID, in graph: TensorGraph) -> String? {
    guard case .bytes(let run) = graph[id] else { return graph.name(id) }
    guard run.count <= Limits.nameBytes, graph[run].allSatisfy({ $0 < 0x80 }) else { return nil }
    return String(decoding: graph[run], as: UTF8.self)
  }
}

/// The classes of storages in pickles (`torch/storage.py`, `torch/__init__.py`).
package enum StorageClass {
  /// Returns the dtype of a storage class: an inner `nil` for the untyped class, `nil` for a class
  /// that is not a storage's.
  ///
  /// The module is ignored, as in torch: `torch`, `torch.cuda` and private backends use the same
  /// class names.
  package static func dtype(named name: String) -> DType?? {
    guard name.hasSuffix("Storage") else { return nil }
    if name == "UntypedStorage" { return .some(nil) }
    return dtypes[String(name.dropLast("Storage".count))].map { .some($0) }
  }

  /// Returns the dtype of a tensor class of PyTorch 0.1 to 0.3, such as `FloatTensor`.
  static func dtype(ofTensorClass name: String) -> DType? {
    name.hasSuffix("Tensor") ? dtypes[String(name.dropLast("Tensor".count))] : nil
  }

  /// Returns the class that PyTorch saves storages of a dtype under, or `nil` for none.
  static func name(of dtype: DType) -> String? { names[dtype] }

  private static let names = Dictionary(
    uniqueKeysWithValues: dtypes.map { ($0.value, "\($0.key)Storage") })

  /// Whether PyTorch saves tensors of a dtype over untyped storages (`torch/storage.py`,
  /// `_new_dtypes`).
  static func hasUntypedTensors(of dtype: DType) -> Bool { untyped.contains(dtype) }

  private static let untyped: Set<DType> = [
    .uint16, .uint32, .uint64, .complex32, .bcomplex32, .float8_e4m3fn, .float8_e5m2,
    .float8_e4m3fnuz, .float8_e5m2fnuz, .float8_e8m0fnu, .float4_e2m1fn_x2, .bits8, .bits1x8,
    .bits2x4, .bits4x2, .bits16,
  ]

  private static let dtypes: [String: DType] = [
    "Double": .float64, "Float": .float32, "Half": .float16, "BFloat16": .bfloat16,
    "Long": .int64, "Int": .int32, "Short": .int16, "Char": .int8, "Byte": .uint8, "Bool": .bool,
    "ComplexDouble": .complex128, "ComplexFloat": .complex64, "QInt8": .qint8, "QUInt8": .quint8,
    "QInt32": .qint32, "QUInt4x2": .quint4x2, "QUInt2x4": .quint2x4,
  ]
}

/// A provider of the storages that a pickle or a skeleton names.
package protocol StorageSource {
  /// Returns the storage that a persistent id announces, with its actual size.
  ///
  /// - Throws: `malformed` if the storage is missing.
  func storage(_ announced: PersistentStorage) throws(CheckpointError) -> Storage
}

extension TorchArchive: StorageSource {
  /// Returns the storage as a record of the archive.
  package func storage(_ announced: PersistentStorage) throws(CheckpointError) -> Storage {
    guard let region = storageRegion(key: announced.key) else {
      throw CheckpointError(
        .malformed, "storage '\(announced.key)' is not in the archive",
        remedy: "the file is incomplete; download or copy it again")
    }
    return Storage(
      key: announced.key, dtype: announced.dtype, location: announced.location,
      byteCount: region.byteCount, region: region, isBigEndian: isBigEndian)
  }
}
