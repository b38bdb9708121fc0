package import CkptBase
package import CkptGraph

/// Judges the globals a pickle names.
///
/// Nothing is ever imported; this decides what is carried.
public enum GlobalPolicy: Sendable {
  /// What a global is taken for.
  public enum Verdict: Hashable, Sendable {
    /// Part of the vocabulary of checkpoints: its meaning is known here.
    case known
    /// An unknown class or function: kept as it is and reported.
    case opaque
    /// Exists to run code, or reaches what does: refused.
    case dangerous
  }

  /// The verdict on `module.name`.
  ///
  /// A dotted name (protocol 4) is dangerous if any of its parts would be. A name of Python 2 is
  /// judged as what Python 3 makes of it too: which of them a pickle means depends on the last PROTO
  /// operation before it, and one file can have several.
  public static func verdict(module: String, name: String) -> Verdict {
    WorkCount.add(module.utf8.count + name.utf8.count)
    let modern = Python2Names.modern(module, name)
    if isDangerous(module: module, name: name)
      || isDangerous(module: modern.module, name: modern.name)
    {
      return .dangerous
    }
    return isKnown(module: module, name: name) ? .known : .opaque
  }

  /// The error for a global that is dangerous.
  package static func refusal(module: String, name: String) -> CheckpointError {
    CheckpointError(
      .forbidden, "global '\(module).\(name)' is not allowed: it exists to run code",
      remedy: .text("do not load this file with Python", .dropUnsafe))
  }

  /// What to tell of a dangerous global that was dropped, by its dotted name.
  package static func warning(dropped name: String) -> String {
    "global '\(name)' exists to run code; it and what is made with it became None"
  }

  /// The error for a global whose name is no name.
  package static var tooLong: CheckpointError {
    CheckpointError(.limitExceeded, "the name of a global has more than \(Limits.nameBytes) bytes")
  }

  /// The error for globals whose names take longer to be judged than any checkpoint's.
  package static var tooMany: CheckpointError {
    CheckpointError(
      .limitExceeded,
      "the names of globals have more than \(Limits.globalNameBytes) bytes together",
      remedy: "this is a file made to exhaust its readers")
  }

  /// The error for a `getattr` that reaches for anything but a nested class.
  package static var attributeRefusal: CheckpointError {
    CheckpointError(
      .forbidden,
      "global 'builtins.getattr' is not allowed here: it does not name a nested class",
      remedy: "do not load this file with Python")
  }

  private static func isDangerous(module: String, name: String) -> Bool {
    // Before protocol 4 names are lines, and those that follow the first would be operations.
    if module.utf8.contains(lineFeed) || name.utf8.contains(lineFeed) { return true }
    // Attributes such as `__globals__` or `__subclasses__` lead from any class to all code.
    let parts = self.parts(of: name)
    if parts.count > 1, hasHiddenPart(name) { return true }
    // Modules are attributes of those that import them: `torch.os` is `os`. All parts are looked at,
    // however many stand before.
    if hasReachableModule(name) { return true }
    // Methods of paths change files; only the classes are values.
    if module == "pathlib" || module == "pathlib._local", parts.count > 1 { return true }
    // Python resolves `os.path` under module `posixpath` and `torch.os.system` alike, so a dotted
    // name is judged as if its leading parts were modules.
    let modules = self.parts(of: module)
    return isListed(modules + parts, firstOwner: modules.count)
      || parts.count > 1 && isListed(parts, firstOwner: 1)
  }

  private static let lineFeed = UInt8(ascii: "\n")

  /// Whether a part of a dotted name begins with two underscores.
  private static func hasHiddenPart(_ name: String) -> Bool {
    // How many underscores a part has begun with; negative once it has gone on.
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

  /// Whether a part of a dotted name is a module that is refused wherever it is an attribute.
  private static func hasReachableModule(_ name: String) -> Bool {
    let bytes = name.utf8.span
    var start = 0
    for index in 0...bytes.count where index == bytes.count || bytes[index] == dot {
      if reachableLengths.contains(index - start) {
        let part = (start..<index).map { bytes[$0] }
        if reachableModules.contains(String(decoding: part, as: UTF8.self)) { return true }
      }
      start = index + 1
    }
    return false
  }

  private static let dot = UInt8(ascii: ".")

  private static func isKnown(module: String, name: String) -> Bool {
    if known[module]?.contains(name) == true { return true }
    switch module {
    case "torch", "torch.cuda", "torch.sparse", "torch.cuda.sparse", "torch.storage":
      return name.hasSuffix("Storage") || name.hasSuffix("Tensor")
        || module == "torch" && DType(rawValue: name) != nil
    case "torch._utils": return name.hasPrefix("_rebuild_")
    default: return false
    }
  }

  /// The parts of a dotted name; what comes behind more dots than any listed name has stays together.
  private static func parts(of name: String) -> [Substring] {
    name.parts(between: ".", atMost: mostDots)
  }

  private static let mostDots = 8

  /// Whether a path leads into a dangerous module, or to a dangerous name in what its first parts
  /// name, at least `firstOwner` of them.
  private static func isListed(_ path: [Substring], firstOwner: Int) -> Bool {
    var owner = ""
    for (index, part) in path.dropLast().enumerated() {
      if index > 0 { owner += "." }
      owner += part
      guard owner.utf8.count <= longestListed else { return false }
      if dangerousModules.contains(owner) { return true }
      if index + 1 >= firstOwner, let names = dangerousNames[owner],
        names.contains(path[(index + 1)...].joined(separator: "."))
      {
        return true
      }
    }
    return false
  }

  /// The length of the longest name of a module that is listed, in bytes.
  private static let longestListed = (Array(dangerousModules) + dangerousNames.keys)
    .reduce(0) { max($0, $1.utf8.count) }

  /// Modules in which everything is refused, submodules included.
  ///
  /// The lists of picklescan, modelscan and fickling, and the modules beside them that load code or
  /// reach the network, the shell or other files.
  private static let dangerousModules: Set<String> = [
    "os", "nt", "posix", "posixpath", "ntpath", "sys", "subprocess", "_posixsubprocess", "commands",
    "socket", "_socket", "ssl", "shutil", "ctypes", "_ctypes", "runpy", "pty", "pickle", "_pickle",
    "cPickle", "dill", "cloudpickle", "joblib", "pip", "pdb", "bdb", "pydoc", "timeit", "venv",
    "webbrowser", "asyncio", "aiohttp", "http", "httplib", "urllib", "requests", "ftplib",
    "smtplib", "telnetlib", "imaplib", "poplib", "xmlrpc", "socketserver", "marshal",
    "importlib", "imp", "zipimport", "pkgutil", "code", "codeop", "cProfile", "profile", "doctest",
    "ensurepip", "idlelib", "lib2to3", "trace", "tempfile", "linecache", "cgitb", "sysconfig",
    "distutils", "setuptools", "multiprocessing", "threading", "_thread", "signal",
    "atexit", "operator", "_operator", "shelve", "dbm",
    "fileinput", "sqlite3", "_io", "io", "mmap", "fcntl",
    "logging.config", "platform", "inspect", "gc", "site", "unittest", "test", "concurrent",
    "zipfile", "tarfile", "zipapp", "py_compile", "compileall", "modulefinder", "rlcompleter",
    "wsgiref", "glob", "_imp", "_frozen_importlib", "_frozen_importlib_external", "_pyrepl",
    "_osx_support", "_aix_support",
    "torch.hub", "torch.jit.unsupported_tensor_ops", "torch.utils.bottleneck",
    "torch.utils.collect_env", "torch.utils.cpp_extension", "torch._inductor", "torch._dynamo",
    "torch.fx", "torch.utils.data.datapipes", "torch.package", "torch.distributed.rpc",
    "torch.distributed.elastic", "torch.multiprocessing", "torch.ops", "torch.classes",
    "torch.onnx", "torch.utils.model_dump", "torch.utils._content_store",
    "numpy.f2py", "numpy.testing", "numpy.distutils", "numpy.ctypeslib",
  ]

  /// Single names that are refused in modules which also hold harmless ones.
  private static let dangerousNames: [String: Set<String>] = [
    "builtins": [
      "eval", "exec", "execfile", "compile", "open", "input", "raw_input", "breakpoint", "apply",
      "__import__", "setattr", "delattr", "globals", "locals", "vars", "memoryview", "map",
      "filter", "reload", "help", "exit", "quit", "__build_class__", "__loader__", "__spec__",
    ],
    "functools": ["partial", "partialmethod", "reduce", "singledispatch"],
    "itertools": ["starmap"],
    // One of them asks the shell for the network card; the class itself is a value.
    "uuid": ["_get_command_stdout", "_ipconfig_getnode", "_popen"],
    "types": [
      "FunctionType", "LambdaType", "CodeType", "MethodType", "ModuleType", "CellType", "new_class",
    ],
    "copyreg": ["add_extension", "pickle", "constructor"],
    "codecs": ["open", "register", "lookup"],
    "torch": ["load", "save", "compile", "from_file", "import_ir_module"],
    "torch.serialization": ["load", "save", "_load", "_legacy_load", "add_safe_globals"],
    "torch.storage": ["_load_from_bytes"],
    "torch.jit": ["load", "script"],
    "torch.utils._config_module": ["ConfigModule.load_config", "load_config"],
    "numpy": [
      "load", "loadtxt", "genfromtxt", "fromfile", "memmap", "save", "savez", "savetxt",
      "fromregex", "DataSource", "ndarray.tofile", "ndarray.dump",
    ],
    "numpy.lib.npyio": ["load", "save"],
    "pandas": ["read_pickle", "eval"],
    "pandas.io.pickle": ["read_pickle"],
    "yaml": ["load", "unsafe_load", "full_load", "load_all", "unsafe_load_all"],
    "logging": ["FileHandler"],
  ]

  /// Modules that are refused as what a name stands for, since other modules have them as
  /// attributes.
  private static let reachableModules: Set<String> = [
    "os", "sys", "subprocess", "builtins", "__builtins__", "importlib", "shutil", "socket",
    "ctypes",
    "posix", "nt", "marshal", "runpy", "multiprocessing",
  ]

  /// The lengths of their names, in bytes.
  private static let reachableLengths = Set(reachableModules.map(\.utf8.count))

  /// What checkpoints are made of, beside storages, tensors and the functions that rebuild them.
  private static let known: [String: Set<String>] = [
    "builtins": [
      "set", "frozenset", "bytes", "bytearray", "complex", "range", "slice", "list", "dict",
      "tuple", "int", "float", "bool", "str", "object", "type", "NoneType", "Ellipsis",
      "NotImplemented", "getattr",
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

extension TensorGraph {
  /// The dotted names of globals whose meaning is not known here, sorted, each once.
  package func opaqueGlobals() -> [String] {
    var opaque: [NodeID] = []
    for index in 0..<nodeCount where isOpaqueGlobal(NodeID(index: index)) {
      opaque.append(NodeID(index: index))
    }
    guard !opaque.isEmpty else { return [] }
    let isReachable = isReachable(from: [root] + discarded)
    var names: Set<ExactString> = []
    for id in opaque where isReachable[index(of: id)] {
      names.insert(ExactString(globalName(id) ?? ""))
    }
    return names.map(\.text).sorted()
  }

  private func isOpaqueGlobal(_ id: NodeID) -> Bool {
    guard case .global(let module, let name) = self[id], let module = string(module),
      let name = string(name)
    else { return false }
    return GlobalPolicy.verdict(module: module, name: name) == .opaque
  }
}
