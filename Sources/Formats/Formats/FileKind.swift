package import CkptBase
package import CkptContainer
internal import CkptLegacy
internal import CkptSafetensors
internal import CkptTorch

/// The kind of a file.
///
/// The content decides it; names and suffixes mean nothing.
package enum FileKind: Hashable, Sendable {
  /// A checkpoint of a registered kind, perhaps damaged.
  case container(KnownContainer)

  /// A ZIP archive whose end is missing.
  case truncatedZip
  /// A pickle that `torch.save` did not write.
  case pickle
  /// A tar archive.
  case tar
  /// A compressed file or another archive, with its format and a program that opens it.
  case compressed(format: String, opener: String)
  /// A tensor file of another program.
  case foreign(ForeignFormat)
  /// A web page.
  case html
  /// The error message of an object store, with its code if there is one.
  case storageError(code: String?)
  /// A git-lfs pointer in place of the file.
  case gitLFSPointer(GitLFSPointer)
  /// JSON text.
  case json
  /// Other text, such as YAML.
  case text
  /// No bytes at all.
  case empty
  /// Zero bytes, with the number of bytes that were read.
  case zeros(count: Int)
  /// Another file, with its first bytes.
  case unknown(leading: [UInt8])
}

extension FileKind {
  /// A ZIP archive.
  ///
  /// Its entries tell whether `torch.save` wrote it.
  package static let zip = FileKind.container(.init(TorchArchiveContainer()))
  /// The sequence of pickles that `torch.save` wrote before PyTorch 1.6.
  package static let legacyTorch = FileKind.container(.init(LegacyContainer()))
  /// The tar archive of PyTorch 0.1.
  package static let torchTar = FileKind.container(.init(TorchTarContainer()))
  /// A safetensors file.
  package static let safetensors = FileKind.container(.init(SafetensorsContainer()))

  /// The format of a checkpoint in one file, even a truncated one; `nil` for other files.
  package var format: CheckpointFormat? {
    switch self {
    case .container(let known): known.container.format
    case .truncatedZip: .torch
    default: nil
    }
  }

  /// Recognizes a source.
  ///
  /// - Throws: `inputOutput` if it cannot be read.
  package static func sniff(_ source: any ByteSource) throws(CheckpointError) -> FileKind {
    var look = try SourceLook(at: source)
    return try sniff(&look)
  }

  /// Recognizes a source by its first bytes, or by its end if they do not tell.
  ///
  /// - Throws: `inputOutput` if it cannot be read.
  package static func sniff(_ look: inout SourceLook) throws(CheckpointError) -> FileKind {
    let head = look.head
    guard !head.isEmpty else { return .empty }
    if let magic = magics.first(where: { head.starts(with: $0.bytes) }) { return magic.kind }
    for container in Containers.files where try container.recognizesStart(of: &look) {
      return .container(.init(container))
    }
    if look.beginsLikeArchive { return .truncatedZip }
    if TarArchive.begins(head) { return try isNeMo(look.source) ? .foreign(.neMo) : .tar }
    if let format = ForeignFormat.sniff(head) { return .foreign(format) }
    if isPickle(head) { return .pickle }
    for container in Containers.files where try container.recognizesEnd(of: &look) {
      return .container(.init(container))
    }
    if head.allSatisfy({ $0 == 0 }) { return .zeros(count: head.count) }
    guard let text = text(of: head, isWhole: head.count == look.source.byteCount) else {
      return .unknown(leading: Array(head.prefix(8)))
    }
    return markup(text) ?? plain(text)
  }

  /// The formats with a magic number at the start.
  private static let magics: [(bytes: [UInt8], kind: FileKind)] =
    [
      ([0x1f, 0x8b], .compressed(format: "gzip", opener: "gunzip")),
      ([0x28, 0xb5, 0x2f, 0xfd], .compressed(format: "Zstandard", opener: "unzstd")),
      ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], .compressed(format: "xz", opener: "unxz")),
      ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], .compressed(format: "7z", opener: "7z x")),
    ]
    + (1...9).map {
      (Array("BZh\($0)1AY&SY".utf8), .compressed(format: "bzip2", opener: "bunzip2"))
    }

  /// Whether a tar archive is a model of NeMo, by one of the files in it (`nemo/core/connectors`).
  private static func isNeMo(_ source: any ByteSource) throws(CheckpointError) -> Bool {
    let archive = try TarArchive(reading: source, limit: 64)
    return ["model_config.yaml", "model_weights.ckpt"].contains { archive.file(named: $0) != nil }
  }

  /// Whether the file is a pickle, by the PROTO opcode of protocol 2 and later or by a common
  /// beginning of protocol 0.
  private static func isPickle(_ head: [UInt8]) -> Bool {
    if head.count >= 2, head[0] == 0x80, (2...5).contains(head[1]) { return true }
    let starts = ["(dp", "(lp", "(ip", "ccopy_reg\n", "c__builtin__\n", "ccollections\n"]
    return starts.contains { head.starts(with: $0.utf8) }
  }

  /// Decodes `head` as text; `nil` if it has control characters or is not UTF-8.
  private static func text(of head: [UInt8], isWhole: Bool) -> String? {
    var bytes = head[...]
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes = bytes.dropFirst(3) }
    if !isWhole, let last = bytes.suffix(4).lastIndex(where: { $0 & 0xc0 != 0x80 }) {
      // The head can end inside a character.
      bytes = bytes[..<last]
    }
    let spaces: [UInt8] = [0x09, 0x0a, 0x0c, 0x0d]
    guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || spaces.contains($0) }) else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }

  /// Recognizes a web page, or the error message of an object store.
  private static func markup(_ text: String) -> FileKind? {
    let lower = text.lowercased().drop(while: \.isWhitespace)
    guard lower.first == "<" else { return nil }
    let marks = ["<html", "<!doctype html", "<head", "<body"]
    if marks.contains(where: { lower.offset(of: $0) != nil }) { return .html }
    guard lower.offset(of: "<error>") != nil else { return nil }
    let code = text.between("<Code>", "</Code>")
    return .storageError(code: code.flatMap { $0.allSatisfy(\.isLetter) ? $0 : nil })
  }

  private static func plain(_ text: String) -> FileKind {
    if let pointer = GitLFSPointer(text) { return .gitLFSPointer(pointer) }
    let first = text.first { !$0.isWhitespace }
    return first == "{" || first == "[" ? .json : .text
  }
}

extension StringProtocol {
  /// Returns the first offset of `part`, in bytes.
  fileprivate func offset(of part: String) -> Int? {
    let (bytes, part) = (Array(utf8), Array(part.utf8))
    return bytes.indices.first { bytes[$0...].starts(with: part) }
  }

  /// Returns the text between two marks.
  fileprivate func between(_ start: String, _ end: String) -> String? {
    guard let from = offset(of: start) else { return nil }
    let rest = String(decoding: utf8.dropFirst(from + start.utf8.count), as: UTF8.self)
    return rest.offset(of: end).map { String(decoding: rest.utf8.prefix($0), as: UTF8.self) }
  }
}

extension FileKind {
  /// The reason why a file of this kind cannot be read, with a remedy; `nil` for readable kinds.
  package var problem: CheckpointError? {
    if case .container = self { return nil }
    return problem(insteadOf: "checkpoint")
  }

  /// Returns the same error for a file that should be `expected`.
  package func problem(insteadOf expected: String) -> CheckpointError {
    switch self {
    case .container:
      CheckpointError(.unsupported, "this is a checkpoint, not a \(expected)")
    case .truncatedZip:
      CheckpointError(
        .truncated, "this ZIP archive is truncated: its table of contents is missing",
        remedy: .text(
          "download or copy it again; if its size is right already, its space was reserved, but "
            + "part of its content never arrived"))
    case .pickle:
      CheckpointError(
        .unsupported, "this is a bare pickle, not a file of torch.save",
        remedy: "load it with the program that wrote it and save it with torch.save")
    case .tar:
      CheckpointError(
        .unsupported, "this is a tar archive",
        remedy: "unpack it, for example with 'tar xf', and give the file inside")
    case .compressed(let format, let opener):
      CheckpointError(
        .unsupported, "this file is compressed with \(format)",
        remedy: "decompress it first, for example with '\(opener)'")
    case .foreign(let format):
      CheckpointError(
        .unsupported, "this is a \(format.name) file, not a file of torch.save or safetensors",
        remedy: .text(format.advice))
    case .html:
      CheckpointError(
        .unsupported, "this is a web page, not a \(expected)",
        remedy: .text(
          "the server sent a login or error page; open the address in a browser, then download "
            + "the file itself"))
    case .storageError(let code):
      CheckpointError(
        .unsupported,
        "this is an error message of an object store" + (code.map { " (\($0))" } ?? "")
          + ", not a \(expected)",
        remedy: "check the address and your permission to read it, then download it again")
    case .gitLFSPointer(let pointer):
      CheckpointError(
        .unsupported,
        "this is a git-lfs pointer to a file of \(ByteCount(bytes: pointer.byteCount)), not the file",
        remedy: "run 'git lfs pull' in the repository")
    case .json:
      CheckpointError(
        .unsupported, "this is JSON text, not a checkpoint",
        remedy: "if it is a configuration or an index of shards, pass its directory")
    case .text:
      CheckpointError(
        .unsupported, "this is text, not a checkpoint",
        remedy: "if it is a configuration, pass its directory")
    case .empty:
      CheckpointError(
        .truncated, "the file is empty",
        remedy: "the download or copy failed; download or copy it again")
    case .zeros(let count):
      CheckpointError(
        .truncated, "the file starts with \(count) zero bytes",
        remedy: "its space was reserved, but its content never arrived; download or copy it again")
    case .unknown(let leading):
      CheckpointError(
        .unsupported,
        "this is neither a file of torch.save nor safetensors: it starts with "
          + leading.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " "),
        remedy: "compare its size and hash with the original's")
    }
  }
}

/// The text that git checks out for a large file that git-lfs did not download.
///
/// ```
/// version https://git-lfs.github.com/spec/v1
/// oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
/// size 12345
/// ```
///
/// Source: `docs/spec.md` of git-lfs.
package struct GitLFSPointer: Hashable, Sendable {
  /// The SHA-256 of the real file, in hexadecimal.
  package let sha256: String
  /// The size of the real file, in bytes.
  package let byteCount: Int

  /// Creates a pointer.
  package init(sha256: String, byteCount: Int) {
    self.sha256 = sha256
    self.byteCount = byteCount
  }

  /// Parses a pointer; `nil` for other text.
  package init?(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
    guard lines.first?.hasPrefix("version https://git-lfs.github.com/spec/") == true else {
      return nil
    }
    let oid = "oid sha256:"
    let size = "size "
    guard let sha256 = lines.first(where: { $0.hasPrefix(oid) })?.dropFirst(oid.count),
      let byteCount = lines.first(where: { $0.hasPrefix(size) })?.dropFirst(size.count),
      sha256.count == 64, sha256.allSatisfy(\.isHexDigit), let byteCount = Int(byteCount)
    else { return nil }
    self.init(sha256: String(sha256), byteCount: byteCount)
  }
}
