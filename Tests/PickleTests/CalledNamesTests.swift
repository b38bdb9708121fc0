import CkptPickle
import Testing

@Suite(
  "Names are dangerous for a reason, and unknown functions are suspicious where they are called")
struct CalledNamesTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let module: String
    let name: String
    /// The reason, or `nil` for a name that is only suspicious where it is called.
    let danger: Danger?
    var testDescription: String { "\(module).\(name)" }

    init(_ module: String, _ name: String, _ danger: Danger? = nil) {
      self.module = module
      self.name = name
      self.danger = danger
    }
  }

  /// Names that other scanners list (picklescan, modelscan, fickling, modelaudit, saferpickle), and
  /// names that were seen to run a payload in one or two calls.
  static let listed = [
    Case("dataclasses", "_create_fn", .runsCode), Case("typing", "_eval_type", .runsCode),
    Case("typing", "ForwardRef", .runsCode), Case("typing", "get_type_hints", .runsCode),
    Case("sympy.utilities.lambdify", "lambdify", .runsCode), Case("sympy", "sympify", .runsCode),
    Case("sympy.core.sympify", "sympify", .runsCode),
    Case("sympy.parsing.sympy_parser", "parse_expr", .runsCode),
    Case("jinja2.environment", "Template.render", .runsCode),
    Case("_xxsubinterpreters", "run_string", .runsCode), Case("__builtins__", "exec", .runsCode),
    Case("mailcap", "findmatch", .startsPrograms), Case("pipes", "Template.copy", .startsPrograms),
    Case("uuid", "getnode", .startsPrograms), Case("pexpect", "spawn", .startsPrograms),
    Case("psutil", "Popen", .startsPrograms), Case("uuid", "_arp_getnode", .startsPrograms),
    Case("torch.utils._config_module", "ConfigModule", .importsModules),
    Case("numpy.lib._npyio_impl", "load", .loadsObjects),
    Case("yaml", "UnsafeLoader", .loadsObjects),
    Case("yaml.cyaml", "CLoader", .loadsObjects), Case("_compat_pickle", "x", .loadsObjects),
    Case("contextlib", "ExitStack.callback", .reachesAnything),
    Case("contextvars", "Context.run", .reachesAnything),
    Case("weakref", "finalize", .reachesAnything),
    Case("sched", "scheduler.enter", .reachesAnything),
    Case("string", "Formatter.get_field", .reachesAnything),
    Case("_functools", "partial", .reachesAnything), Case("builtins", "hasattr", .reachesAnything),
    Case("copyreg", "remove_extension", .reachesAnything),
    Case("gzip", "open", .touchesFiles), Case("wave", "open", .touchesFiles),
    Case("argparse", "FileType", .touchesFiles), Case("mailbox", "mbox.add", .touchesFiles),
    Case("logging", "FileHandler.emit", .touchesFiles),
    Case("logging.handlers", "RotatingFileHandler", .touchesFiles),
    Case("csv", "DictWriter.writerow", .touchesFiles),
    Case("numpy.lib._npyio_impl", "savetxt", .touchesFiles),
    Case("dotenv.main", "set_key", .touchesFiles),
    Case("_sqlite3", "connect", .touchesFiles), Case("filecmp", "cmp", .touchesFiles),
    Case("nntplib", "NNTP", .opensConnections), Case("httpx", "get", .opensConnections),
    Case("select", "select", .opensConnections), Case("syslog", "syslog", .opensConnections),
    Case("faulthandler", "_sigsegv", .changesProcess),
    Case("_signal", "raise_signal", .changesProcess),
    Case("resource", "setrlimit", .changesProcess),
    Case("_tkinter", "TkappType.eval", .changesProcess),
    Case("ctypes", "CDLL", .touchesMemory),
    Case("CreateThread", "some_func"), Case("config", "set_config_path"), Case("builtins", "code"),
    Case("builtins", "some_func"), Case("collections", "eval"), Case("base64", "b64decode"),
    Case("zlib", "decompress"), Case("hashlib", "new"), Case("decimal", "setcontext"),
    Case("functools", "lru_cache"), Case("logging", "Logger._log"), Case("logging", "disable"),
    Case("warnings", "simplefilter"), Case("difflib", "ndiff"), Case("configparser", "some_func"),
    Case("codecs", "decode"), Case("codecs", "StreamReaderWriter.write"), Case("str", "join"),
    Case("torch.compile", "some_func"), Case("xml", "etree"), Case("open", "some_func"),
  ]

  @Test("A call of a listed name is dangerous, or suspicious", arguments: listed)
  func called(_ test: Case) throws {
    #expect(GlobalPolicy.danger(module: test.module, name: test.name) == test.danger)
    let use = try #require(Self.use(of: test, "(Vx\ntR."))
    #expect(use.verdict == (test.danger == nil ? .suspicious : .dangerous))
    #expect(use.reason != nil)
  }

  /// Names of honest files, and how their objects are made.
  static let honest: [(Case, String)] = [
    (Case("app.model", "Net"), "(Vx\ntR."), (Case("app.model", "Net"), ")\u{81}."),
    (Case("test", "net"), ")\u{81}."), (Case("profile", "Net"), ")\u{81}."),
    (Case("code.model", "Net"), "(Vx\ntR."), (Case("app", "act_layer"), "."),
    (Case("torch.nn.functional", "relu"), "."), (Case("app", "_Mode"), "(K\u{1}tR."),
    (Case("fastai.torch_core", "_fa_rebuild_tensor"), "(Vx\ntR."),
    (Case("sklearn._loss._loss", "__pyx_unpickle_CyHalfBinomialLoss"), "(Vx\ntR."),
    (Case("numpy.random._pickle", "__randomstate_ctor"), "(Vx\ntR."),
    (Case("pandas._libs.internals", "_unpickle_block"), "(Vx\ntR."),
    (Case("re", "_compile"), "(Vx\ntR."), (Case("logging", "getLogger"), "(Vx\ntR."),
    (Case("itertools", "count"), "(K\u{1}tR."), (Case("signal", "Signals"), "(K\u{1}tR."),
    (Case("_io", "BytesIO"), ")\u{81}."),
    (Case("torch.nn.backends.thnn", "_get_thnn_function_backend"), ")R."),
  ]

  @Test("Classes, and functions that rebuild values, are opaque", arguments: honest)
  func made(_ test: Case, _ ending: String) throws {
    let use = try #require(Self.use(of: test, ending))
    #expect(use.verdict == .opaque && use.reason == nil)
  }

  @Test("Every reason has a name in the table, and is told in words")
  func reasons() {
    let used = Set(Self.listed.compactMap(\.danger))
    #expect(used == Set(Danger.allCases))
    #expect(Set(Danger.allCases.map(\.rawValue)).count == Danger.allCases.count)
  }

  private static func use(of test: Case, _ ending: String) -> GlobalUse? {
    let bytes = "c\(test.module)\n\(test.name)\n\(ending)".unicodeScalars.map { UInt8($0.value) }
    return PickleScan([0x80, 4] + bytes).globals.first { $0.module == test.module }
  }
}

extension PickleScan {
  fileprivate init(_ bytes: [UInt8]) { self.init(bytes.span) }
}
