/// The renamings between Python 2 and 3 that protocols 0 to 2 apply to globals.
///
/// They come from CPython's `Lib/_compat_pickle.py`, without the graphical toolkits, which no
/// checkpoint uses. A graph has Python 3 names whatever the protocol of its file.
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
    ("_abcoll", "collections.abc"),
  ]

  /// Modules that are renamed on reading only; writing never gives the old name.
  private static let modulesWhenReading = [
    "cPickle": "pickle", "_elementtree": "xml.etree.ElementTree",
    "DocXMLRPCServer": "xmlrpc.server", "SimpleHTTPServer": "http.server",
    "CGIHTTPServer": "http.server", "UserDict": "collections", "UserList": "collections",
    "UserString": "collections", "whichdb": "dbm", "StringIO": "io", "cStringIO": "io",
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
    (Name("urllib", "unquote"), Name("urllib.parse", "unquote")),
    (Name("urllib2", "HTTPError"), Name("urllib.error", "HTTPError")),
    (Name("urllib2", "URLError"), Name("urllib.error", "URLError")),
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
    if let three = threeFromTwo[key] { return three }
    if module == "exceptions" { return Name("builtins", name) }
    return Name(moduleThreeFromTwo[module] ?? modulesWhenReading[module] ?? module, name)
  }

  /// Returns the name that protocol 2 writes for a global.
  static func old(_ module: String, _ name: String) -> Name {
    let key = Name(module, name)
    if let two = twoFromThree[key] { return two }
    if module == "builtins", isException(name) { return Name("exceptions", name) }
    return Name(moduleTwoFromThree[module] ?? modulesWhenWriting[module] ?? module, name)
  }

  /// Whether the result of ``old(_:_:)`` reads back as the same global.
  ///
  /// Python 2 names, which pickles of protocol 3 and later can have, do not.
  static func survives(_ module: String, _ name: String) -> Bool {
    let written = old(module, name)
    return modern(written.module, written.name) == Name(module, name)
  }

  /// Whether a name in `builtins` is an exception, which Python 2 kept in a module of their own.
  private static func isException(_ name: String) -> Bool {
    name.hasSuffix("Error") || name.hasSuffix("Exception") || name.hasSuffix("Warning")
      || ["GeneratorExit", "KeyboardInterrupt", "StopIteration", "SystemExit"].contains(name)
  }
}

extension Python2Names.Name {
  fileprivate init(_ module: String, _ name: String) {
    self.module = module
    self.name = name
  }
}
