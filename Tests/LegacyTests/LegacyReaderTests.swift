import CkptBase
import CkptContainer
import CkptGraph
import CkptLegacy
import CkptTestSupport
import CkptTorch
import Testing

/// Files of `torch.save` before PyTorch 1.6, read.
struct LegacyReaderTests {
  private static func read(
    _ file: LegacyFile, droppingUnsafe: Bool = false
  ) throws -> Checkpoint {
    try read(file.bytes, droppingUnsafe: droppingUnsafe)
  }

  private static func read(_ bytes: [UInt8], droppingUnsafe: Bool = false) throws -> Checkpoint {
    try LegacyReader.read(
      MemorySource(bytes, name: "m.pt"), droppingUnsafe: droppingUnsafe)
  }

  private static func read(fixture name: String) throws -> Checkpoint {
    try LegacyReader.read(Fixture.open(name))
  }

  /// Four floats, and two tensors over them.
  private static let pair = LegacyFile(
    [
      "a": .tensor(.legacyStorage("FloatStorage", 4, key: "20"), [2, 2]),
      "b": .tensor(.legacyStorage("FloatStorage", 4, key: "20"), [2], strides: [2], offset: 1),
      "c": .tensor(.legacyStorage("HalfStorage", 3, key: "100"), [3]),
    ],
    [
      .init("100", count: 3, [1, 2, 3, 4, 5, 6]),
      .init("20", count: 4, Array(repeating: 7, count: 16)),
    ])

  @Test("Storages lie behind the pickles, in the order of their keys")
  func regions() throws {
    let checkpoint = try Self.read(Self.pair)
    let start = Self.pair.pickles.reduce(0) { $0 + $1.count }
    #expect(checkpoint.graph.storages.map(\.key) == ["20", "100"])
    #expect(
      checkpoint.graph.storages.map(\.region?.range) == [
        start + 22..<start + 38, start + 8..<start + 14,
      ])
    #expect(checkpoint.graph.tensors.map(\.shape) == [[2, 2], [2], [3]])
    #expect(checkpoint.graph.tensors.map(\.dtype) == [.float32, .float32, .float16])
    #expect(checkpoint.unusedRegions.isEmpty)
  }

  struct Spelling: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let magic: [UInt8]
    let version: [UInt8]
    let found: Int
  }

  static let spellings = [
    Spelling(
      testDescription: "protocol 0", magic: Array("L119547037146038801333356L\n.".utf8),
      version: Array("I1001\n.".utf8), found: 0),
    Spelling(
      testDescription: "protocol 1", magic: Array("L119547037146038801333356L\n.".utf8),
      version: Array("M\u{e9}".unicodeScalars.map { UInt8($0.value) }) + [3] + Array(".".utf8),
      found: 1),
  ]

  @Test("Protocols 0 and 1 are told by the spelling of the version", arguments: spellings)
  func textProtocols(_ test: Spelling) throws {
    var file = LegacyFile(.none)
    file.pickles =
      [test.magic, test.version] + [Array("N.".utf8), Array("N.".utf8), Array("(l.".utf8)]
    #expect(try Self.read(file).archive?.pickleProtocol == test.found)
  }

  @Test("Python's text of a tuple is the persistent id of protocol 0")
  func textID() throws {
    var file = LegacyFile(.none, [.init("7", count: 2, [1, 2])])
    file.pickles[3] =
      Array(
        """
        ctorch._utils
        _rebuild_tensor_v2
        (P('storage', <class 'torch.ByteStorage'>, '7', 'cuda:0', 2, None)
        I0
        (I2
        t(I1
        tI00
        ccollections
        OrderedDict
        (tRtR.
        """.utf8)
    let checkpoint = try Self.read(file)
    #expect(checkpoint.graph.tensors.map(\.shape) == [[2]])
    #expect(checkpoint.graph.storages.map(\.location) == ["cuda:0"])
  }

  @Test("A class with its source is the class")
  func classWithSource() throws {
    let net = PickledValue.global("net", "Net")
    let checkpoint = try Self.read(
      LegacyFile(
        .built(
          .new(.persistent(.tuple(["module", net, "/tmp/net.py", "class Net: pass\n"])), []),
          state: ["training": true])))
    #expect(
      checkpoint.graph.description(of: checkpoint.graph.root) == "Net() {'training': True}")
  }

  @Test("A class with its source is judged like any other")
  func dangerousClass() throws {
    let file = LegacyFile(
      .call(.persistent(.tuple(["module", .global("posix", "system"), "a", "b"])), ["ls"]))
    let error = #expect(throws: CheckpointError.self) { try Self.read(file) }
    #expect(error?.code == .forbidden)
    #expect(error?.path == ["m.pt", "pickle 4 of 5 (object)"])
    let rest = try Self.read(file, droppingUnsafe: true)
    #expect(rest.graph.description(of: rest.graph.root) == "None")
  }

  @Test("Every pickle is judged", arguments: 0..<5)
  func dangerousPickles(_ index: Int) throws {
    var file = Self.pair
    file.pickles[index] =
      PickledValue.operations(
        PickledValue.call(.global("posix", "system"), ["ls"]).program + Array("0".utf8)
      ).pickle().dropLast() + file.pickles[index].dropFirst(2)
    let error = #expect(throws: CheckpointError.self) { try Self.read(file) }
    #expect(error?.code == .forbidden)
    #expect(try Self.read(file, droppingUnsafe: true).graph.tensors.count == 3)
  }

  // MARK: Views

  @Test("A part of a storage is an offset into the whole")
  func views() throws {
    let view = PickledValue.legacyStorage(
      "FloatStorage", 6, key: "1", view: .tuple(["2", 2, 3]))
    let file = LegacyFile(
      ["a": .tensor(view, [2], offset: 1), "s": view],
      [.init("1", count: 6, Array(repeating: 0, count: 24))])
    let graph = try Self.read(file).graph
    #expect(graph.tensors.map(\.offset) == [3, 2])
    #expect(graph.tensors.map(\.shape) == [[2], [3]])
    #expect(graph.storages.map(\.byteCount) == [24])
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let message: String
    let file: @Sendable () -> LegacyFile

    init(_ name: String, _ message: String, _ file: @escaping @Sendable () -> LegacyFile) {
      (testDescription, self.message, self.file) = (name, message, file)
    }

    /// A tensor over a storage `0` of four floats, that a test has a look at.
    init(_ name: String, _ message: String, view: PickledValue, shape: [Int] = [1]) {
      self.init(name, message) {
        LegacyFile(
          .tensor(.legacyStorage("FloatStorage", 4, view: view), shape),
          [.init("0", count: 4, Array(repeating: 0, count: 16))])
      }
    }

    /// The pair of tensors, changed.
    init(
      _ name: String, _ message: String,
      changing change: @escaping @Sendable (inout LegacyFile) -> Void
    ) {
      self.init(name, message) {
        var file = pair
        change(&file)
        return file
      }
    }
  }

  static let refusals = [
    Refusal(
      "a view behind the end",
      "the view of storage '0' is ('v', 2, 3), which is no part of its 4 elements",
      view: .tuple(["v", 2, 3])),
    Refusal(
      "a view from a negative place",
      "the view of storage '0' is ('v', -1, 3), which is no part of its 4 elements",
      view: .tuple(["v", -1, 3])),
    Refusal(
      "a view that is no tuple",
      "the view of storage '0' is 'v', which is no part of its 4 elements",
      view: "v"),
    Refusal(
      "a tensor that leaves its view", "a tensor reaches element 3 of a storage that has 3",
      view: .tuple(["v", 1, 2]), shape: [3]),
    Refusal("another magic number", "found 5, expected the magic number of torch.save") {
      $0.pickles[0] = PickledValue.int(5).pickle()
    },
    Refusal("another version of the format", "found 1000, expected 1001") {
      $0.pickles[1] = PickledValue.int(1000).pickle()
    },
    Refusal("keys that are no list", "found {}, expected a list of the keys of storages") {
      $0.pickles[4] = PickledValue.dict([]).pickle()
    },
    Refusal("a key that is no str", "found 5, expected a list of the keys of storages") {
      $0.pickles[4] = PickledValue.list([5]).pickle()
    },
    Refusal("a key too many", "'9' is listed twice, or is no storage that the object speaks of") {
      $0.pickles[4] = PickledValue.list(["100", "20", "9"]).pickle()
    },
    Refusal("a key twice", "'20' is listed twice, or is no storage that the object speaks of") {
      $0.pickles[4] = PickledValue.list(["20", "20"]).pickle()
    },
    Refusal(
      "a key too few", "storage '20', which the object speaks of, is not among the 1 keys"
    ) { $0.pickles[4] = PickledValue.list(["100"]).pickle() },
    Refusal("another number of elements", "storage '20' has 5 elements, the object says 4") {
      $0.storages[1].count = 5
    },
    Refusal("a negative number of elements", "storage '20' has -1 elements, the object says 4") {
      $0.storages[1].count = -1
    },
    Refusal("storages in another order", "storage '100' has 4 elements, the object says 3") {
      $0.storages.swapAt(0, 1)
    },
    Refusal(
      "bytes behind the last storage",
      "3 bytes follow the last storage, and torch.load does not read them"
    ) { $0.storages[1].bytes += [1, 2, 3] },
    Refusal("an id that is no storage's", "a persistent id is not a storage: 5") {
      $0.pickles[3] = PickledValue.persistent(5).pickle()
    },
    Refusal("a header of many bytes", "it has 65548 bytes, more than 65536") {
      $0.pickles[2] = PickledValue.bytes(Array(repeating: 0, count: 65540)).pickle(protocol: 3)
    },
  ]

  @Test("A file that torch.load would not load is refused", arguments: refusals)
  func refuses(_ test: Refusal) throws {
    let error = #expect(throws: CheckpointError.self) { try Self.read(test.file()) }
    #expect(error?.message == test.message)
    #expect(error?.path.first == "m.pt")
  }

  // MARK: Truncation

  @Test("A file that ends too early tells which pickle is not complete")
  func cutPickles() throws {
    let names = [
      "magic number", "version of the format", "system information", "object", "storage keys",
    ]
    var start = 0
    for (index, pickle) in Self.pair.pickles.enumerated() {
      for count in [0, 1, pickle.count - 1] {
        let cut = Self.pair.bytes.prefix(start + count)
        let error = #expect(throws: CheckpointError.self) { try Self.read(Array(cut)) }
        #expect(error?.code == .truncated)
        #expect(error?.path == ["m.pt", "pickle \(index + 1) of 5 (\(names[index]))"])
        #expect(
          error?.message
            == (count == 0
              ? "the file is truncated before this pickle"
              : "the file is truncated inside this pickle, after \(count) bytes of it"))
      }
      start += pickle.count
    }
  }

  @Test("A file that ends too early tells which storage is not complete, and its whole size")
  func cutStorages() throws {
    let bytes = Self.pair.bytes
    let start = Self.pair.pickles.reduce(0) { $0 + $1.count }
    for count in start..<bytes.count {
      let storage = count < start + 14 ? "'100' (1 of 2)" : "'20' (2 of 2)"
      let error = #expect(throws: CheckpointError.self) { try Self.read(Array(bytes[..<count])) }
      #expect(
        error?.message
          == "this file is truncated: it has \(count) of \(bytes.count) bytes, "
          + "\(bytes.count - count) are missing; storage \(storage) is the first that is not complete"
      )
    }
  }

  @Test("A pickle that is longer than what is read at first is read whole")
  func longPickle() throws {
    let text = String(repeating: "x", count: 3 << 20)
    let file = LegacyFile(
      ["t": .str(text), "w": .tensor(.legacyStorage("ByteStorage", 1), [1])],
      [.init("0", count: 1, [9])])
    let checkpoint = try Self.read(file)
    #expect(checkpoint.graph.tensors.count == 1)
    #expect(checkpoint.graph.textByteCount > text.utf8.count)
  }

  // MARK: Others' files

  @Test(
    "Files of several PyTorches are read",
    arguments: ["1.6.0", "1.13.1", "2.4.1", "2.13.0"])
  func corpus(_ version: String) throws {
    let checkpoint = try Self.read(fixture: "torch-corpus/torch-\(version)/legacy.pt")
    #expect(checkpoint.container?.kind == "torch-legacy")
    #expect(
      checkpoint.archive?.records.prefix(5).map(\.name) == TorchArchiveDescription.legacyPickles)
    #expect(checkpoint.graph.storages.count == 4)
  }

  // MARK: Recognition

  @Test("The first object tells a file, however it is spelled")
  func recognizes() throws {
    func isLegacy(_ bytes: [UInt8]) throws -> Bool {
      var look = try SourceLook(at: MemorySource(bytes, name: "m"))
      return LegacyContainer().recognizesStart(of: &look)
    }
    let magic = LegacyFile.magicNumber
    #expect(try isLegacy(magic.pickle()))
    #expect(try isLegacy(PickledValue.operations(Array("N0".utf8) + magic.program).pickle()))
    #expect(try isLegacy(Array("I119547037146038801333356\n.".utf8)))
    #expect(try isLegacy(Array(magic.pickle().prefix(13))))
    #expect(try !isLegacy(Array(magic.pickle().prefix(3))))
    #expect(try !isLegacy(PickledValue.list([magic]).pickle()))
    #expect(try !isLegacy(PickledValue.int(5).pickle()))
    #expect(try !isLegacy([]))
  }

  @Test("An outline has all parts, and what keeps it from having more")
  func outline() throws {
    let bytes = Self.pair.bytes
    let whole = try LegacyOutline(of: MemorySource(bytes + [1], name: "m"))
    #expect(whole.fault == nil)
    #expect(whole.end == bytes.count)
    #expect(whole.parts.map(\.isPickle) == [true, true, true, true, true, false, false])
    #expect(whole.parts.map(\.name).suffix(2) == ["data/100", "data/20"])
    #expect(
      zip(whole.parts, whole.parts.dropFirst()).allSatisfy {
        $0.range.upperBound == $1.range.lowerBound
      })
    let cut = try LegacyOutline(of: MemorySource(Array(bytes.dropLast()), name: "m"))
    #expect(cut.fault?.code == .truncated)
    #expect(cut.parts.count == 6)
    var hostile = Self.pair
    hostile.pickles[3] = PickledValue.call(.global("posix", "system"), ["ls"]).pickle()
    let followed = try LegacyOutline(of: MemorySource(hostile.bytes, name: "m"))
    #expect(followed.parts.count == 5)
  }
}
