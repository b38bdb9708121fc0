internal import CkptFormats
internal import CkptGraph
internal import CkptPickle
internal import CkptTorch

/// The rules of `torch.load` with `weights_only=True`, its default since PyTorch 2.6
/// (`torch/_weights_only_unpickler.py` of 2.13).
enum WeightsOnlyPolicy {
  /// Returns the reasons to refuse a checkpoint; empty if it is accepted.
  static func objections(to checkpoint: Checkpoint) -> [String] {
    let graph = checkpoint.graph
    var objections: [String] = []
    if let archive = checkpoint.archive {
      objections = archive.formatFault.map { [$0] } ?? []
      objections += opcodeFaults(in: archive)
      if archive.archiveFormat == .legacy, graph.storages.contains(where: { $0.dtype == nil }) {
        objections.append("PyTorch writes untyped storages to legacy files and cannot read them")
      }
    }
    var globals: Set<String> = []
    for index in 0..<graph.nodeCount {
      guard case .global = graph[NodeID(index: index)] else { continue }
      let name = graph.globalName(NodeID(index: index)) ?? "?"
      if !allows(name) { globals.insert(name) }
    }
    if !globals.isEmpty {
      let names = globals.sorted().map { "'\($0)'" }.joined(separator: ", ")
      objections.append("it names globals that are not on the list of safe ones: \(names)")
    }
    return objections
  }

  // MARK: Opcodes

  /// Returns the objections to opcodes in the pickles of an archive.
  private static func opcodeFaults(in archive: TorchArchiveDescription) -> [String] {
    var codes: Set<UInt8> = []
    for pickle in archive.loadedPickles {
      codes.formUnion((try? PickleOperations.codes(in: pickle.span)) ?? [])
    }
    codes.subtract(opcodes)
    var faults: [String] = []
    if !codes.isDisjoint(with: newOpcodes) {
      faults.append(
        "its pickle has protocol \(archive.pickleProtocol), and opcodes newer than protocol 3 are refused"
      )
    }
    codes.subtract(newOpcodes)
    for (fault, refused) in refusedOpcodes where !codes.isDisjoint(with: refused) {
      faults.append(fault)
      codes.subtract(refused)
    }
    if !codes.isEmpty {
      let names = codes.sorted().map { "0x\(String($0, radix: 16))" }.joined(separator: ", ")
      faults.append("its pickle has opcodes that are refused: \(names)")
    }
    return faults
  }

  /// The opcodes that its machine has (`Unpickler.load`).
  private static let opcodes: Set<UInt8> = [
    0x28, 0x29, 0x2e, 0x47, 0x4a, 0x4b, 0x4d, 0x4e, 0x51, 0x52, 0x55, 0x58, 0x5d, 0x61, 0x62, 0x63,
    0x65, 0x68, 0x6a, 0x71, 0x72, 0x73, 0x74, 0x75, 0x7d, 0x80, 0x81, 0x85, 0x86, 0x87, 0x88, 0x89,
    0x8a, 0x8f,
  ]
  private static let newOpcodes: Set<UInt8> = [
    0x8c, 0x8d, 0x8e, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96,
  ]
  private static let refusedOpcodes: [(fault: String, codes: Set<UInt8>)] = [
    ("it has a bytes object", [0x42, 0x43]),
    ("it has an int of more than 255 bytes", [0x8b]),
    (
      "its pickle has protocol 0 or 1, and their opcodes for numbers and text are refused",
      [0x46, 0x49, 0x4c, 0x50, 0x53, 0x56, 0x64, 0x67, 0x69, 0x6c, 0x6f, 0x70]
    ),
  ]

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
  /// The pickles that torch.load runs.
  fileprivate var loadedPickles: [[UInt8]] {
    let object = pickleBytes.map { [$0] } ?? []
    guard archiveFormat == .legacy else { return object }
    return object
      + records.compactMap {
        if case .other(_, let bytes) = $0, !bytes.isEmpty { bytes } else { nil }
      }
  }

  /// The reason why torch refuses the archive itself, if it does.
  fileprivate var formatFault: String? {
    switch archiveFormat {
    case .zip, .torchScript: versionFault
    case .legacy: nil
    case .tar: "it is a tar archive of PyTorch 0.1"
    }
  }

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
