/// The renamings between Python 2 and 3 that protocols 0 to 2 apply to globals.
///
/// They come from CPython's `Lib/_compat_pickle.py`. A graph has Python 3 names whatever the protocol
/// of its file.
enum Python2Names {
  /// A qualified name.
  struct Name: Hashable {
    var module: String
    var name: String
  }

  /// Python 2 modules and their Python 3 names, for globals without an entry of their own.
  private static let modules: [(two: String, three: String)] = [
    ("__builtin__", "builtins"), ("copy_reg", "copyreg"), ("Queue", "queue"),
    ("SocketServer", "socketserver"), ("ConfigParser", "configparser"), ("repr", "reprlib"),
    ("markupbase", "_markupbase"), ("_winreg", "winreg"), ("thread", "_thread"),
    ("dummy_thread", "_dummy_thread"), ("dbhash", "dbm.bsd"), ("dumbdbm", "dbm.dumb"),
    ("dbm", "dbm.ndbm"), ("gdbm", "dbm.gnu"), ("xmlrpclib", "xmlrpc.client"),
    ("SimpleXMLRPCServer", "xmlrpc.server"), ("httplib", "http.client"),
    ("htmlentitydefs", "html.entities"), ("HTMLParser", "html.parser"),
    ("Cookie", "http.cookies"), ("cookielib", "http.cookiejar"),
    ("BaseHTTPServer", "http.server"), ("test.test_support", "test.support"),
    ("commands", "subprocess"), ("urlparse", "urllib.parse"),
    ("robotparser", "urllib.robotparser"), ("urllib2", "urllib.request"), ("anydbm", "dbm"),
    ("_abcoll", "collections.abc"), ("Tkinter", "tkinter"),
    ("tkFileDialog", "tkinter.filedialog"), ("tkSimpleDialog", "tkinter.simpledialog"),
    ("tkColorChooser", "tkinter.colorchooser"), ("tkCommonDialog", "tkinter.commondialog"),
    ("Dialog", "tkinter.dialog"), ("Tkdnd", "tkinter.dnd"), ("tkFont", "tkinter.font"),
    ("tkMessageBox", "tkinter.messagebox"), ("ScrolledText", "tkinter.scrolledtext"),
    ("Tkconstants", "tkinter.constants"), ("Tix", "tkinter.tix"), ("ttk", "tkinter.ttk"),
  ]

  /// Modules that are renamed on reading only; writing never gives the old name.
  private static let modulesWhenReading = [
    "cPickle": "pickle", "_elementtree": "xml.etree.ElementTree",
    "DocXMLRPCServer": "xmlrpc.server", "SimpleHTTPServer": "http.server",
    "CGIHTTPServer": "http.server", "UserDict": "collections", "UserList": "collections",
    "UserString": "collections", "whichdb": "dbm", "StringIO": "io", "cStringIO": "io",
    "FileDialog": "tkinter.filedialog", "SimpleDialog": "tkinter.simpledialog",
  ]

  /// Modules that are renamed on writing only.
  private static let modulesWhenWriting = [
    "_bz2": "bz2", "_dbm": "dbm", "_functools": "functools", "_gdbm": "gdbm",
    "_pickle": "pickle",
  ]

  private static let names: [(two: Name, three: Name)] = [
    (Name("__builtin__", "xrange"), Name("builtins", "range")),
    (Name("__builtin__", "reduce"), Name("functools", "reduce")),
    (Name("__builtin__", "intern"), Name("sys", "intern")),
    (Name("__builtin__", "unichr"), Name("builtins", "chr")),
    (Name("__builtin__", "unicode"), Name("builtins", "str")),
    (Name("__builtin__", "long"), Name("builtins", "int")),
    (Name("itertools", "izip"), Name("builtins", "zip")),
    (Name("itertools", "imap"), Name("builtins", "map")),
    (Name("itertools", "ifilter"), Name("builtins", "filter")),
    (Name("itertools", "ifilterfalse"), Name("itertools", "filterfalse")),
    (Name("itertools", "izip_longest"), Name("itertools", "zip_longest")),
    (Name("UserDict", "IterableUserDict"), Name("collections", "UserDict")),
    (Name("UserList", "UserList"), Name("collections", "UserList")),
    (Name("UserString", "UserString"), Name("collections", "UserString")),
    (Name("whichdb", "whichdb"), Name("dbm", "whichdb")),
    (Name("_socket", "fromfd"), Name("socket", "fromfd")),
    (Name("_multiprocessing", "Connection"), Name("multiprocessing.connection", "Connection")),
    (Name("multiprocessing.process", "Process"), Name("multiprocessing.context", "Process")),
    (Name("multiprocessing.forking", "Popen"), Name("multiprocessing.popen_fork", "Popen")),
    (Name("urllib", "urlopen"), Name("urllib.request", "urlopen")),
    (Name("urllib", "urlretrieve"), Name("urllib.request", "urlretrieve")),
    (Name("urllib", "urlencode"), Name("urllib.parse", "urlencode")),
    (Name("urllib", "quote"), Name("urllib.parse", "quote")),
    (Name("urllib", "quote_plus"), Name("urllib.parse", "quote_plus")),
    (Name("urllib", "unquote"), Name("urllib.parse", "unquote")),
    (Name("urllib", "unquote_plus"), Name("urllib.parse", "unquote_plus")),
    (Name("urllib", "getproxies"), Name("urllib.request", "getproxies")),
    (Name("urllib", "pathname2url"), Name("urllib.request", "pathname2url")),
    (Name("urllib", "url2pathname"), Name("urllib.request", "url2pathname")),
    (Name("urllib", "urlcleanup"), Name("urllib.request", "urlcleanup")),
    (Name("urllib", "ContentTooShortError"), Name("urllib.error", "ContentTooShortError")),
    (Name("urllib2", "HTTPError"), Name("urllib.error", "HTTPError")),
    (Name("urllib2", "URLError"), Name("urllib.error", "URLError")),
    (Name("multiprocessing", "AuthenticationError"), contextName("AuthenticationError")),
    (Name("multiprocessing", "BufferTooShort"), contextName("BufferTooShort")),
    (Name("multiprocessing", "ProcessError"), contextName("ProcessError")),
    (Name("multiprocessing", "TimeoutError"), contextName("TimeoutError")),
  ]

  private static func contextName(_ name: String) -> Name {
    Name("multiprocessing.context", name)
  }

  /// Names that only reading renames.
  private static let namesWhenReading = [
    Name("__builtin__", "basestring"): Name("builtins", "str"),
    Name("exceptions", "StandardError"): Name("builtins", "Exception"),
    Name("UserDict", "UserDict"): Name("collections", "UserDict"),
    Name("socket", "_socketobject"): Name("socket", "SocketType"),
  ]

  /// The exceptions that Python 2 kept in the module `exceptions`.
  private static let exceptions: Set<String> = [
    "ArithmeticError", "AssertionError", "AttributeError", "BaseException", "BufferError",
    "BytesWarning", "DeprecationWarning", "EOFError", "EnvironmentError", "Exception",
    "FloatingPointError", "FutureWarning", "GeneratorExit", "IOError", "ImportError",
    "ImportWarning", "IndentationError", "IndexError", "KeyError", "KeyboardInterrupt",
    "LookupError", "MemoryError", "NameError", "NotImplementedError", "OSError",
    "OverflowError", "PendingDeprecationWarning", "ReferenceError", "RuntimeError",
    "RuntimeWarning", "StopIteration", "SyntaxError", "SyntaxWarning", "SystemError",
    "SystemExit", "TabError", "TypeError", "UnboundLocalError", "UnicodeDecodeError",
    "UnicodeEncodeError", "UnicodeError", "UnicodeTranslateError", "UnicodeWarning",
    "UserWarning", "ValueError", "Warning", "ZeroDivisionError",
  ]

  private static let threeFromTwo = Dictionary(
    names.map { ($0.two, $0.three) }, uniquingKeysWith: { first, _ in first })
  private static let twoFromThree = Dictionary(
    names.map { ($0.three, $0.two) }, uniquingKeysWith: { first, _ in first })
  private static let moduleThreeFromTwo = Dictionary(
    modules.map { ($0.two, $0.three) }, uniquingKeysWith: { first, _ in first })
  private static let moduleTwoFromThree = Dictionary(
    modules.map { ($0.three, $0.two) }, uniquingKeysWith: { first, _ in first })

  /// Returns the Python 3 name of a global in a pickle of protocol 0, 1 or 2.
  static func modern(_ module: String, _ name: String) -> Name {
    let key = Name(module, name)
    if let three = threeFromTwo[key] ?? namesWhenReading[key] { return three }
    if module == "exceptions", exceptions.contains(name) { return Name("builtins", name) }
    return Name(moduleThreeFromTwo[module] ?? modulesWhenReading[module] ?? module, name)
  }

  /// Returns the name that protocol 2 writes for a global.
  static func old(_ module: String, _ name: String) -> Name {
    let key = Name(module, name)
    if let two = twoFromThree[key] { return two }
    if module == "builtins", exceptions.contains(name) { return Name("exceptions", name) }
    return Name(moduleTwoFromThree[module] ?? modulesWhenWriting[module] ?? module, name)
  }

  /// Whether the result of ``old(_:_:)`` reads back as the same global.
  ///
  /// Python 2 names, which pickles of protocol 3 and later can have, do not.
  static func survives(_ module: String, _ name: String) -> Bool {
    let written = old(module, name)
    return modern(written.module, written.name) == Name(module, name)
  }
}

extension Python2Names.Name {
  fileprivate init(_ module: String, _ name: String) {
    self.module = module
    self.name = name
  }
}
