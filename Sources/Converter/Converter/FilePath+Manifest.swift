internal import Bytes

extension FilePath {
  /// Makes sure that none of `paths` is this place, which a manifest is to be written to.
  ///
  /// - Throws: `unsupported` when one is, `inputOutput` when the system does not tell.
  func requireApart(from paths: [String]) throws(FormatError) {
    for path in paths where try isPlace(of: FilePath(path)) {
      throw FormatError(
        .unsupported, "this is the place of '\(path)', which would be lost",
        hint: "give the manifest a name of its own"
      ).framed(by: text)
    }
  }

  /// Whether a file here would be the one that is there, or will be.
  private func isPlace(of other: FilePath) throws(FormatError) -> Bool {
    if try isSameFile(as: other.text) { return true }
    guard name == other.name else { return false }
    return try directory.isSameFile(as: other.directory.text)
  }
}
