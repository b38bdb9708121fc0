import CkptBase
import CkptCompare
import CkptTestSupport
import Testing

@Suite("The files of two checkpoints are paired by their names")
struct FilePairingTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let first: [String]
    let second: [String]
    /// The names of the paired files.
    var pairs: [String] = []
    var differences: [String] = []
    /// The names of files that are not compared.
    var notCompared: [String] = []
  }

  static let cases = [
    Case(
      testDescription: "states in different formats", first: ["model.pt", "optim.pt", "train.pt"],
      second: ["model.safetensors", "optim.safetensors", "train.pt"],
      pairs: ["model.pt model.safetensors", "optim.pt optim.safetensors", "train.pt train.pt"]),
    Case(
      testDescription: "a state that one does not have", first: ["model.pt", "optim.pt"],
      second: ["model.pt", "train.pt"], pairs: ["model.pt model.pt"],
      differences: ["optim: missing: optim.pt / -", "train: extra: - / train.pt"]),
    Case(
      testDescription: "files that are compared as files",
      first: ["model.pt", "config.yaml", "notes.txt"],
      second: ["model.pt", "config.yaml", "more.txt"],
      pairs: ["model.pt model.pt", "= config.yaml config.yaml"],
      notCompared: ["notes.txt", "more.txt"]),
    Case(
      testDescription: "a configuration that one does not have", first: ["model.pt"],
      second: ["model.pt", "config.yaml"], pairs: ["model.pt model.pt"],
      differences: ["config.yaml: extra: - / config.yaml"]),
    Case(
      testDescription: "a state that is there twice", first: ["model.pt", "model.safetensors"],
      second: ["model.pt"], pairs: ["model.safetensors model.pt"], notCompared: ["model.pt"]),
    Case(
      testDescription: "names that Unicode calls equivalent",
      first: ["model.pt", "\u{e9}.txt"], second: ["model.pt", "e\u{301}.txt"],
      pairs: ["model.pt model.pt"], notCompared: ["\u{e9}.txt", "e\u{301}.txt"]),
  ]

  private static func directory(_ names: [String]) throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    for name in names { try directory.write([], to: name) }
    return directory
  }

  @Test("Two directories", arguments: cases)
  func directories(_ test: Case) throws {
    let (left, right) = (try Self.directory(test.first), try Self.directory(test.second))
    let pairing = try FilePairing(of: left.path, and: right.path)
    let pairs = pairing.pairs.map { pair in
      let names = [pair.first, pair.second].map { FilePath($0).name }.joined(separator: " ")
      return (pair.isCarried ? "= " : "") + names
    }
    #expect(pairs == test.pairs)
    #expect(pairing.differences.map(\.line) == test.differences)
    #expect(
      pairing.notCompared.map { Array($0.utf8.split(separator: UInt8(ascii: "/")).last ?? []) }
        == test.notCompared.map { Array("\($0)'".utf8) })
  }

  @Test("A file is compared with its part of a directory, on whichever side it is")
  func fileAndDirectory() throws {
    let directory = try Self.directory(["model.pt", "optim.pt"])
    let file = try Self.directory(["optim.bin"])
    let one = try FilePairing(of: directory.path, and: file / "optim.bin").pairs
    #expect(one.map(\.first) == [directory / "optim.pt"])
    #expect(one.map(\.second) == [file / "optim.bin"])
    let other = try FilePairing(of: file / "optim.bin", and: directory.path).pairs
    #expect(other.map(\.first) == [file / "optim.bin"])
    #expect(other.map(\.second) == [directory / "optim.pt"])
  }

  @Test("A file of another name has no part of a directory with several")
  func ambiguous() throws {
    let directory = try Self.directory(["model.pt", "optim.pt"])
    let file = try Self.directory(["other.pt"])
    let error = #expect(throws: CheckpointError.self) {
      try FilePairing(of: directory.path, and: file / "other.pt")
    }
    #expect(error?.code == .unsupported)
    let alone = try Self.directory(["model.pt"])
    #expect(try FilePairing(of: alone.path, and: file / "other.pt").pairs.count == 1)
  }

  @Test("Nothing, and a directory without a checkpoint, are errors")
  func nothing() throws {
    let directory = try Self.directory(["notes.txt"])
    let missing = #expect(throws: CheckpointError.self) {
      try FilePairing(of: directory / "none", and: directory / "none")
    }
    #expect(missing?.code == .inputOutput)
    let empty = #expect(throws: CheckpointError.self) {
      try FilePairing(of: directory.path, and: directory.path)
    }
    #expect(empty?.code == .unsupported)
  }

  // MARK: Files byte by byte

  struct FileCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let first: String
    let second: String
    var found: [String] = []
  }

  static let files = [
    FileCase(testDescription: "the same bytes", first: "a: 1\n", second: "a: 1\n"),
    FileCase(testDescription: "nothing", first: "", second: ""),
    FileCase(
      testDescription: "a byte", first: "a: 1\n", second: "a: 2\n",
      found: ["config.yaml: bytes: byte 3 is 0x31 / 0x32"]),
    FileCase(
      testDescription: "several bytes", first: "a: 1\n", second: "b: 2\n",
      found: ["config.yaml: bytes: byte 0 is 0x61 / 0x62; 2 bytes differ"]),
    FileCase(
      testDescription: "lengths", first: "a: 1\n", second: "a: 1",
      found: ["config.yaml: length: 5 bytes / 4 bytes"]),
  ]

  @Test("Other files are compared byte by byte", arguments: files)
  func bytes(_ test: FileCase) throws {
    let (left, right) = (try Self.directory(["model.pt"]), try Self.directory(["model.pt"]))
    try left.write(Array(test.first.utf8), to: "config.yaml")
    try right.write(Array(test.second.utf8), to: "config.yaml")
    let pairs = try FilePairing(of: left.path, and: right.path).pairs
    let finding = try VerifyFinding(of: try #require(pairs.last))
    #expect(finding.scope == .bytes)
    #expect(finding.byteCount == test.first.utf8.count)
    #expect(finding.differences.map(\.line) == test.found)
    #expect(finding.isSame == test.found.isEmpty)
  }
}
