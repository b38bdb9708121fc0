internal import CkptBase

/// Tells functions that rebuild values from functions that a pickle has no reason to call.
///
/// Classes say by their `__reduce__` what is called to make their objects. It is the class itself, or
/// a function that was written for it. A call of any other function is not the work of a pickler.
enum FunctionNames {
  /// Whether a name is that of a function, by Python's convention (PEP 8), and not one that is known
  /// to rebuild a value.
  static func isUnknownFunction(module: String, name: String) -> Bool {
    let last = name.utf8.reversed().prefix { $0 != UInt8(ascii: ".") }.reversed()
    guard let letter = last.first(where: { $0 != UInt8(ascii: "_") }),
      !(UInt8(ascii: "A")...UInt8(ascii: "Z") ~= letter)
    else { return false }
    if rebuilding[module]?.contains(name) == true { return false }
    return !markers.contains { String(decoding: last, as: UTF8.self).contains($0) }
  }

  /// Parts of the names of functions that are written to be called by pickles: of PyTorch's and its
  /// back ends', of NumPy's, and of Cython's classes.
  private static let markers = ["rebuild", "reconstruct", "__pyx_unpickle"]

  /// Other functions, and classes with the names of functions, that pickles of honest libraries call.
  private static let rebuilding: [String: Set<String>] = [
    "_functools": ["reduce"], "functools": ["reduce"],
    "_operator": ["getitem", "or_"], "operator": ["getitem", "or_"],
    "array": ["_array_reconstructor", "array"],
    "collections": ["deque", "defaultdict"],
    "copyreg": ["__newobj__", "__newobj_ex__", "pickle_union"],
    "dateutil.tz.tz": ["tzfile", "tzlocal", "tzutc", "tzoffset"],
    "itertools": [
      "chain", "combinations", "count", "cycle", "islice", "permutations", "product", "repeat",
    ],
    "logging": ["getLogger"],
    "numpy.random": ["__RandomState_ctor"],
    "numpy.random._pickle": [
      "__bit_generator_ctor", "__generator_ctor", "__randomstate_ctor",
    ],
    "pandas._libs.internals": ["_unpickle_block"],
    "pandas._libs.tslibs.timedeltas": ["_timedelta_unpickle"],
    "pandas._libs.tslibs.timestamps": ["_unpickle_timestamp"],
    "pandas.core.indexes.base": ["_new_Index"],
    "pandas.core.indexes.datetimes": ["_new_DatetimeIndex"],
    "pandas.core.indexes.period": ["_new_PeriodIndex"],
    "pytz": ["_UTC", "_p"],
    "re": ["_compile"],
    "torch.fx.immutable_collections": ["immutable_dict", "immutable_list"],
    // In whole modules of PyTorch before 1.5.
    "torch.nn.backends.thnn": ["_get_thnn_function_backend"],
    "zoneinfo": ["ZoneInfo._unpickle"],
  ]
}
