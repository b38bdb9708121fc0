internal import CkptFormats
internal import CkptGraph
internal import CkptTorch

/// What `torch.load` accepts with `weights_only=True`, its default since PyTorch 2.6
/// (`torch/_weights_only_unpickler.py` of 2.13).
enum WeightsOnlyPolicy {
  /// Why it would refuse a checkpoint, one reason each; empty where it would not.
  static func objections(to checkpoint: Checkpoint) -> [String] {
    let graph = checkpoint.graph
    var objections = (checkpoint.archive?.versionFault).map { [$0] } ?? []
    let version = checkpoint.archive?.pickleProtocol ?? 2
    if version > newestProtocol {
      objections.append("its pickle is of protocol \(version), and operations after 3 are refused")
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
    // Protocol 2 spells bytes by globals.
    if hasBytes, version == newestProtocol { objections.append("a bytes object is in it") }
    if hasLongInteger { objections.append("an int of more than \(longestInteger) bytes is in it") }
    if !globals.isEmpty {
      let names = globals.sorted().map { "'\($0)'" }.joined(separator: ", ")
      objections.append("it names what is not on the list of safe globals: \(names)")
    }
    return objections
  }

  private static let newestProtocol = 3
  /// What `LONG1` holds; `LONG4` is refused.
  private static let longestInteger = 255

  /// Whether a global is on the list, by its name in Python 3.
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

  /// Element types and ways of quantisation, which pickles name as constants.
  private static let types = Set(
    DType.allCases.map(\.name) + (1...7).flatMap { ["int\($0)", "uint\($0)"] } + [
      "per_tensor_affine", "per_tensor_symmetric", "per_channel_affine", "per_channel_symmetric",
      "per_channel_affine_float_qparams",
    ])
}

extension TorchArchiveDescription {
  /// Why the reader of archives refuses the record with the version, if it does
  /// (`PyTorchStreamReader::init` in `caffe2/serialize/inline_container.cc`).
  fileprivate var versionFault: String? {
    let names = [".data/version", "version"]
    let found = names.lazy.compactMap { name in records.first { $0.name.lowercased() == name } }
    guard let record = found.first else { return "the archive has no record 'version'" }
    guard case .other(_, let bytes) = record else { return nil }
    let digits = bytes.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    let version = Int(String(decoding: digits, as: UTF8.self))
    guard let version, Self.readableVersions.contains(version) else {
      return "its record 'version' is \(version.map(String.init) ?? "no number"), not from 1 to 10"
    }
    return nil
  }

  private static let readableVersions = 1...10
}
