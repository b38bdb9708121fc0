package import CkptBase
package import CkptContainer
internal import CkptSafetensors
internal import CkptTorch

/// What a file is, judged by its content; names and suffixes mean nothing.
package enum FileKind: Hashable, Sendable {
  /// A checkpoint, perhaps a damaged one, of a kind that is in the registry.
  case container(KnownContainer)

  /// A ZIP archive whose end is missing.
  case truncatedZip
  /// A pickle that `torch.save` did not write.
  case pickle
  /// A tar archive.
  case tar
  /// A compressed file or another archive, by the name of its format and a program that opens it.
  case compressed(format: String, opener: String)
  /// A file of another program that holds tensors, by the name of its format.
  case foreign(format: String)
  /// A web page.
  case html
  /// What an object store answers instead of a file, with its error code where there is one.
  case storageError(code: String?)
  /// The stand-in for a file that git-lfs has not fetched.
  case gitLFSPointer(GitLFSPointer)
  /// JSON text.
  case json
  /// Other text, such as YAML.
  case text
  /// No bytes at all.
  case empty
  /// Zero bytes, as many as were looked at.
  case zeros(count: Int)
  /// Something else, by its first bytes.
  case unknown(leading: [UInt8])
}

extension FileKind {
  /// A ZIP archive; whether `torch.save` wrote it is for its entries to tell.
  package static let zip = FileKind.container(.init(TorchArchiveContainer()))
  /// The stack of pickles that `torch.save` wrote before PyTorch 1.6.
  package static let legacyTorch = FileKind.container(.init(LegacyTorchContainer()))
  /// A safetensors file.
  package static let safetensors = FileKind.container(.init(SafetensorsContainer()))

  /// The format of a checkpoint in one file, also of one that was cut off; `nil` for other files.
  package var format: CheckpointFormat? {
    switch self {
    case .container(let known): known.container.format
    case .truncatedZip: .torch
    default: nil
    }
  }

  /// Tells what `source` is.
  ///
  /// - Throws: `inputOutput` when it cannot be read.
  package static func sniff(_ source: any ByteSource) throws(CheckpointError) -> FileKind {
    var look = try SourceLook(at: source)
    return try sniff(&look)
  }

  /// Tells the kind of a source from its first bytes, and from its end where they do not tell.
  ///
  /// - Throws: `inputOutput` when it cannot be read.
  package static func sniff(_ look: inout SourceLook) throws(CheckpointError) -> FileKind {
    let head = look.head
    guard !head.isEmpty else { return .empty }
    if let magic = magics.first(where: { head.starts(with: $0.bytes) }) { return magic.kind }
    for container in Containers.files where try container.recognizesStart(of: &look) {
      return .container(.init(container))
    }
    if look.beginsLikeArchive { return .truncatedZip }
    if isTar(head) { return .tar }
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

  /// Whether the mark of a tar archive is in its place.
  private static func isTar(_ head: [UInt8]) -> Bool {
    let mark = 257
    return head.count > mark && head[mark...].starts(with: "ustar".utf8)
  }

  /// The formats that the first bytes tell.
  private static let magics: [(bytes: [UInt8], kind: FileKind)] =
    [
      ([0x1f, 0x8b], .compressed(format: "gzip", opener: "gunzip")),
      ([0x28, 0xb5, 0x2f, 0xfd], .compressed(format: "Zstandard", opener: "unzstd")),
      ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], .compressed(format: "xz", opener: "unxz")),
      ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], .compressed(format: "7z", opener: "7z x")),
      ([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a], .foreign(format: "HDF5")),
      ([0x93] + "NUMPY".utf8, .foreign(format: "NumPy")),
      (Array("GGUF".utf8), .foreign(format: "GGUF")),
    ]
    + (1...9).map {
      (Array("BZh\($0)1AY&SY".utf8), .compressed(format: "bzip2", opener: "bunzip2"))
    }

  /// Whether it is a pickle, by the PROTO opcode of protocol 2 and up or by what protocol 0 starts
  /// with.
  private static func isPickle(_ head: [UInt8]) -> Bool {
    if head.count >= 2, head[0] == 0x80, (2...5).contains(head[1]) { return true }
    let starts = ["(dp", "(lp", "(ip", "ccopy_reg\n", "c__builtin__\n", "ccollections\n"]
    return starts.contains { head.starts(with: $0.utf8) }
  }

  /// `head` as text, or `nil` where it has control characters or is not UTF-8.
  private static func text(of head: [UInt8], isWhole: Bool) -> String? {
    var bytes = head[...]
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes = bytes.dropFirst(3) }
    if !isWhole, let last = bytes.suffix(4).lastIndex(where: { $0 & 0xc0 != 0x80 }) {
      // The last character may have been cut.
      bytes = bytes[..<last]
    }
    let spaces: [UInt8] = [0x09, 0x0a, 0x0c, 0x0d]
    guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || spaces.contains($0) }) else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }

  /// What a server sends instead of a file.
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
  /// Where `part` first starts, in bytes.
  fileprivate func offset(of part: String) -> Int? {
    let (bytes, part) = (Array(utf8), Array(part.utf8))
    return bytes.indices.first { bytes[$0...].starts(with: part) }
  }

  /// What stands between two marks.
  fileprivate func between(_ start: String, _ end: String) -> String? {
    guard let from = offset(of: start) else { return nil }
    let rest = String(decoding: utf8.dropFirst(from + start.utf8.count), as: UTF8.self)
    return rest.offset(of: end).map { String(decoding: rest.utf8.prefix($0), as: UTF8.self) }
  }
}

extension FileKind {
  /// Why a file of this kind cannot be read and what to do about it; `nil` for readable kinds.
  package var problem: CheckpointError? {
    if case .container = self { return nil }
    return problem(insteadOf: "checkpoint")
  }

  /// The same for a file that should be what `expected` calls it.
  package func problem(insteadOf expected: String) -> CheckpointError {
    switch self {
    case .container:
      CheckpointError(.unsupported, "this is a checkpoint, not a \(expected)")
    case .truncatedZip:
      CheckpointError(
        .truncated, "this ZIP archive has no end: the file was cut off on the way",
        remedy: .text(
          "fetch it again; how much is missing cannot be told, since the sizes of its entries "
            + "stood at the end: compare its size with the original's; if it has that, its space was "
            + "reserved and not all of its content arrived"))
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
        remedy: "unpack it first, for example with '\(opener)'")
    case .foreign(let format):
      CheckpointError(
        .unsupported, "this is a \(format) file, not a file of torch.save or safetensors",
        remedy: "convert it with the program that wrote it")
    case .html:
      CheckpointError(
        .unsupported, "this is a web page, not a \(expected)",
        remedy: .text(
          "the server sent a login or error page; open the address in a browser, then fetch "
            + "the file itself"))
    case .storageError(let code):
      CheckpointError(
        .unsupported,
        "this is an error message of an object store" + (code.map { " (\($0))" } ?? "")
          + ", not a \(expected)",
        remedy: "check the address and the right to read it, then fetch it again")
    case .gitLFSPointer(let pointer):
      CheckpointError(
        .unsupported,
        "this is a git-lfs pointer to a file of \(pointer.byteCount) bytes, not the file",
        remedy: "run 'git lfs pull' in its repository")
    case .json:
      CheckpointError(
        .unsupported, "this is JSON text, not a checkpoint",
        remedy: "if it is a configuration or an index of shards, give the directory it lies in")
    case .text:
      CheckpointError(
        .unsupported, "this is text, not a checkpoint",
        remedy: "if it is a configuration, give the directory it lies in")
    case .empty:
      CheckpointError(
        .truncated, "the file is empty", remedy: "the download or copy failed; fetch it again")
    case .zeros(let count):
      CheckpointError(
        .truncated, "the file starts with \(count) zero bytes",
        remedy: "its space was reserved, but its content never arrived; fetch it again")
    case .unknown(let leading):
      CheckpointError(
        .unsupported,
        "neither a file of torch.save nor safetensors: it starts with "
          + leading.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " "),
        remedy: "compare its size and hash with the original's")
    }
  }
}

/// The text that git checks out for a large file that git-lfs has not fetched.
///
/// ```
/// version https://git-lfs.github.com/spec/v1
/// oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
/// size 12345
/// ```
///
/// Source: `docs/spec.md` of git-lfs.
package struct GitLFSPointer: Hashable, Sendable {
  /// The SHA-256 of the file it stands for, in hexadecimal.
  package let sha256: String
  /// The size of the file it stands for, in bytes.
  package let byteCount: Int

  /// Makes a pointer from its parts.
  package init(sha256: String, byteCount: Int) {
    self.sha256 = sha256
    self.byteCount = byteCount
  }

  /// Reads a pointer; `nil` when `text` is none.
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
