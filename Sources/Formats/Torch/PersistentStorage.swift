package import CkptBase
package import CkptGraph

/// What a pickle says of a storage: `('storage', class, key, location, numel)`
/// (`torch/serialization.py`, `persistent_id`).
package struct PersistentStorage: Sendable {
  /// The name of the storage in the archive.
  package let key: String
  /// The dtype of its class, `nil` for an untyped one.
  package let dtype: DType?
  /// The device it was on.
  package let location: String
  /// Its length in elements of its class; in bytes for an untyped one.
  package let elementCount: Int

  /// The name of its record in the archive, without the prefix.
  package var recordName: String { TorchArchiveDescription.storagePrefix + key }

  /// The size in bytes.
  ///
  /// - Throws: `malformed` when no number is that large.
  func byteCount() throws(CheckpointError) -> Int {
    try elementCount.multiplied(by: dtype?.byteCount ?? 1, orThrow: "the size of storage '\(key)'")
  }

  /// Reads what persistent ids say; texts that many of them share are looked at once.
  package struct Reader {
    /// What the class of a storage says of its elements.
    private enum ElementType {
      case typed(DType)
      case untyped
    }

    private var classes: [NodeID: ElementType] = [:]
    private var locations: [NodeID: String] = [:]

    /// A reader that has seen nothing yet.
    package init() {}

    /// What the persistent id `id` says.
    ///
    /// - Throws: `malformed` for one that is not a storage's, `unsupported` for a storage of an
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
          "the device of storage '\(key)' is no str of up to \(Limits.nameBytes) bytes")
      }
      guard let elementCount = graph.int(graph.child(4, of: run)), elementCount >= 0 else {
        throw CheckpointError(.malformed, "storage '\(key)' has no length, or a negative one")
      }
      var dtype: DType?
      if case .typed(let known) = type { dtype = known }
      return PersistentStorage(
        key: key, dtype: dtype, location: location, elementCount: elementCount)
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
          "'\(graph.description(of: id, limit: 80))' is not a storage class that is known")
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

  /// A str, or bytes of ASCII, which torch takes for one here (`_maybe_decode_ascii`).
  private static func text(_ id: NodeID, in graph: TensorGraph) -> String? {
    guard case .bytes(let run) = graph[id] else { return graph.name(id) }
    guard run.count <= Limits.nameBytes, graph[run].allSatisfy({ $0 < 0x80 }) else { return nil }
    return String(decoding: graph[run], as: UTF8.self)
  }
}

/// The classes that pickles name storages by (`torch/storage.py`, `torch/__init__.py`).
enum StorageClass {
  /// The dtype of a typed storage's class, `nil` inside for an untyped one, or `nil` for a class
  /// that is not a storage's.
  ///
  /// The module is not looked at: `torch`, `torch.cuda` and private backends use the same names,
  /// and torch itself goes by the name alone.
  static func dtype(named name: String) -> DType?? {
    guard name.hasSuffix("Storage") else { return nil }
    if name == "UntypedStorage" { return .some(nil) }
    return dtypes[String(name.dropLast("Storage".count))].map { .some($0) }
  }

  /// The dtype of a tensor class of PyTorch 0.1 to 0.3, such as `FloatTensor`.
  static func dtype(ofTensorClass name: String) -> DType? {
    name.hasSuffix("Tensor") ? dtypes[String(name.dropLast("Tensor".count))] : nil
  }

  /// The class that PyTorch saves storages of a dtype under, or `nil` if there is none.
  static func name(of dtype: DType) -> String? { names[dtype] }

  private static let names = Dictionary(
    uniqueKeysWithValues: dtypes.map { ($0.value, "\($0.key)Storage") })

  /// Whether PyTorch saves tensors of a dtype over storages without a type
  /// (`torch/storage.py`, `_new_dtypes`).
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

/// Where the storages are that a pickle, or a skeleton in its place, speaks of.
package protocol StorageSource {
  /// The storage that a persistent id announces, with the size it has there.
  ///
  /// - Throws: `malformed` when it is not there.
  func storage(_ announced: PersistentStorage) throws(CheckpointError) -> Storage
}

extension TorchArchive: StorageSource {
  /// The storage as a record of the archive.
  package func storage(_ announced: PersistentStorage) throws(CheckpointError) -> Storage {
    guard let region = storageRegion(key: announced.key) else {
      throw CheckpointError(
        .malformed, "storage '\(announced.key)' is not in the archive",
        remedy: "the file is incomplete; fetch it again")
    }
    return Storage(
      key: announced.key, dtype: announced.dtype, location: announced.location,
      byteCount: region.byteCount, region: region, isBigEndian: isBigEndian)
  }
}
