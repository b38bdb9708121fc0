import CkptBase
import CkptHostileSupport
import CkptJSON
import CkptTestSupport
import Glibc
import Testing

/// Files that repeat a few bytes to make readers do, or keep, as much for each as for the whole file.
///
/// Refused files are refused at once; the others cost as much as a regular file.
@Suite("Files made to exhaust their readers", .serialized)
struct ExhaustionTests {
  struct Case: Sendable {
    let name: String
    /// The code that it is refused with; `nil` for a file that means what it says.
    var code: CheckpointError.Code?
    /// Makes a file of some number of bytes.
    let file: @Sendable (Int) -> [UInt8]
  }

  static let cases = pickles + tensors + names + containers + legacy

  @Test(
    "Work and memory stay in proportion to the file", arguments: cases.indices,
    Thoroughness.exhaustionByteCounts)
  func survives(_ index: Int, _ byteCount: Int) async {
    await #expect(processExitsWith: .success) {
      [index = index as Int, byteCount = byteCount as Int] in
      let test = ExhaustionTests.cases[index]
      let outcome = try Exhaustion.survive(test.file(byteCount))
      let expected = test.code.map { HostileFile.Outcome.refused($0) } ?? .survived
      guard outcome == expected else {
        throw HostileFile.Violation("\(test.name): \(outcome)")
      }
    }
  }

  /// The directory that `make ceilings` writes to.
  private static let folder = getenv("CKPTCONV_EXHAUSTION").map { String(cString: $0) }

  @Test("The files are written for `make ceilings`", .enabled(if: folder != nil))
  func writes() throws {
    for (index, test) in Self.cases.enumerated() {
      for size in [40_000, 4_000_000] {
        let path = "\(Self.folder ?? "")/\(index)-\(size)"
        guard let file = fopen(path, "w") else { throw HostileFile.Violation("no \(path)") }
        let bytes = test.file(size)
        #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
        fclose(file)
      }
    }
  }

  /// A pickle that puts a beginning into the memo and repeats operations on it.
  private static func pickle(
    _ name: String, _ code: CheckpointError.Code? = nil,
    end: String = "e", start: @escaping @Sendable (inout PickleProgram) -> Void,
    repeated: @escaping @Sendable (inout PickleProgram, Int) -> Void
  ) -> Case {
    Case(name: name, code: code) { size in
      var program = PickleProgram(size: size)
      start(&program)
      if end == "e" { program.add("](") }
      if end == "u" { program.add("}(") }
      program.fill(repeated)
      program.add(end)
      return program.archive()
    }
  }

  // MARK: Pickles

  private static let pickles = [
    pickle("calls whose results are thrown away") {
      $0.global("collections", "OrderedDict", 0)
    } repeated: { program, _ in
      program.add("h\0)R0")
    },
    pickle("a chain of getattr", .forbidden) {
      $0.global("builtins", "getattr", 0)
      $0.global("numpy", "dtype", 1)
      $0.text("name")
      $0.put(2)
    } repeated: { program, _ in
      program.add("h\0h\u{1}h\u{2}")
      program.add([0x86])
      program.add("Rq\u{1}")
    },
    pickle("keys that differ behind the part that is hashed", end: "u") {
      $0.add("(")
      for _ in 0..<600 { $0.add("K\u{1}") }
      $0.add("tq\0")
    } repeated: { program, number in
      program.int(number)
      program.add("h\0")
      program.add([0x86])
      program.add("N")
    },
    pickle("keys that are one text cut in different places", end: "u") {
      for length in 0..<64 {
        $0.text(String(repeating: "a", count: length))
        $0.put(UInt8(length))
        $0.add("0")
      }
      $0.add("N")
    } repeated: { program, number in
      let cuts = [number % 21, number / 21 % 21, number / 441 % 21]
      program.add("(")
      for length in cuts + [63 - cuts.reduce(0, +)] { program.get(UInt8(length)) }
      program.add("tN")
    },
    pickle("a text encoded again and again") {
      $0.global("_codecs", "encode", 0)
      $0.text("latin1")
      $0.put(1)
      $0.text(String(repeating: "a", count: $0.size / 2))
      $0.put(2)
    } repeated: { program, _ in
      program.add("h\0h\u{2}h\u{1}")
      program.add([0x86])
      program.add("R")
    },
    pickle("a list made a set again and again") {
      $0.global("builtins", "set", 0)
      $0.add("](")
      for number in 0..<20_000 { $0.int(number) }
      $0.add("eq\u{1}")
    } repeated: { program, _ in
      program.add("h\0h\u{1}")
      program.add([0x85])
      program.add("R")
    },
    pickle("a module with a long name, named again and again", .limitExceeded) {
      $0.text(String(repeating: "m", count: $0.size / 2))
      $0.put(0)
      $0.text("n")
      $0.put(1)
    } repeated: { program, _ in
      program.add("h\0h\u{1}")
      program.add([0x93])
    },
    pickle("a name with hundreds of dots") {
      $0.text(String(repeating: "m.", count: 500))
      $0.put(0)
      $0.text(String(repeating: "n.", count: 500))
      $0.put(1)
    } repeated: { program, _ in
      program.add("h\0h\u{1}")
      program.add([0x93])
    },
    pickle("lists that are filled in turns") {
      $0.add("]q\0]q\u{1}")
    } repeated: { program, _ in
      program.add("h\0NaN0h\u{1}Na0")
    },
    pickle("tuples that double", end: "") {
      $0.add(")")
    } repeated: { program, _ in
      program.add("2")
      program.add([0x86])
    },
    pickle("a long int shown again and again", .limitExceeded, end: "u") {
      $0.add([0x8b])
      $0.add(littleEndian(Int32($0.size / 2)))
      $0.add([UInt8](repeating: 0x55, count: $0.size / 2))
      $0.put(0)
    } repeated: { program, number in
      program.int(number)
      program.add("h\0")
    },
    pickle("a path with a long part shown again and again", end: "u") {
      $0.global("pathlib", "PosixPath", 0)
      $0.text(String(repeating: "p", count: $0.size / 2))
      $0.add([0x85])
      $0.put(1)
    } repeated: { program, number in
      program.int(number)
      program.add("h\0h\u{1}R")
    },
    pickle("memo places beyond the pickle", end: "") {
      $0.add("N")
    } repeated: { program, number in
      program.add("r")
      program.add(littleEndian(UInt32.max - UInt32(number)))
    },
  ]

  // MARK: Tensors

  /// Puts the parts of a tensor's call into places 0 to 5 of the memo: function, storage class,
  /// `'storage'`, key, device, hooks.
  private static func tensorParts(_ program: inout PickleProgram) {
    program.global("torch._utils", "_rebuild_tensor_v2", 0)
    program.global("torch", "ByteStorage", 1)
    for (place, text) in ["storage", "0", "cpu"].enumerated() {
      program.text(text)
      program.put(UInt8(place + 2))
    }
    program.global("collections", "OrderedDict", 5)
  }

  /// A tensor of a storage of 64 bytes, whose shape and strides are in places 6 and 7.
  private static func tensor(_ program: inout PickleProgram) {
    program.add("h\0((h\u{2}h\u{1}h\u{3}h\u{4}K\u{40}tQK\0h\u{6}h\u{7}")
    program.add([0x89])
    program.add("h\u{5})RtR")
  }

  private static let tensors = [
    pickle("shapes of a thousand dimensions", .limitExceeded) {
      tensorParts(&$0)
      for place in [6, 7] as [UInt8] {
        $0.add("(" + String(repeating: "K\u{1}", count: 1000) + "t")
        $0.put(place)
      }
    } repeated: { program, _ in
      tensor(&program)
    },
    pickle("tensors that reach every other byte") {
      tensorParts(&$0)
      $0.int(32)
      $0.add([0x85])
      $0.put(6)
      $0.int(2)
      $0.add([0x85])
      $0.put(7)
    } repeated: { program, _ in
      tensor(&program)
    },
    pickle("an unknown function with thousands of arguments") {
      $0.global("torch._utils", "_unknown", 0)
      $0.add("(" + String(repeating: "K\u{1}", count: $0.size / 4) + "tq\u{1}")
    } repeated: { program, _ in
      program.add("h\0h\u{1}R")
    },
    pickle("a tensor subclass with thousands of arguments") {
      $0.global("torch._tensor", "_rebuild_from_type_v2", 0)
      $0.global("torch", "unknown", 1)
      $0.add("(" + String(repeating: "K\u{1}", count: $0.size / 4) + "tq\u{2}")
    } repeated: { program, _ in
      program.add("h\0(h\u{1}h\u{1}h\u{2}NtR")
    },
    pickle("petabytes of one byte, many times", .limitExceeded) {
      tensorParts(&$0)
      $0.int(1 << 62)
      $0.add([0x85])
      $0.put(6)
      $0.int(0)
      $0.add([0x85])
      $0.put(7)
    } repeated: { program, _ in
      tensor(&program)
    },
  ]

  // MARK: Names

  private static let names = [
    pickle("a long name above many tensors", .limitExceeded, end: "us") {
      tensorParts(&$0)
      for place in [6, 7] as [UInt8] {
        $0.add("K\u{1}")
        $0.add([0x85])
        $0.put(place)
      }
      tensor(&$0)
      $0.put(8)
      $0.add("}")
      $0.text(String(repeating: "n", count: $0.size / 2))
      $0.add("}(")
    } repeated: { program, number in
      program.int(number)
      program.add("h\u{8}")
    },
    Case(name: "a name that leads through one long key a thousand times", code: .limitExceeded) {
      size in
      var key = PickleProgram()
      key.text(String(repeating: "k", count: size))
      key.add("q\0" + "0(" + String(repeating: "h\0", count: 990))
      key.add("t")
      key.add([0x89, 0x86])
      return olmo(key)
    },
    Case(name: "a name that leads through a thousand tuples of one long key", code: .limitExceeded)
    { size in
      var key = PickleProgram()
      key.text(String(repeating: "k", count: size))
      key.add("q\0" + "0(")
      for _ in 0..<990 {
        key.add("h\0")
        key.add([0x85])
      }
      key.add("t")
      key.add([0x89, 0x86])
      return olmo(key)
    },
  ]

  /// A file in OLMo's layout with one empty tensor, whose name is the base64 of a pickle.
  private static func olmo(_ key: PickleProgram) -> [UInt8] {
    let name = Base64.encode(key.bytes + Array(".".utf8), .urlSafe)
    let header = #"{"\#(name)":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#
    return SafetensorsFile(header).bytes
  }

  // MARK: Containers

  private static let containers = [
    Case(name: "hundreds of thousands of lists inside one another") { _ in
      var program = PickleProgram()
      program.add(String(repeating: "]", count: 300_000))
      program.add(String(repeating: "a", count: 299_999))
      return program.archive()
    },
    Case(name: "hundreds of thousands of tuples inside one another") { _ in
      var program = PickleProgram()
      program.add(")")
      program.add([UInt8](repeating: 0x85, count: 300_000))
      return program.archive()
    },
    Case(name: "a pickle that is nothing but zeros once it is decompressed", code: .limitExceeded) {
      _ in
      let runs = 1_000_000
      let stream = Deflate.zeros(runs: runs)
      var record = ZipBuilder.Record("archive/data.pkl", [])
      record.stored = stream
      record.method = 8
      record.byteCount = 258 * runs + 1
      record.crc32 = 1
      return ZipBuilder([record]).bytes()
    },
  ]

  // MARK: Legacy files

  private static let legacy = [
    Case(name: "many storages of no bytes") { size in
      let keys = (0..<size / 120).map(String.init)
      let storages = keys.map { PickledValue.legacyStorage("ByteStorage", 0, key: .str($0)) }
      return LegacyFile(.list(storages), keys.map { .init($0, count: 0, []) }).bytes
    },
    Case(name: "many parts of one storage") { size in
      let views = (0..<size / 130).map { number in
        PickledValue.legacyStorage("ByteStorage", 2, view: .tuple([.int(number), 1, 1]))
      }
      return LegacyFile(.list(views), [.init("0", count: 2, [1, 2])]).bytes
    },
    Case(name: "many ids as text") { size in
      let id = "P('storage', <class 'torch.ByteStorage'>, '0', 'cpu', 2, None)\n"
      let ids = String(repeating: id, count: size / id.utf8.count)
      return LegacyFile(
        .operations(Array("](".utf8) + Array(ids.utf8) + Array("e".utf8)),
        [.init("0", count: 2, [1, 2])]
      ).bytes
    },
    Case(name: "many classes with one long source") { size in
      let id = PickledValue.persistent(.tuple(["module", .memo(0), .memo(1), .memo(1)])).program
      let source = PickledValue.str(String(repeating: "x", count: size / 2))
      var file = LegacyFile(.none)
      file.pickles[3] =
        PickledValue.operations(
          PickledValue.memoized(0, .global("net", "Net")).program + Array("0".utf8)
            + PickledValue.memoized(1, source).program + Array("0](".utf8)
            + (0..<size / 2 / id.count).flatMap { _ in id } + Array("e".utf8)
        ).pickle()
      return file.bytes
    },
    Case(name: "a long pickle that is cut off", code: .truncated) { size in
      let file = LegacyFile(.list((0..<size / 5).map { .int($0) }))
      return Array(file.pickles.prefix(4).flatMap { $0 }.dropLast(2))
    },
  ]
}
