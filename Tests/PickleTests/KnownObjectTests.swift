import CkptBase
import CkptGraph
import CkptPickle
import CkptTestSupport
import Testing

/// Objects that checkpoints are made of, recognized and described.
struct KnownObjectTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var value: PickledValue
    var isKnown: Bool
    var text: String

    init(_ name: String, _ value: PickledValue, isKnown: Bool = true, _ text: String) {
      testDescription = name
      self.value = value
      self.isKnown = isKnown
      self.text = text
    }
  }

  // MARK: NumPy

  private static func dtype(_ code: String, _ order: String = "<") -> PickledValue {
    .built(
      .call(.global("numpy", "dtype"), [.str(code), false, true]),
      state: .tuple([3, .str(order), .none, .none, .none, -1, -1, 0]))
  }

  private static func array(
    _ shape: [Int], _ dtype: PickledValue, _ data: PickledValue, module: String = "numpy._core"
  ) -> PickledValue {
    .built(
      .call(
        .global("\(module).multiarray", "_reconstruct"),
        [.global("numpy", "ndarray"), .ints([0]), .bytes([0x62])]),
      state: .tuple([1, .ints(shape), dtype, false, data]))
  }

  private static func scalar(
    _ code: String, _ bytes: [UInt8], _ order: String = "<"
  ) -> PickledValue {
    .call(.global("numpy._core.multiarray", "scalar"), [dtype(code, order), .bytes(bytes)])
  }

  // MARK: Dates

  private static func date(_ name: String, _ bytes: [UInt8]) -> PickledValue {
    .call(.global("datetime", name), [.bytes(bytes)])
  }

  static let dates = [
    Case("a date", date("date", [7, 232, 2, 29]), "datetime.date(2024, 2, 29)"),
    Case(
      "a moment", date("datetime", [7, 232, 2, 29, 13, 5, 9, 0, 0, 0]),
      "datetime.datetime(2024, 2, 29, 13, 5, 9)"),
    Case(
      "a moment with microseconds, the second of its name",
      date("datetime", [7, 232, 0x82, 29, 13, 5, 9, 1, 0, 0]),
      "datetime.datetime(2024, 2, 29, 13, 5, 9, 65536)"),
    Case("a time", date("time", [0x8d, 5, 9, 0, 0, 1]), "datetime.time(13, 5, 9, 1)"),
    Case(
      "a duration", .call(.global("datetime", "timedelta"), [1, 2, 3]),
      "datetime.timedelta(days=1, seconds=2, microseconds=3)"),
    Case(
      "a date of other bytes", date("date", [1, 2]), isKnown: false, "date(b'\\x01\\x02')"),
  ]

  // MARK: Bytes

  @Test("Short bytes are written as Python writes them, and long ones counted")
  func bytes() throws {
    func text(_ bytes: [UInt8]) throws -> String {
      let graph = try PickleProgram(PickledValue.bytes(bytes).pickle(protocol: 3)).load()
      return graph.description(of: graph.root)
    }
    #expect(try text(Array("a'\\\n\u{7f}".utf8)) == #"b"a'\\\n\x7f""#)
    #expect(try text(Array("'\"".utf8)) == #"b'\'"'"#)
    #expect(try text([UInt8](repeating: 0, count: 33)) == "bytes[33]")
  }

  static let numPy = [
    Case("a dtype", dtype("f4"), "dtype('<f4')"),
    Case("a big-endian dtype", dtype("i8", ">"), "dtype('>i8')"),
    Case("a dtype of bytes", dtype("b1", "|"), "dtype('|b1')"),
    Case(
      "a dtype without state", .call(.global("numpy", "dtype"), ["f8", false, true]),
      "dtype('|f8')"),
    Case(
      "a dtype named by an int", .call(.global("numpy", "dtype"), [5]), isKnown: false, "dtype(5)"),
    Case(
      "an array of NumPy 2", array([2, 3], dtype("f4"), .bytes([])),
      "numpy.ndarray([2, 3], '<f4')"),
    Case(
      "an array of NumPy 1",
      array([], dtype("U2"), .bytes([]), module: "numpy.core"), "numpy.ndarray([], '<U2')"),
    Case(
      "an array of objects", array([1], dtype("O8", "|"), [.none]), "numpy.ndarray([1], '|O8')"),
    Case(
      "an array whose state is missing",
      .call(.global("numpy._core.multiarray", "_reconstruct"), []), isKnown: false,
      "_reconstruct()"),
    Case(
      "a scalar of another size than its type's",
      .call(.global("numpy._core.multiarray", "scalar"), [dtype("f8"), .bytes([1])]),
      "numpy.scalar('<f8')"),
    Case("a float", scalar("f8", [0, 0, 0, 0, 0, 0, 0xe0, 0x3f]), "numpy.float64(0.5)"),
    Case("a float32", scalar("f4", [0xcd, 0xcc, 0xcc, 0x3d]), "numpy.float32(0.1)"),
    Case("a float32 that is no number", scalar("f4", [0, 0, 0xc0, 0x7f]), "numpy.float32(nan)"),
    Case("an int", scalar("i8", [UInt8](repeating: 0xff, count: 8)), "numpy.int64(-1)"),
    Case("an unsigned int", scalar("u2", [1, 0xff]), "numpy.uint16(65281)"),
    Case("a big-endian int", scalar("i4", [0, 0, 1, 2], ">"), "numpy.int32(258)"),
    Case("a truth value", scalar("b1", [1], "|"), "numpy.bool(True)"),
    Case("a text", scalar("U1", [65, 0, 0, 0]), "numpy.scalar('<U1')"),
    Case(
      "an array over a buffer",
      .call(
        .global("numpy._core.numeric", "_frombuffer"),
        [.bytes([0, 0, 0, 0]), dtype("f4"), .ints([1]), "C"]), "numpy.ndarray([1], '<f4')"),
    Case(
      "a scalar without dtype", .call(.global("numpy._core.multiarray", "scalar"), [1, .none]),
      isKnown: false, "scalar(1, None)"),
  ]

  // MARK: Random states

  private static let mersenne = array([624], dtype("u4"), .bytes([]))

  static let randomStates = [
    Case(
      "the state of random", .tuple([3, .ints([Int](repeating: 0, count: 625)), .none]),
      "<state of Python's random>"),
    Case(
      "a tuple with a number missing",
      .tuple([3, .ints([0, 1]), .none]), isKnown: false, "(3, (0, 1), None)"),
    Case(
      "the state of NumPy", .tuple(["MT19937", mersenne, 624, 0, 0.0]),
      "<state of NumPy's MT19937>"),
    Case(
      "a tuple of five without an array", .tuple(["MT19937", 1, 624, 0, 0.0]), isKnown: false,
      "('MT19937', 1, 624, 0, 0.0)"),
  ]

  // MARK: Python

  static let python = [
    Case(
      "a path of Python 3.12", .call(.global("pathlib", "PosixPath"), ["/", "a", "b.pt"]),
      "Path('/a/b.pt')"),
    Case(
      "a relative path of Python 3.12", .call(.global("pathlib", "PosixPath"), ["a", "b"]),
      "Path('a/b')"),
    Case(
      "a path of Python 3.13", .call(.global("pathlib._local", "PosixPath"), ["/a/b"]),
      "Path('/a/b')"),
    Case("the path of here", .call(.global("pathlib", "PosixPath"), []), "Path('')"),
    Case("the root", .call(.global("pathlib", "PosixPath"), ["/"]), "Path('/')"),
    Case(
      "a path with a quote", .call(.global("pathlib", "PurePosixPath"), ["it's"]),
      #"Path('it\'s')"#),
    Case(
      "a path of ints", .call(.global("pathlib", "PosixPath"), [1]), isKnown: false,
      "PosixPath(1)"),
    Case(
      "a Namespace", .built(.new(.global("argparse", "Namespace"), []), state: ["lr": 0.1]),
      "Namespace() {'lr': 0.1}"),
    Case(
      "an OrderedDict", .filled(.noHooks, pairs: ["a", 1]), "OrderedDict(){'a': 1}"),
    Case(
      "a defaultdict",
      .filled(
        .call(.global("collections", "defaultdict"), [.global("__builtin__", "list")]),
        pairs: ["a", []]), "defaultdict(builtins.list){'a': []}"),
    Case(
      "a Counter", .call(.global("collections", "Counter"), [["a": 2]]), "Counter({'a': 2})"),
    Case(
      "a deque", .filled(.call(.global("collections", "deque"), [.tuple([]), 3]), items: [1, 2]),
      "deque((), 3)[1, 2]"),
    Case(
      "a complex number", .call(.global("__builtin__", "complex"), [1.5, -2.0]), "(1.5-2.0j)"),
    Case(
      "a complex number of nothing", .call(.global("__builtin__", "complex"), [1]),
      isKnown: false, "complex(1)"),
    Case(
      "an object of another class", .built(.new(.global("m", "C"), [1]), state: .none),
      isKnown: false, "C(1)"),
  ]

  // MARK: PyTorch

  static let torch = [
    Case("a Size", .call(.global("torch", "Size"), [.ints([2, 3])]), "torch.Size([2, 3])"),
    Case(
      "a Size of strs", .call(.global("torch", "Size"), [.tuple(["2"])]), isKnown: false,
      "Size(('2',))"),
    Case("a device", .call(.global("torch", "device"), ["cpu"]), "device('cpu')"),
    Case(
      "a device with its index", .call(.global("torch", "device"), ["cuda", 1]),
      "device('cuda:1')"),
    Case("a dtype", .global("torch", "bfloat16"), "torch.bfloat16"),
    Case(
      "a dtype that is not known", .global("torch", "float7"), isKnown: false, "torch.float7"),
    Case(
      "a layout", .call(.global("torch.serialization", "_get_layout"), ["torch.sparse_coo"]),
      "torch.sparse_coo"),
  ]

  @Test("A known object is described in Python's words", arguments: numPy + dates + randomStates)
  func describeNumbers(_ test: Case) throws { try check(test) }

  @Test("Objects of Python's library and PyTorch are known by name", arguments: python + torch)
  func describeObjects(_ test: Case) throws { try check(test) }

  private func check(_ test: Case) throws {
    let graph = try PickleProgram(test.value.pickle()).load()
    #expect((graph.knownObject(graph.root) != nil) == test.isKnown)
    #expect(graph.description(of: graph.root) == test.text)
  }

  @Test("An OrderedDict of a module tells the metadata that was attached to it")
  func moduleMetadata() throws {
    let value = PickledValue.built(
      .filled(.noHooks, pairs: ["w", 1]),
      state: ["_metadata": .filled(.noHooks, pairs: ["", ["version": 1]])])
    let graph = try PickleProgram(value.pickle()).load()
    guard case .orderedDict(let metadata?) = graph.knownObject(graph.root) else {
      Issue.record("no metadata")
      return
    }
    #expect(graph.description(of: metadata) == "OrderedDict(){'': {'version': 1}}")
    let plain = try PickleProgram(PickledValue.noHooks.pickle()).load()
    guard case .orderedDict(nil) = plain.knownObject(plain.root) else {
      Issue.record("not an OrderedDict without metadata")
      return
    }
  }

  @Test("An array keeps its order of elements and its data")
  func arrayFacts() throws {
    let value = PickledValue.built(
      .call(.global("numpy.core.multiarray", "_reconstruct"), []),
      state: .tuple([1, .ints([2]), Self.dtype("u1", "|"), true, .bytes([8, 9])]))
    let graph = try PickleProgram(value.pickle()).load()
    guard case .numpyArray(let array) = graph.knownObject(graph.root) else {
      Issue.record("not an array")
      return
    }
    #expect(array.isFortranOrder)
    #expect(array.shape == [2])
    #expect(array.dtype.code == "u1")
    #expect(array.dtype.byteOrder == "|")
    #expect(graph.description(of: array.data) == #"b'\x08\t'"#)
  }

  @Test("Arrays within arrays are looked at one at a time, however deep they nest")
  func deepNesting() throws {
    // _reconstruct() with the state (1, (), <the array inside>, False, None), from inside out.
    let opening = Array("cnumpy.core.multiarray\n_reconstruct\n)R(K\u{1})".utf8)
    let closing = [0x89] + Array("Ntb".utf8)
    let graph = try nested(opening, closing).load()
    #expect(graph.knownObject(graph.root) == nil)
    #expect(graph.description(of: graph.root).count <= 200)
  }

  @Test("Random states within random states are looked at one at a time")
  func deepRandomState() throws {
    // ('M', <the tuple inside>, 0, 0, 0): each tuple could be the state of a generator.
    let opening = Array("(".utf8) + PickledValue.str("M").program
    let closing = Array("K\u{0}K\u{0}K\u{0}t".utf8)
    let graph = try nested(opening, closing).load()
    #expect(graph.knownObject(graph.root) == nil)
    #expect(graph.description(of: graph.root).hasPrefix("('M', ('M', ("))
  }

  /// None inside of 50,000 objects.
  private func nested(_ opening: [UInt8], _ closing: [UInt8]) -> PickleProgram {
    var program: [UInt8] = [0x80, 2]
    for _ in 0..<50_000 { program += opening }
    program.append(UInt8(ascii: "N"))
    for _ in 0..<50_000 { program += closing }
    return PickleProgram(program + [UInt8(ascii: ".")])
  }
}
