/// The modules that are refused, by reason, and the few names in them that are not.
///
/// They come from the lists of picklescan, modelscan, fickling, modelaudit and saferpickle, and from
/// what beside them leads to code (CPython 3.8 to 3.14, `Lib`).
///
/// A user's own `profile.py` or `test/model.py` has a name that the standard library has too. Of
/// modules whose names are words like these, single names are refused, and not the module: see
/// ``dangerousNames``.
extension GlobalPolicy {
  /// The reason of each module in which everything is refused, submodules included.
  static let dangerousModules: [String: Danger] = {
    var reasons: [String: Danger] = [:]
    for (reason, modules) in modulesByReason {
      for module in modules { reasons[module] = reason }
    }
    return reasons
  }()

  private static let modulesByReason: [(Danger, [String])] = [
    (
      .runsCode,
      [
        "runpy", "cgitb", "lib2to3", "wsgiref", "unittest.mock", "unittest.loader", "unittest.main",
        "unittest.case", "unittest.runner", "unittest.async_case", "_xxsubinterpreters",
        "_interpreters", "_testcapi", "_testinternalcapi", "jinja2", "mako", "numexpr", "asteval",
        "sympy.parsing", "IPython", "torch.fx", "torch._dynamo", "torch._inductor", "torch.onnx",
        "torch.jit.unsupported_tensor_ops", "torch.utils.data.datapipes",
        "torch.utils.bottleneck", "test.support", "test.libregrtest", "test.regrtest",
        "test.autotest", "test.pythoninfo", "test.script_helper",
      ]
    ),
    (
      .startsPrograms,
      [
        "os", "nt", "posix", "posixpath", "ntpath", "subprocess", "_posixsubprocess", "commands",
        "pty", "pip", "ensurepip", "idlelib", "webbrowser", "mailcap", "asyncio", "multiprocessing",
        "concurrent.futures", "distutils", "setuptools", "pexpect", "ptyprocess", "plumbum",
        "_osx_support", "_aix_support", "_pyrepl", "txwinrm", "psutil", "torch.multiprocessing",
        "torch.distributed.elastic", "torch.utils.collect_env", "torch.utils.cpp_extension",
        "numpy.f2py", "numpy.distutils", "numpy.testing",
      ]
    ),
    (
      .importsModules,
      [
        "importlib", "pkgutil", "zipimport", "modulefinder", "pydoc", "rlcompleter",
        "pkg_resources", "_imp", "_frozen_importlib", "_frozen_importlib_external",
        "logging.config", "torch.hub", "torch.package", "torch.ops", "torch.classes",
      ]
    ),
    (
      .loadsObjects,
      [
        "pickle", "_pickle", "cPickle", "_compat_pickle", "dill", "cloudpickle", "joblib",
        "jsonpickle", "marshal", "ruamel.yaml", "torch.utils.model_dump",
        "torch.utils._content_store",
      ]
    ),
    (
      .touchesFiles,
      [
        "shutil", "linecache", "fileinput", "sqlite3", "_sqlite3", "zipfile", "tarfile", "zipapp",
        "py_compile", "compileall", "dotenv", "filecmp",
      ]
    ),
    (
      .opensConnections,
      [
        "socket", "_socket", "socketserver", "http.client", "http.server", "http.cookiejar",
        "httplib", "urllib.request", "urllib2", "requests", "httpx", "aiohttp", "paramiko",
        "ftplib", "smtplib", "telnetlib", "imaplib", "poplib", "nntplib", "xmlrpc", "asyncore",
        "asynchat", "_ssl", "torch.distributed.rpc",
      ]
    ),
    (
      .changesProcess,
      [
        "sys", "gc", "atexit", "_thread", "_signal", "sysconfig", "faulthandler", "msvcrt",
        "winreg", "_winreg", "_winapi", "_tkinter",
      ]
    ),
    (
      .touchesMemory,
      ["ctypes", "_ctypes", "cffi", "_cffi_backend", "mmap", "fcntl", "numpy.ctypeslib"]
    ),
  ]

  /// Classes of values in modules in which everything else is refused.
  static let harmlessNames: [String: Set<String>] = [
    // The marks of `torch.compile` on tensors, and the module around the compiled one.
    "torch._dynamo.decorators": ["_DimRange"],
    "torch._dynamo.eval_frame": ["OptimizedModule"],
    "torch.fx.immutable_collections": ["immutable_dict", "immutable_list"],
  ]

  /// The reason of each module that is also refused as an attribute, because other modules import it.
  static let reachableModules: [String: Danger] = [
    "os": .startsPrograms, "posix": .startsPrograms, "nt": .startsPrograms,
    "subprocess": .startsPrograms, "multiprocessing": .startsPrograms, "sys": .changesProcess,
    "builtins": .runsCode, "__builtins__": .runsCode, "runpy": .runsCode,
    "importlib": .importsModules, "shutil": .touchesFiles, "socket": .opensConnections,
    "ctypes": .touchesMemory, "marshal": .loadsObjects,
  ]
}
