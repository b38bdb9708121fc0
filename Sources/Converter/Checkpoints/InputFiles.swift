package import CkptBase

/// The files of an input.
package enum InputFiles {
  /// Returns the input itself, or the files in its tree.
  ///
  /// Links to directories are not followed, and broken links are skipped.
  ///
  /// - Throws: `inputOutput` if it does not exist, or a directory cannot be read.
  package static func all(of input: String) throws(CheckpointError) -> [String] {
    let top = FilePath(input)
    guard let status = try top.status() else { throw .missing(input) }
    guard status.isDirectory else { return [input] }
    var files: [String] = []
    var open = [top]
    while let directory = open.popLast() {
      let names = try directory.entryNames()
      for name in names {
        let place = directory.appending(name)
        guard let status = try place.status() else { continue }
        if !status.isDirectory {
          files.append(place.text)
        } else if try !place.isLink() {
          open.append(place)
        }
      }
    }
    return files
  }
}

extension FilePath {
  fileprivate func isLink() throws(CheckpointError) -> Bool {
    try Syscalls.status(at: text, followingLinks: false)?.isSymbolicLink == true
  }
}
