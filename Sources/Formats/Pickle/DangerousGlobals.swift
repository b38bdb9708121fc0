/// The refused names, and a few exceptions in refused modules.
///
/// The lists of picklescan, modelscan and fickling, and other names that load code or access the
/// network, the shell or files.
///
/// A user's own `profile.py` or `test/model.py` has the same name as a module of the standard
/// library. For modules with such common names, only single names are refused: the functions and
/// classes that can run code (CPython 3.8 to 3.14, `Lib`).
extension GlobalPolicy {
  /// Modules that are refused completely, with their submodules.
  static let dangerousModules: Set<String> = [
    "os", "nt", "posix", "posixpath", "ntpath", "sys", "subprocess", "_posixsubprocess", "commands",
    "socket", "_socket", "shutil", "ctypes", "_ctypes", "runpy", "pty", "pickle", "_pickle",
    "cPickle", "dill", "cloudpickle", "joblib", "pip", "pydoc", "webbrowser", "asyncio", "aiohttp",
    "http.client", "http.server", "http.cookiejar", "httplib", "urllib.request", "urllib2",
    "requests", "ftplib", "smtplib", "telnetlib", "imaplib", "poplib", "xmlrpc", "socketserver",
    "marshal", "importlib", "zipimport", "pkgutil", "ensurepip", "idlelib", "lib2to3", "linecache",
    "cgitb", "sysconfig", "distutils", "setuptools", "multiprocessing", "_thread", "atexit", "gc",
    "fileinput", "sqlite3", "mmap", "fcntl", "logging.config", "concurrent.futures", "zipfile",
    "tarfile", "zipapp", "py_compile", "compileall", "modulefinder", "rlcompleter", "wsgiref",
    "_imp", "_frozen_importlib", "_frozen_importlib_external", "_pyrepl", "_osx_support",
    "_aix_support",
    "test.support", "test.libregrtest", "test.regrtest", "test.autotest", "test.pythoninfo",
    "test.script_helper", "unittest.mock", "unittest.loader", "unittest.main", "unittest.case",
    "unittest.runner", "unittest.async_case",
    "torch.hub", "torch.jit.unsupported_tensor_ops", "torch.utils.bottleneck",
    "torch.utils.collect_env", "torch.utils.cpp_extension", "torch._inductor", "torch._dynamo",
    "torch.fx", "torch.utils.data.datapipes", "torch.package", "torch.distributed.rpc",
    "torch.distributed.elastic", "torch.multiprocessing", "torch.ops", "torch.classes",
    "torch.onnx", "torch.utils.model_dump", "torch.utils._content_store",
    "numpy.f2py", "numpy.testing", "numpy.distutils", "numpy.ctypeslib",
  ]

  /// Harmless classes in refused modules.
  static let harmlessNames: [String: Set<String>] = [
    // The marks of `torch.compile` on tensors, and the module around the compiled one.
    "torch._dynamo.decorators": ["_DimRange"],
    "torch._dynamo.eval_frame": ["OptimizedModule"],
    "torch.fx.immutable_collections": ["immutable_dict", "immutable_list"],
  ]

  /// Refused names, with their attributes, in modules that are otherwise allowed.
  static let dangerousNames: [String: Set<String>] = [
    "builtins": [
      "eval", "exec", "execfile", "compile", "open", "input", "raw_input", "breakpoint", "apply",
      "__import__", "setattr", "delattr", "globals", "locals", "vars", "memoryview", "map",
      "filter", "reload", "help", "exit", "quit", "__build_class__", "__loader__", "__spec__",
    ],
    "bdb": ["Bdb", "Tdb", "effective", "checkfuncname", "set_trace", "test"],
    "cProfile": profilers, "profile": profilers,
    "code": ["InteractiveConsole", "InteractiveInterpreter", "compile_command", "interact"],
    "codecs": ["open", "register", "lookup"],
    "codeop": ["CommandCompiler", "Compile", "_compile", "_maybe_compile", "compile_command"],
    "copyreg": ["add_extension", "pickle", "constructor"],
    "dbm": databases, "dbm.dumb": databases, "dbm.gnu": databases, "dbm.ndbm": databases,
    "dbm.sqlite3": databases,
    "doctest": [
      "DebugRunner", "DocFileCase", "DocFileSuite", "DocFileTest", "DocTestCase", "DocTestFinder",
      "DocTestRunner", "DocTestSuite", "_OutputRedirectingPdb", "_load_testfile",
      "_normalize_module", "_test", "debug", "debug_script", "debug_src",
      "run_docstring_examples", "script_from_examples", "testfile", "testmod", "testsource",
    ],
    "functools": ["partial", "partialmethod", "singledispatch"],
    "glob": ["glob", "iglob", "glob0", "glob1", "_iglob", "_listdir", "_iterdir", "_rlistdir"],
    "imp": [
      "NullImporter", "create_dynamic", "find_module", "get_frozen_object", "init_builtin",
      "init_frozen", "load_compiled", "load_dynamic", "load_module", "load_package", "load_source",
      "reload",
    ],
    "inspect": [
      "BlockFinder", "Signature.from_callable", "_main", "_signature_from_callable",
      "_signature_fromstr", "currentframe", "findsource", "get_annotations", "getattr_static",
      "getclosurevars", "getcomments", "getfile", "getframeinfo", "getinnerframes", "getmembers",
      "getmembers_static", "getmodule", "getouterframes", "getsource", "getsourcefile",
      "getsourcelines", "signature", "stack", "trace", "unwrap",
    ],
    "io": files, "_io": files,
    "itertools": ["starmap"],
    "logging": ["FileHandler"],
    "operator": operators, "_operator": operators,
    "pdb": [
      "Pdb", "_ModuleTarget", "_ScriptTarget", "find_function", "help", "main", "pm", "post_mortem",
      "run", "runcall", "runctx", "runeval", "set_trace", "set_trace_async", "test",
    ],
    "platform": [
      "_Processor", "_mac_ver_xml", "_popen", "_syscmd_file", "_syscmd_uname", "_syscmd_ver",
      "architecture", "dist", "freedesktop_os_release", "libc_ver", "linux_distribution", "mac_ver",
      "platform", "popen", "processor", "uname", "win32_edition", "win32_ver",
    ],
    "shelve": ["BsdDbShelf", "DbfilenameShelf", "Shelf", "open"],
    "signal": [
      "alarm", "default_int_handler", "getsignal", "pause", "pidfd_send_signal", "pthread_kill",
      "pthread_sigmask", "raise_signal", "set_wakeup_fd", "setitimer", "siginterrupt", "signal",
      "sigtimedwait", "sigwait", "sigwaitinfo",
    ],
    "site": [
      "abs_paths", "addpackage", "addsitedir", "addsitepackages", "addusersitepackages",
      "check_enableusersite", "enablerlcompleter", "execsitecustomize", "execusercustomize",
      "getsitepackages", "getuserbase", "getusersitepackages", "main", "makepath",
      "register_readline", "removeduppaths", "setcopyright", "sethelper", "setquit", "venv",
      "_script",
    ],
    "ssl": [
      "SSLContext", "SSLObject", "SSLSocket", "_SSLContext", "_create_default_https_context",
      "_create_stdlib_context", "_create_unverified_context", "create_default_context",
      "get_server_certificate", "wrap_socket",
    ],
    "tempfile": [
      "NamedTemporaryFile", "SpooledTemporaryFile", "TemporaryDirectory", "TemporaryFile",
      "_TemporaryFileCloser", "_TemporaryFileWrapper", "_get_default_tempdir", "_gettempdir",
      "_mkstemp_inner", "gettempdir", "gettempdirb", "mkdtemp", "mkstemp", "mktemp",
    ],
    "threading": [
      "Thread", "Timer", "_DummyThread", "_after_fork", "_make_invoke_excepthook",
      "_register_atexit", "_shutdown", "_start_joinable_thread", "_start_new_thread", "excepthook",
      "setprofile", "setprofile_all_threads", "settrace", "settrace_all_threads",
    ],
    "timeit": ["Timer", "main", "reindent", "repeat", "timeit"],
    "trace": [
      "CoverageResults", "Trace", "_find_executable_linenos", "_find_lines", "_find_strings",
      "find_executable_linenos", "main",
    ],
    "types": [
      "FunctionType", "LambdaType", "CodeType", "MethodType", "ModuleType", "CellType", "new_class",
    ],
    "unittest": [
      "FunctionTestCase", "IsolatedAsyncioTestCase", "TestCase", "TestLoader", "TestProgram",
      "TextTestRunner", "defaultTestLoader", "findTestCases", "getTestCaseNames", "load_tests",
      "main", "makeSuite",
    ],
    "urllib": ["FancyURLopener", "URLopener", "urlcleanup", "urlopen", "urlretrieve"],
    // One of these functions runs a shell command; the class itself is harmless.
    "uuid": ["_get_command_stdout", "_ipconfig_getnode", "_popen"],
    "venv": ["EnvBuilder", "create", "main"],
    "torch": ["load", "save", "compile", "from_file", "import_ir_module"],
    "torch.serialization": ["load", "save", "_load", "_legacy_load", "add_safe_globals"],
    "torch.storage": ["_load_from_bytes"],
    "torch.jit": ["load", "script"],
    "torch.utils._config_module": ["ConfigModule.load_config", "load_config"],
    "numpy": [
      "load", "loadtxt", "genfromtxt", "fromfile", "save", "savez", "savetxt", "fromregex",
      "DataSource", "ndarray.tofile", "ndarray.dump",
    ],
    "numpy.lib.npyio": ["load", "save"],
    "pandas": ["read_pickle", "eval"],
    "pandas.io.pickle": ["read_pickle"],
    "yaml": ["load", "unsafe_load", "full_load", "load_all", "unsafe_load_all"],
  ]

  private static let profilers: Set<String> = [
    "Profile", "_Utils", "label", "main", "run", "runctx",
  ]

  private static let databases: Set<String> = ["_Database", "open", "whichdb"]

  private static let files: Set<String> = [
    "FileIO", "OpenWrapper", "_WindowsConsoleIO", "open", "open_code",
  ]

  private static let operators: Set<String> = [
    "__call__", "__delitem__", "__setitem__", "attrgetter", "call", "delitem", "itemgetter",
    "methodcaller", "setitem",
  ]
}
