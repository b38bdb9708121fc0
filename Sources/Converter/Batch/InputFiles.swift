internal import Bytes

/// The files that an input consists of.
enum InputFiles {
  /// The input itself, or the files in its tree; links to directories are not followed, and what a
  /// link to nowhere stands for is not there.
  ///
  /// - Throws: `inputOutput` when there is nothing, or a directory cannot be read.
  static func all(of input: String) throws(FormatError) -> [String] {
    let top = FilePath(input)
    guard let status = try top.status() else { throw FormatError(SystemError.missing(input)) }
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
  fileprivate func isLink() throws(FormatError) -> Bool {
    try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.status(at: text, followingLinks: false)?.isSymbolicLink == true
    }
  }
}
