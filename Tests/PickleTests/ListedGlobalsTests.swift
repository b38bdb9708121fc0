import CkptPickle
import Testing

/// The lists of picklescan and modelscan, and what belongs beside them, name by name.
struct ListedGlobalsTests {
  /// Modules in which everything is listed.
  static let modules = [
    "os", "nt", "posix", "sys", "subprocess", "commands", "socket", "shutil", "ctypes", "runpy",
    "pty", "pickle", "_pickle", "pip", "pydoc", "webbrowser", "asyncio", "aiohttp",
    "aiohttp.client", "httplib", "requests.api", "distutils.file_util", "numpy.f2py",
    "numpy.testing._private.utils", "dill", "cloudpickle", "importlib", "linecache", "cgitb",
    "sysconfig",
  ]

  @Test("Everything in a module that scanners list is dangerous", arguments: modules)
  func module(_ module: String) {
    #expect(GlobalPolicy.verdict(module: module, name: "anything") == .dangerous)
    #expect(GlobalPolicy.verdict(module: "\(module).inner", name: "anything") == .dangerous)
    #expect(GlobalPolicy.verdict(module: module, name: "Inner.anything") == .dangerous)
  }

  struct Names: CustomTestStringConvertible {
    var module: String
    var names: [String]
    var testDescription: String { module }

    init(_ module: String, _ names: String...) {
      self.module = module
      self.names = names
    }
  }

  static let names = [
    Names(
      "builtins", "eval", "compile", "apply", "exec", "open", "breakpoint", "__import__", "setattr",
      "delattr", "globals", "vars", "input"),
    Names(
      "__builtin__", "eval", "compile", "apply", "exec", "open", "breakpoint", "__import__",
      "setattr", "delattr", "globals", "vars", "input"),
    Names("functools", "partial"), Names("operator", "attrgetter", "itemgetter", "methodcaller"),
    Names("code", "InteractiveInterpreter.runcode"), Names("cProfile", "run", "runctx"),
    Names("profile", "Profile.run", "Profile.runctx"), Names("doctest", "debug_script"),
    Names("ensurepip", "_run_pip"), Names("idlelib.autocomplete", "AutoComplete.get_entity"),
    Names("idlelib.calltip", "get_entity"), Names("idlelib.debugobj", "ObjectTreeItem.SetText"),
    Names("idlelib.pyshell", "ModifiedInterpreter.runcode"),
    Names("idlelib.run", "Executive.runcode"), Names("lib2to3.pgen2.grammar", "Grammar.loads"),
    Names("lib2to3.pgen2.pgen", "ParserGenerator.make_label"),
    Names("trace", "Trace.run", "Trace.runctx"), Names("torch._dynamo.guards", "GuardBuilder.get"),
    Names("torch._inductor.codecache", "compile_file"),
    Names(
      "torch.fx.experimental.symbolic_shapes", "ShapeEnv.evaluate_guards_expression"),
    Names("torch.jit.unsupported_tensor_ops", "execWrapper"), Names("torch.serialization", "load"),
    Names("torch.utils._config_module", "ConfigModule.load_config"),
    Names("torch.utils.bottleneck.__main__", "run_cprofile", "run_autograd_prof"),
    Names("torch.utils.collect_env", "run"),
    Names("torch.utils.data.datapipes.utils.decoder", "basichandlers"), Names("torch.hub", "load"),
    Names("ssl", "get_server_certificate"), Names("pdb", "run", "runcall", "Pdb.run"),
    Names("bdb", "Bdb.run", "Bdb.runeval"), Names("timeit", "timeit", "Timer.timeit"),
    Names("venv", "create", "EnvBuilder.create"),
    Names("tempfile", "mkdtemp", "NamedTemporaryFile"), Names("signal", "raise_signal"),
    Names("torch", "load"), Names("torch.storage", "_load_from_bytes"), Names("numpy", "load"),
    Names("joblib", "load"), Names("pandas", "read_pickle"),
    Names("types", "FunctionType", "CodeType"), Names("marshal", "loads"), Names("_io", "open"),
  ]

  @Test("Every name that scanners list is dangerous", arguments: names)
  func name(_ test: Names) {
    for name in test.names {
      #expect(GlobalPolicy.verdict(module: test.module, name: name) == .dangerous, "\(name)")
    }
  }

  @Test("What scanners take for safe is known")
  func safe() {
    for (module, name) in [
      ("collections", "OrderedDict"), ("torch", "FloatStorage"), ("torch", "LongStorage"),
      ("numpy", "dtype"), ("numpy", "ndarray"), ("numpy.core.multiarray", "_reconstruct"),
      ("torch._utils", "_rebuild_tensor_v2"),
    ] {
      #expect(GlobalPolicy.verdict(module: module, name: name) == .known, "\(module).\(name)")
    }
  }
}
