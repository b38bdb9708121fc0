internal import CkptFormats
internal import CkptGraph
internal import CkptTorch

/// The rules of `torch.load` with `weights_only=True`, its default since PyTorch 2.6
/// (`torch/_weights_only_unpickler.py` of 2.13).
enum WeightsOnlyPolicy {
  /// Returns the reasons to refuse a checkpoint; empty if it is accepted.
  static func objections(to checkpoint: Checkpoint) -> [String] {
    let graph = checkpoint.graph
    var objections = (checkpoint.archive?.versionFault).map { [$0] } ?? []
    let version = checkpoint.archive?.pickleProtocol ?? 2
    if version > newestProtocol {
      objections.append(
        "its pickle has protocol \(version), and opcodes newer than protocol 3 are refused")
    }
    var globals: Set<String> = []
    var hasBytes = false
    var hasLongInteger = false
    for index in 0..<graph.nodeCount {
      switch graph[NodeID(index: index)] {
      case .global:
        let name = graph.globalName(NodeID(index: index)) ?? "?"
        if !allows(name) { globals.insert(name) }
      case .bytes: hasBytes = true
      case .largeInt(let run): if graph[run].count > longestInteger { hasLongInteger = true }
      default: continue
      }
    }
    // Protocol 2 writes bytes as calls of globals.
    if hasBytes, version == newestProtocol { objections.append("it has a bytes object") }
    if hasLongInteger { objections.append("it has an int of more than \(longestInteger) bytes") }
    if !globals.isEmpty {
      let names = globals.sorted().map { "'\($0)'" }.joined(separator: ", ")
      objections.append("it names globals that are not on the list of safe ones: \(names)")
    }
    return objections
  }

  private static let newestProtocol = 3
  /// The longest int that `LONG1` can hold, in bytes; `LONG4` is refused.
  private static let longestInteger = 255

  /// Whether a global is on the list, by its Python 3 name.
  static func allows(_ name: String) -> Bool {
    if names.contains(name) { return true }
    guard let dot = name.lastIndex(of: ".") else { return false }
    let (module, last) = (name[..<dot], String(name[name.index(after: dot)...]))
    switch module {
    case "torch": return storages.contains(last) || tensors.contains(last) || types.contains(last)
    case "torch.cuda": return cudaStorages.contains(last) || tensors.contains(last)
    case "torch.sparse", "torch.cuda.sparse": return tensors.contains(last) && last != "BoolTensor"
    case "torch._utils": return rebuilders.contains(last)
    default: return false
    }
  }

  private static let names: Set = [
    "collections.OrderedDict", "collections.Counter", "builtins.bytearray", "builtins.set",
    "builtins.complex", "_codecs.encode", "torch.Tensor", "torch.Size", "torch.device",
    "torch.nn.parameter.Parameter", "torch.serialization._get_layout",
    "torch._tensor._rebuild_from_type_v2", "torch.storage.TypedStorage",
    "torch.storage.UntypedStorage",
  ]

  private static let rebuilders: Set = [
    "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter",
    "_rebuild_parameter_with_state", "_rebuild_qtensor", "_rebuild_sparse_tensor",
    "_rebuild_meta_tensor_no_storage", "_rebuild_nested_tensor", "_rebuild_wrapper_subclass",
    "_rebuild_device_tensor_from_numpy", "_rebuild_device_tensor_from_cpu_tensor",
  ]

  private static let elements = [
    "BFloat16", "Bool", "Byte", "Char", "Double", "Float", "Half", "Int", "Long", "Short",
  ]
  private static let tensors = Set(elements.map { "\($0)Tensor" })
  private static let cudaStorages = Set(
    (elements + ["ComplexDouble", "ComplexFloat"]).map { "\($0)Storage" })
  private static let storages = cudaStorages.union(
    ["QInt8", "QInt32", "QUInt8", "QUInt4x2", "QUInt2x4"].map { "\($0)Storage" })

  /// Dtypes and quantization schemes, which pickles name as constants.
  private static let types = Set(
    DType.allCases.map(\.name) + (1...7).flatMap { ["int\($0)", "uint\($0)"] } + [
      "per_tensor_affine", "per_tensor_symmetric", "per_channel_affine", "per_channel_symmetric",
      "per_channel_affine_float_qparams",
    ])
}

extension TorchArchiveDescription {
  /// The reason why the archive reader refuses the record with the version, or `nil`
  /// (`PyTorchStreamReader::init` in `caffe2/serialize/inline_container.cc`).
  fileprivate var versionFault: String? {
    let names = [".data/version", "version"]
    let found = names.lazy.compactMap { name in records.first { $0.name.lowercased() == name } }
    guard let record = found.first else { return "the archive has no record 'version'" }
    guard case .other(_, let bytes) = record else { return nil }
    let digits = bytes.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    let version = Int(String(decoding: digits, as: UTF8.self))
    guard let version, Self.readableVersions.contains(version) else {
      return
        "its record 'version' is \(version.map(String.init) ?? "not a number"), expected 1 to 10"
    }
    return nil
  }

  private static let readableVersions = 1...10
}
