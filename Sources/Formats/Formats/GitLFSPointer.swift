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
