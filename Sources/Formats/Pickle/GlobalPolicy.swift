package import CkptBase
internal import CkptGraph

/// Judges the globals that a pickle names.
///
/// Nothing is ever imported. The policy only decides which names are kept.
package enum GlobalPolicy: Sendable {
  /// The verdict on a global.
  package enum Verdict: Hashable, Sendable {
    /// Part of the vocabulary of checkpoints; this program knows its meaning.
    case known
    /// An unknown class or function; kept as it is and reported.
    case opaque
    /// An unknown function that the pickle calls, or a class in a way that no pickler does.
    ///
    /// Only a scan, which sees the calls, gives this verdict; a name alone never has it.
    case suspicious
    /// Can run code, or leads to something that can; refused.
    case dangerous
  }

  /// Returns the verdict on `module.name`.
  ///
  /// A dotted name (protocol 4) is dangerous if any part of it is. A Python 2 name is judged
  /// together with its Python 3 name: the last PROTO opcode decides which of the two it means, and
  /// one file can have several.
  package static func verdict(module: String, name: String) -> Verdict {
    WorkCount.add(module.utf8.count + name.utf8.count)
    if danger(module: module, name: name) != nil { return .dangerous }
    return isKnown(module: module, name: name) ? .known : .opaque
  }

  /// Returns the reason why `module.name` is dangerous, or `nil` if it is not.
  package static func danger(module: String, name: String) -> Danger? {
    let modern = Python2Names.modern(module, name)
    return listedDanger(module: module, name: name)
      ?? listedDanger(module: modern.module, name: modern.name)
  }

  /// The name of a global in messages.
  package static func subject(module: String, name: String) -> String {
    "global '\(module).\(name)'"
  }

  /// Creates the error for `subject`, a global or an operation that can run code or is unknown.
  package static func refusal(of subject: String) -> CheckpointError {
    CheckpointError(
      .forbidden,
      "\(subject) is not allowed: it is not known to be harmless and can run code",
      remedy: .text("load this file with Python only if you trust its author", .dropUnsafe))
  }

  /// The error for a global with a name that is too long.
  package static var tooLong: CheckpointError {
    CheckpointError(.limitExceeded, "the name of a global has more than \(Limits.nameBytes) bytes")
  }

  /// The error for a pickle whose globals have more text than those of any real checkpoint.
  package static var tooMany: CheckpointError {
    CheckpointError(
      .limitExceeded,
      "the names of all globals have more than \(Limits.globalNameBytes) bytes in total",
      remedy: "do not use this file; it was made to exhaust its readers")
  }

  private static func listedDanger(module: String, name: String) -> Danger? {
    // Before protocol 4 a name is a line of text. A line feed in it would start another opcode.
    if module.utf8.contains(lineFeed) || name.utf8.contains(lineFeed) { return .reachesAnything }
    // Some modules have the built-in functions under this name as well.
    if module == "__builtins__" { return listedDanger(module: "builtins", name: name) }
    // Attributes such as `__globals__` or `__subclasses__` lead from any class to any code.
    let parts = self.parts(of: name)
    if parts.count > 1, hasHiddenPart(name) { return .reachesAnything }
    // A module is an attribute of every module that imports it: `torch.os` is `os`. All parts are
    // checked.
    if let danger = reachableModule(in: name) { return danger }
    // Methods of paths change files; only the classes are values.
    if module == "pathlib" || module == "pathlib._local", parts.count > 1 { return .touchesFiles }
    // Python resolves `os.path` in module `posixpath`, and `torch.os.system`, in the same way. So a
    // dotted name is judged as if its leading parts were modules.
    let modules = self.parts(of: module)
    if harmlessNames[module]?.contains(name) == true { return nil }
    if let danger = listed(modules + parts, firstOwner: modules.count) { return danger }
    return parts.count > 1 ? listed(parts, firstOwner: 1) : nil
  }

  private static let lineFeed = UInt8(ascii: "\n")

  /// Whether a part of a dotted name begins with two underscores.
  private static func hasHiddenPart(_ name: String) -> Bool {
    // The number of underscores at the start of the current part; negative after another character.
    var count = 0
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: "."): count = 0
      case UInt8(ascii: "_") where count >= 0: count += 1
      default: count = -1
      }
      if count == 2 { return true }
    }
    return false
  }

  /// Returns the reason of a part of a dotted name that is refused wherever it is an attribute.
  private static func reachableModule(in name: String) -> Danger? {
    let bytes = name.utf8.span
    var start = 0
    for index in 0...bytes.count where index == bytes.count || bytes[index] == dot {
      if reachableLengths.contains(index - start) {
        let part = (start..<index).map { bytes[$0] }
        if let danger = reachableModules[String(decoding: part, as: UTF8.self)] { return danger }
      }
      start = index + 1
    }
    return nil
  }

  private static let dot = UInt8(ascii: ".")

  private static func isKnown(module: String, name: String) -> Bool {
    if known[module]?.contains(name) == true { return true }
    switch module {
    case "torch", "torch.cuda", "torch.sparse", "torch.cuda.sparse", "torch.storage":
      return name.hasSuffix("Storage") || name.hasSuffix("Tensor")
        || module == "torch" && DType(rawValue: name) != nil
    case "torch._utils": return name.hasPrefix("_rebuild_")
    case _ where module.hasPrefix("torch_npu."): return name == "_rebuild_npu_tensor"
    default: return false
    }
  }

  /// Splits a dotted name.
  ///
  /// The text after the last dot that a listed name can have stays in one part.
  private static func parts(of name: String) -> [Substring] {
    name.parts(between: ".", atMost: mostDots)
  }

  private static let mostDots = 8

  /// Returns the reason of the dangerous module that a path leads into, or of the dangerous name of a
  /// module made of at least `firstOwner` of its parts.
  private static func listed(_ path: [Substring], firstOwner: Int) -> Danger? {
    var owner = ""
    for (index, part) in path.dropLast().enumerated() {
      if index > 0 { owner += "." }
      owner += part
      guard owner.utf8.count <= longestListed else { return nil }
      if let danger = dangerousModules[owner] { return danger }
      if index + 1 >= firstOwner, let names = dangerousNames[owner],
        let danger = first(of: path[(index + 1)...], in: names)
      {
        return danger
      }
    }
    return nil
  }

  /// Returns the reason of the listed name that a path leads to, or through to an attribute.
  private static func first(
    of path: ArraySlice<Substring>, in names: [String: Danger]
  ) -> Danger? {
    var name = ""
    for part in path {
      name += name.isEmpty ? String(part) : ".\(part)"
      if let danger = names[name] { return danger }
    }
    return nil
  }

  /// The length of the longest listed module name, in bytes.
  private static let longestListed = (Array(dangerousModules.keys) + dangerousNames.keys)
    .reduce(0) { max($0, $1.utf8.count) }

  /// The lengths of the names of modules that are refused as attributes, in bytes.
  private static let reachableLengths = Set(reachableModules.keys.map(\.utf8.count))

  /// The vocabulary of checkpoints, without storages, tensors and the functions that rebuild them.
  private static let known: [String: Set<String>] = [
    "builtins": [
      "set", "frozenset", "bytes", "bytearray", "complex", "range", "slice", "list", "dict",
      "tuple", "int", "float", "bool", "str", "object", "type", "NoneType", "Ellipsis",
      "NotImplemented", "getattr", "iter", "reversed", "enumerate", "zip",
    ],
    "collections": ["OrderedDict", "defaultdict", "Counter", "deque"],
    "_codecs": ["encode"],
    "copyreg": ["_reconstructor"],
    "pathlib": paths, "pathlib._local": paths,
    "argparse": ["Namespace"],
    "datetime": ["datetime", "date", "time", "timedelta", "timezone"],
    "decimal": ["Decimal"], "fractions": ["Fraction"], "uuid": ["UUID"],
    "numpy": ["dtype", "ndarray"],
    "numpy.core.multiarray": ["_reconstruct", "scalar"],
    "numpy._core.multiarray": ["_reconstruct", "scalar"],
    "numpy.core.numeric": ["_frombuffer"], "numpy._core.numeric": ["_frombuffer"],
    "torch._tensor": ["_rebuild_from_type_v2"],
    "torch.tensor": ["_rebuild_from_type", "_rebuild_from_type_v2"],
    "torch": [
      "Size", "device", "per_tensor_affine", "per_tensor_symmetric", "per_channel_affine",
      "per_channel_symmetric", "per_channel_affine_float_qparams", "contiguous_format",
      "channels_last", "channels_last_3d", "preserve_format",
    ],
    "torch.serialization": ["_get_layout"],
    "torch.nn.parameter": ["Parameter", "Buffer", "UninitializedParameter"],
    "torch.jit._pickle": [
      "build_intlist", "build_tensorlist", "build_doublelist", "build_boollist",
      "build_tensor_from_id", "restore_type_tag",
    ],
  ]

  private static let paths: Set<String> = [
    "Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath",
  ]
}
