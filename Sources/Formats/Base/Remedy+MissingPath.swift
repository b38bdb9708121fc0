/// Advice on paths that lead to nothing.
extension Remedy {
  /// The advice on a path by what the user may have meant with it, or `nil` for an ordinary path.
  init?(missing path: String) {
    if path.contains("\u{fffd}") {
      self = .renaming
    } else if path.contains("://") {
      self = "this is a URL; download the file first"
    } else if Self.isHubID(path) {
      self = "download the model from the Hugging Face hub first, if this is its id (hf download)"
    } else {
      return nil
    }
  }

  /// The advice on a name that is not UTF-8.
  static let renaming: Remedy =
    "the name has bytes that are not UTF-8; rename the file or directory"

  /// Whether a path has the form of a hub id, `organization/model`, and not that of a file's name
  /// in a directory that exists.
  private static func isHubID(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy(isHubName),
      !fileExtensions.contains(where: { path.hasSuffix($0) })
    else { return false }
    return (try? Syscalls.status(at: String(parts[0]))) == .some(nil)
  }

  /// Whether a word could be one part of a hub id (`huggingface_hub/utils/_validators.py`).
  private static func isHubName(_ part: Substring) -> Bool {
    guard let first = part.utf8.first, first != UInt8(ascii: "."), first != UInt8(ascii: "-") else {
      return false
    }
    return part.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
        UInt8(ascii: "_"):
        true
      default: false
      }
    }
  }

  private static let fileExtensions = [
    ".pt", ".pth", ".bin", ".ckpt", ".safetensors", ".json", ".yaml", ".txt", ".csv",
  ]
}
