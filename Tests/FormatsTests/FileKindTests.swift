import CkptBase
import CkptFormats
import CkptTestSupport
import Testing

@Suite("File kinds")
struct FileKindTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let kind: FileKind
    var testDescription: String { name }

    init(_ name: String, _ bytes: [UInt8], _ kind: FileKind) {
      self.name = name
      self.bytes = bytes
      self.kind = kind
    }

    init(_ name: String, text: String, _ kind: FileKind) {
      self.init(name, Array(text.utf8), kind)
    }
  }

  private static let archive = ZipBuilder.torch(pickle: [0x80, 2, 0x2e], storages: [[1, 2]]).bytes()
  private static let legacyMagic: [UInt8] = [
    0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
  ]
  private static let tar: [UInt8] =
    Array("model.pt".utf8) + [UInt8](repeating: 0, count: 249) + Array("ustar".utf8)
    + [UInt8](repeating: 0, count: 250)
  private static let sha256 = String(repeating: "0123456789abcdef", count: 4)

  static let readable = [
    Case("a torch.save archive", archive, .zip),
    Case("an archive without entries", ZipBuilder([]).bytes().suffix(22), .zip),
    Case("an archive behind other bytes", Array("hello\n".utf8) + archive, .zip),
    Case("an archive behind zeros", [UInt8](repeating: 0, count: 5000) + archive, .zip),
    Case("an archive and a little more", archive + [0, 0, 0], .zip),
    Case("the legacy format, protocol 2", [0x80, 2] + legacyMagic, .legacyTorch),
    Case(
      "the legacy format, protocol 4", [0x80, 4, 0x95, 13, 0, 0, 0, 0, 0, 0, 0] + legacyMagic,
      .legacyTorch),
    Case("the legacy format, protocol 0", text: "L119547037146038801333356L\n.", .legacyTorch),
    Case("safetensors", [2, 0, 0, 0, 0, 0, 0, 0] + "{}".utf8, .safetensors),
    Case("safetensors cut short", [0xff, 0xff, 1, 0, 0, 0, 0, 0] + "{\"a\"".utf8, .safetensors),
  ]

  static let unreadable = [
    Case("half an archive", Array(archive.prefix(archive.count / 2)), .truncatedZip),
    Case("an archive without its last byte", archive.dropLast(), .truncatedZip),
    Case("a pickle of protocol 2", [0x80, 2, 0x7d, 0x2e], .pickle),
    Case("a pickle of protocol 5", [0x80, 5, 0x95, 2, 0, 0, 0, 0, 0, 0, 0, 0x7d, 0x2e], .pickle),
    Case("a pickle cut after its protocol", [0x80, 4, 0x95], .pickle),
    Case("a pickle of protocol 0", text: "(dp0\n.", .pickle),
    Case("a class in a pickle of protocol 0", text: "ccopy_reg\n_reconstructor\np0\n.", .pickle),
    Case("tar", tar, .tar),
    Case("gzip", [0x1f, 0x8b, 8, 0], .compressed(format: "gzip", opener: "gunzip")),
    Case(
      "Zstandard", [0x28, 0xb5, 0x2f, 0xfd], .compressed(format: "Zstandard", opener: "unzstd")),
    Case("xz", [0xfd] + "7zXZ\0".utf8, .compressed(format: "xz", opener: "unxz")),
    Case("bzip2", text: "BZh91AY&SY", .compressed(format: "bzip2", opener: "bunzip2")),
    Case(
      "7z", Array("7z".utf8) + [0xbc, 0xaf, 0x27, 0x1c], .compressed(format: "7z", opener: "7z x")),
    Case("HDF5", [0x89] + "HDF\r\n\u{1a}\n".utf8, .foreign(.hdf5)),
    Case("GGUF", Array("GGUF".utf8) + [3, 0, 0, 0], .foreign(.gguf)),
    Case("GGUF before its name", text: "tjgg\u{3}\0\0\0", .foreign(.gguf)),
    Case("a NumPy array", [0x93] + "NUMPY".utf8 + [1, 0], .foreign(.numPy)),
    Case("MATLAB", text: "MATLAB 5.0 MAT-file, Platform: GLNX86", .foreign(.matLab)),
    Case("TensorFlow Lite", [0x1c, 0, 0, 0] + "TFL3".utf8, .foreign(.tensorFlowLite)),
    Case(
      "an object of Torch 7",
      [4, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0] + "V 1\u{11}\0\0\0".utf8, .foreign(.torch7)),
    Case(
      "a table of Torch 7",
      [3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0] + "epoch".utf8,
      .foreign(.torch7)),
    Case(
      "an object of Torch 7 as text", text: "4\n1\n3\nV 1\n13\nnn.Sequential\n",
      .foreign(.torch7)),
    Case(
      "ONNX",
      [8, 7, 0x12, 7] + "pytorch".utf8 + [0x1a, 5] + "2.0.0".utf8 + [0x3a, 0xff, 0x7f, 0x0a],
      .foreign(.onnx)),
    Case("ONNX without its producer", [8, 4, 0x3a, 0x80, 1, 0x0a, 2], .foreign(.onnx)),
    Case(
      "a version and a name without a graph", [8, 7, 0x12, 7] + "pytorch".utf8,
      .unknown(leading: [8, 7, 0x12, 7] + "pyto".utf8)),
    Case(
      "a graph of TensorFlow", [0x0a, 0x3e, 0x0a, 1] + "x".utf8 + [0x12, 11] + "Placeholder".utf8,
      .foreign(.tensorFlow)),
    Case(
      "a saved model of TensorFlow", [8, 1, 0x12, 0x80, 1, 0x0a, 0x70, 0x12, 5],
      .foreign(.tensorFlow)),
    Case("NeMo", TarFile([("./model_config.yaml", [])]).bytes, .foreign(.neMo)),
    Case("an HTML page", text: "<!DOCTYPE html>\n<html><body>Not found</body></html>", .html),
    Case("HTML behind spaces and a comment", text: "\n <!-- x --><HTML>", .html),
    Case("HTML behind a byte order mark", [0xef, 0xbb, 0xbf] + "<html>".utf8, .html),
    Case("XHTML", text: "<?xml version=\"1.0\"?><html>", .html),
    Case(
      "an error of S3",
      text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code></Error>",
      .storageError(code: "NoSuchKey")),
    Case("an error without a code", text: "<Error></Error>", .storageError(code: nil)),
    Case(
      "an error whose code is not a word", text: "<Error><Code>\u{9b}2J</Code></Error>",
      .storageError(code: nil)),
    Case("other XML", text: "<?xml version=\"1.0\"?><svg/>", .text),
    Case(
      "a git-lfs pointer",
      text: "version https://git-lfs.github.com/spec/v1\noid sha256:\(sha256)\nsize 12345\n",
      .gitLFSPointer(GitLFSPointer(sha256: sha256, byteCount: 12345))),
    Case(
      "a git-lfs pointer with an extension",
      text: """
        version https://git-lfs.github.com/spec/v1
        ext-0-x sha256:\(sha256)
        oid sha256:\(sha256)
        size 1

        """, .gitLFSPointer(GitLFSPointer(sha256: sha256, byteCount: 1))),
    Case(
      "a damaged git-lfs pointer",
      text: "version https://git-lfs.github.com/spec/v1\noid sha256:\(sha256)\n", .text),
    Case("JSON", text: " {\"metadata\": {}}", .json),
    Case("a JSON list", text: "[1]", .json),
    Case("YAML", text: "model:\n  d_model: 64\n", .text),
    Case(
      "text with a character on the edge of what is looked at",
      [0x20] + [UInt8]("é".utf8) + [UInt8](repeating: 0x61, count: 4092) + "é!".utf8, .text),
    Case(
      "a program that contains the mark of an archive's end",
      [0xa7] + "PK\u{5}\u{6}".utf8 + [UInt8](repeating: 0x29, count: 40),
      .unknown(leading: [0xa7] + "PK\u{5}\u{6})))".utf8)),
    Case("no bytes", [], .empty),
    Case("zeros", [UInt8](repeating: 0, count: 100), .zeros(count: 100)),
    Case("many zeros", [UInt8](repeating: 0, count: 70_000), .zeros(count: 4096)),
    Case(
      "noise", [0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3, 4],
      .unknown(leading: [
        0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3,
      ])),
    Case(
      "text with a control character", text: "a\u{1b}[2J",
      .unknown(leading: Array("a\u{1b}[2J".utf8))),
    Case(
      "a brace behind an impossible header length",
      [UInt8](repeating: 0xff, count: 8) + "{".utf8,
      .unknown(leading: [UInt8](repeating: 0xff, count: 8))),
  ]

  @Test("A readable file is told by its content", arguments: readable)
  func reads(_ test: Case) throws {
    let kind = try FileKind.sniff(TemporaryFile.holding(test.bytes))
    #expect(kind == test.kind)
    #expect(kind.problem == nil)
  }

  @Test("A wrong file is told by its content, with what to do about it", arguments: unreadable)
  func refuses(_ test: Case) throws {
    let kind = try FileKind.sniff(TemporaryFile.holding(test.bytes))
    #expect(kind == test.kind)
    let problem = try #require(kind.problem)
    let isTruncated =
      switch kind {
      case .truncatedZip, .empty, .zeros: true
      default: false
      }
    #expect(problem.code == (isTruncated ? .truncated : .unsupported))
    if case .unknown = kind { return }
    #expect(problem.remedy != nil)
  }

  @Test("The sentence for a git-lfs pointer tells the size of the file, and how to get it")
  func pointerSentence() {
    let pointer = GitLFSPointer(sha256: Self.sha256, byteCount: 12345)
    let problem = FileKind.gitLFSPointer(pointer).problem
    #expect(
      problem?.message == "this is a git-lfs pointer to a file of 12.3 kB, not the file")
    #expect(problem?.remedy == "run 'git lfs pull' in the repository")
  }

  @Test("The advice for a truncated archive explains a file of the right size")
  func truncationSentence() {
    let problem = FileKind.truncatedZip.problem
    #expect(problem?.message == "this ZIP archive is truncated: its table of contents is missing")
    #expect(problem?.remedy?.text?.contains("if its size is right already") == true)
  }

  @Test("The sentence for an unknown file shows its first bytes")
  func unknownSentence() {
    #expect(
      FileKind.unknown(leading: [0xde, 0x0a]).problem?.message
        == "this is neither a file of torch.save nor safetensors: it starts with de 0a")
  }

  @Test("Any few bytes are told without a trap")
  func shortFiles() throws {
    var generator = SeededGenerator(seed: 0x5eed_0002)
    for count in 0..<600 {
      let start = Self.unreadable.randomElement(using: &generator)?.bytes ?? []
      let rest = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      let bytes = Array((start.prefix(count / 2) + rest).prefix(count))
      let kind = try FileKind.sniff(TemporaryFile.holding(bytes))
      #expect((kind == .empty) == bytes.isEmpty)
    }
  }
}
