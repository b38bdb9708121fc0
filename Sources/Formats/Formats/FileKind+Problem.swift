package import Bytes

extension FileKind {
  /// Why a file of this kind cannot be read and what to do about it; `nil` for readable kinds.
  package var problem: FormatError? { problem(insteadOf: "checkpoint") }

  /// The same for a file that should be what `expected` calls it.
  package func problem(insteadOf expected: String) -> FormatError? {
    switch self {
    case .zip, .legacyTorch, .safetensors: nil
    case .truncatedZip:
      FormatError(
        .truncated, "this ZIP archive has no end: the file was cut off on the way",
        hint: "fetch it again; how much is missing cannot be told, since the sizes of its entries "
          + "stood at the end: compare its size with the original's; if it has that, its space was "
          + "reserved and not all of its content arrived")
    case .pickle:
      FormatError(
        .unsupported, "this is a bare pickle, not a file of torch.save",
        hint: "load it with the program that wrote it and save it with torch.save")
    case .tar:
      FormatError(
        .unsupported, "this is a tar archive",
        hint: "unpack it, for example with 'tar xf', and give the file inside")
    case .compressed(let format, let opener):
      FormatError(
        .unsupported, "this file is compressed with \(format)",
        hint: "unpack it first, for example with '\(opener)'")
    case .foreign(let format):
      FormatError(
        .unsupported, "this is a \(format) file, not a file of torch.save or safetensors",
        hint: "convert it with the program that wrote it")
    case .html:
      FormatError(
        .unsupported, "this is a web page, not a \(expected)",
        hint: "the server sent a login or error page; open the address in a browser, then fetch "
          + "the file itself")
    case .storageError(let code):
      FormatError(
        .unsupported,
        "this is an error message of an object store" + (code.map { " (\($0))" } ?? "")
          + ", not a \(expected)",
        hint: "check the address and the right to read it, then fetch it again")
    case .gitLFSPointer(let pointer):
      FormatError(
        .unsupported,
        "this is a git-lfs pointer to a file of \(pointer.byteCount) bytes, not the file",
        hint: "run 'git lfs pull' in its repository")
    case .json:
      FormatError(
        .unsupported, "this is JSON text, not a checkpoint",
        hint: "if it is a configuration or an index of shards, give the directory it lies in")
    case .text:
      FormatError(
        .unsupported, "this is text, not a checkpoint",
        hint: "if it is a configuration, give the directory it lies in")
    case .empty:
      FormatError(
        .truncated, "the file is empty", hint: "the download or copy failed; fetch it again")
    case .zeros(let count):
      FormatError(
        .truncated, "the file starts with \(count) zero bytes",
        hint: "its space was reserved, but its content never arrived; fetch it again")
    case .unknown(let leading):
      FormatError(
        .unsupported,
        "neither a file of torch.save nor safetensors: it starts with "
          + leading.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " "),
        hint: "compare its size and hash with the original's")
    }
  }
}
