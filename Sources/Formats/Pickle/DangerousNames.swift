/// Single names that are refused, with their attributes, in modules which also hold harmless ones.
extension GlobalPolicy {
  /// The reason of each name, by module.
  static let dangerousNames: [String: [String: Danger]] = {
    var reasons: [String: [String: Danger]] = [:]
    for (reason, modules) in namesByReason {
      for (module, names) in modules {
        for name in names { reasons[module, default: [:]][name] = reason }
      }
    }
    return reasons
  }()

  private static let namesByReason: [(Danger, [String: Set<String>])] = [
    (.runsCode, codeNames), (.startsPrograms, programNames), (.importsModules, importNames),
    (.loadsObjects, objectNames), (.reachesAnything, reachingNames), (.touchesFiles, fileNames),
    (.opensConnections, connectionNames), (.changesProcess, processNames),
  ]

  private static let codeNames: [String: Set<String>] = [
    "builtins": [
      "eval", "exec", "execfile", "compile", "breakpoint", "help", "__build_class__",
    ],
    "bdb": ["Bdb", "Tdb", "effective", "checkfuncname", "set_trace", "test"],
    "cProfile": profilers, "profile": profilers,
    "code": ["InteractiveConsole", "InteractiveInterpreter", "compile_command", "interact"],
    "codeop": ["CommandCompiler", "Compile", "_compile", "_maybe_compile", "compile_command"],
    "collections": ["namedtuple"],
    "dataclasses": ["_create_fn", "_FuncBuilder", "make_dataclass", "dataclass", "_process_class"],
    "doctest": [
      "DebugRunner", "DocFileCase", "DocFileSuite", "DocFileTest", "DocTestCase", "DocTestFinder",
      "DocTestRunner", "DocTestSuite", "_OutputRedirectingPdb", "_load_testfile",
      "_normalize_module", "_test", "debug", "debug_script", "debug_src",
      "run_docstring_examples", "script_from_examples", "testfile", "testmod", "testsource",
    ],
    "inspect": ["get_annotations", "_signature_fromstr"],
    "annotationlib": ["ForwardRef", "call_annotate_function", "get_annotations"],
    "pandas": ["eval"], "pandas.core.computation.eval": ["eval"],
    "pdb": [
      "Pdb", "_ModuleTarget", "_ScriptTarget", "find_function", "help", "main", "pm", "post_mortem",
      "run", "runcall", "runctx", "runeval", "set_trace", "set_trace_async", "test",
    ],
    "sympy": ["lambdify", "parse_expr", "sympify", "S"],
    "sympy.core.sympify": ["sympify", "kernS", "_sympify"],
    "sympy.utilities.lambdify": ["lambdify"],
    "timeit": ["Timer", "main", "reindent", "repeat", "timeit"],
    "torch": ["compile"],
    "trace": [
      "CoverageResults", "Trace", "_find_executable_linenos", "_find_lines", "_find_strings",
      "find_executable_linenos", "main",
    ],
    "types": [
      "FunctionType", "LambdaType", "CodeType", "MethodType", "ModuleType", "CellType", "new_class",
      "CoroutineType", "GeneratorType", "prepare_class", "resolve_bases",
    ],
    "typing": ["ForwardRef", "_eval_type", "evaluate_forward_ref", "get_type_hints"],
    "typing_extensions": ["evaluate_forward_ref", "get_type_hints"],
    "unittest": [
      "FunctionTestCase", "IsolatedAsyncioTestCase", "TestCase", "TestLoader", "TestProgram",
      "TextTestRunner", "defaultTestLoader", "findTestCases", "getTestCaseNames", "load_tests",
      "main", "makeSuite",
    ],
  ]

  private static let programNames: [String: Set<String>] = [
    "invoke": ["run", "sudo", "Context", "Runner", "Local"],
    "fabric": ["Connection", "Runner", "run", "sudo"],
    "pipes": ["Template"],
    "platform": [
      "_Processor", "_mac_ver_xml", "_popen", "_syscmd_file", "_syscmd_uname", "_syscmd_ver",
      "architecture", "dist", "freedesktop_os_release", "libc_ver", "linux_distribution", "mac_ver",
      "platform", "popen", "processor", "uname", "win32_edition", "win32_ver",
    ],
    "uuid": [
      "_arp_getnode", "_find_mac", "_find_mac_near_keyword", "_find_mac_under_heading",
      "_get_command_stdout", "_ifconfig_getnode", "_ip_getnode", "_ipconfig_getnode",
      "_lanscan_getnode", "_load_system_functions", "_netbios_getnode", "_netstat_getnode",
      "_popen", "_random_getnode", "getnode", "uuid1",
    ],
    "venv": ["EnvBuilder", "create", "main"],
  ]

  private static let importNames: [String: Set<String>] = [
    "builtins": ["__import__", "__loader__", "__spec__", "reload"],
    "imp": [
      "NullImporter", "create_dynamic", "find_module", "get_frozen_object", "init_builtin",
      "init_frozen", "load_compiled", "load_dynamic", "load_module", "load_package", "load_source",
      "reload",
    ],
    "torch": ["import_ir_module"],
    "torch.utils._config_module": ["ConfigModule", "ConfigModule.load_config", "load_config"],
    "torch.utils._config_module.ConfigModule": ["load_config"],
  ]

  private static let objectNames: [String: Set<String>] = [
    "torch": ["load", "save"],
    "torch.serialization": ["load", "save", "_load", "_legacy_load", "add_safe_globals"],
    "torch.storage": ["_load_from_bytes"],
    "torch.jit": ["load", "script"],
    "torch.jit._serialization": ["load"],
    "numpy": ["load", "save", "savez"],
    "numpy.lib.npyio": ["load", "save", "NpzFile"],
    "numpy.lib._npyio_impl": ["load", "save", "NpzFile"],
    "numpy.lib.format": ["read_array"], "numpy.lib._format_impl": ["read_array"],
    "numpy.core._methods": ["_dump", "_dumps"], "numpy._core._methods": ["_dump", "_dumps"],
    "pandas": ["read_pickle"], "pandas.io.pickle": ["read_pickle"],
    "shelve": ["BsdDbShelf", "DbfilenameShelf", "Shelf", "open"],
    "yaml": yaml, "yaml.loader": yaml, "yaml.cyaml": yaml, "yaml.constructor": yaml,
    "keras.models": ["load_model"], "keras.saving": ["load_model"],
    "tensorflow.keras.models": ["load_model"],
  ]

  private static let reachingNames: [String: Set<String>] = [
    "builtins": [
      "apply", "delattr", "dir", "filter", "globals", "hasattr", "locals", "map", "setattr",
      "staticmethod", "vars",
    ],
    "contextlib": ["ExitStack", "AsyncExitStack"],
    "contextvars": ["Context", "copy_context"],
    "copyreg": ["add_extension", "pickle", "constructor", "remove_extension"],
    "_functools": ["partial"],
    "functools": ["partial", "partialmethod", "singledispatch"],
    "inspect": [
      "BlockFinder", "Signature.from_callable", "_main", "_signature_from_callable",
      "currentframe", "findsource", "getattr_static", "getclosurevars", "getcomments", "getfile",
      "getframeinfo", "getinnerframes", "getmembers", "getmembers_static", "getmodule",
      "getouterframes", "getsource", "getsourcefile", "getsourcelines", "signature", "stack",
      "trace", "unwrap",
    ],
    "itertools": ["accumulate", "dropwhile", "filterfalse", "groupby", "starmap", "takewhile"],
    "operator": operators, "_operator": operators,
    "sched": ["scheduler"],
    "string": ["Formatter"],
    "weakref": ["finalize"],
  ]

  private static let fileNames: [String: Set<String>] = [
    "builtins": ["open"],
    "aifc": ["open"], "sunau": ["open"], "wave": ["open"],
    "argparse": ["FileType"],
    "bz2": ["open", "BZ2File"], "gzip": ["open", "GzipFile"], "lzma": ["open", "LZMAFile"],
    "codecs": ["open", "register", "lookup"],
    "configparser": ["ConfigParser.read", "RawConfigParser.read"],
    "csv": ["DictWriter", "writer"],
    "dbm": databases, "dbm.dumb": databases, "dbm.gnu": databases, "dbm.ndbm": databases,
    "dbm.sqlite3": databases,
    "glob": ["glob", "iglob", "glob0", "glob1", "_iglob", "_listdir", "_iterdir", "_rlistdir"],
    "io": files, "_io": files,
    "logging": ["FileHandler", "StreamHandler", "basicConfig"],
    "logging.handlers": [
      "BaseRotatingHandler", "RotatingFileHandler", "TimedRotatingFileHandler",
      "WatchedFileHandler", "SysLogHandler", "NTEventLogHandler",
    ],
    "mailbox": ["Babyl", "MH", "MMDF", "Maildir", "mbox", "_singlefileMailbox"],
    "numpy": [
      "loadtxt", "genfromtxt", "fromfile", "savetxt", "fromregex", "DataSource", "ndarray.tofile",
      "ndarray.dump",
    ],
    "numpy.lib.npyio": arrays, "numpy.lib._npyio_impl": arrays,
    "numpy.lib._datasource": ["DataSource", "open"],
    "tempfile": [
      "NamedTemporaryFile", "SpooledTemporaryFile", "TemporaryDirectory", "TemporaryFile",
      "_TemporaryFileCloser", "_TemporaryFileWrapper", "_get_default_tempdir", "_gettempdir",
      "_mkstemp_inner", "gettempdir", "gettempdirb", "mkdtemp", "mkstemp", "mktemp",
    ],
    "torch": ["from_file"],
  ]

  private static let connectionNames: [String: Set<String>] = [
    "logging.handlers": ["DatagramHandler", "HTTPHandler", "SMTPHandler", "SocketHandler"],
    "select": ["devpoll", "epoll", "kevent", "kqueue", "poll", "select"],
    "selectors": [
      "DefaultSelector", "DevpollSelector", "EpollSelector", "KqueueSelector", "PollSelector",
      "SelectSelector",
    ],
    "ssl": [
      "SSLContext", "SSLObject", "SSLSocket", "_SSLContext", "_create_default_https_context",
      "_create_stdlib_context", "_create_unverified_context", "create_default_context",
      "get_server_certificate", "wrap_socket",
    ],
    "syslog": ["openlog", "syslog"],
    "urllib": ["FancyURLopener", "URLopener", "urlcleanup", "urlopen", "urlretrieve"],
  ]

  private static let processNames: [String: Set<String>] = [
    "builtins": ["exit", "input", "memoryview", "quit", "raw_input"],
    "resource": ["prlimit", "setrlimit"],
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
    "threading": [
      "Thread", "Timer", "_DummyThread", "_after_fork", "_make_invoke_excepthook",
      "_register_atexit", "_shutdown", "_start_joinable_thread", "_start_new_thread", "excepthook",
      "setprofile", "setprofile_all_threads", "settrace", "settrace_all_threads",
    ],
  ]

  private static let profilers: Set<String> = [
    "Profile", "_Utils", "label", "main", "run", "runctx",
  ]

  private static let databases: Set<String> = ["_Database", "open", "whichdb"]

  private static let files: Set<String> = [
    "FileIO", "OpenWrapper", "_WindowsConsoleIO", "open", "open_code",
  ]

  private static let arrays: Set<String> = [
    "DataSource", "fromregex", "genfromtxt", "loadtxt", "savetxt", "savez", "savez_compressed",
  ]

  private static let operators: Set<String> = [
    "__call__", "__delitem__", "__setitem__", "attrgetter", "call", "delitem", "itemgetter",
    "methodcaller", "setitem",
  ]

  private static let yaml: Set<String> = [
    "CLoader", "CUnsafeLoader", "CFullLoader", "FullLoader", "Loader", "UnsafeLoader",
    "Constructor", "UnsafeConstructor", "FullConstructor", "full_load", "full_load_all", "load",
    "load_all", "unsafe_load", "unsafe_load_all",
  ]
}
