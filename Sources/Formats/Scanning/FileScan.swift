public import Bytes
internal import Formats
internal import Zip

/// What the pickles of a file would have run: a list of everything that they name, and of everything
/// in which more may be hidden.
///
/// Nothing is executed, and nothing ends the scan before the end of the file but the system.
public struct FileScan: Sendable {
  /// The file.
  public let path: String
  /// The size of the file in bytes.
  public let byteCount: Int
  /// What kind of file it is, for people.
  public let format: String
  /// What was found, the worst first and otherwise in the order of the file.
  public let findings: [ScanFinding]
  /// How many pickles there are.
  public let pickleCount: Int

  /// Scans the file at `path`.
  ///
  /// - Throws: `inputOutput` when it cannot be read; `unsupported` and `truncated` for files of other
  ///   kinds in which nothing was found.
  public init(of path: String) throws(FormatError) {
    let file = try SourceFile.open(path)
    self = try FormatError.within(path) { () throws(FormatError) in try Self(of: file) }
  }

  /// Scans a file that is open.
  ///
  /// - Throws: what ``init(of:)-(String)`` throws, without the file in its path.
  package init(of file: SourceFile) throws(FormatError) {
    let kind = try FileKind.sniff(file)
    var scanner = FileScanner(file)
    format = try scanner.scan(as: kind)
    path = file.path
    byteCount = file.byteCount
    pickleCount = scanner.pickleCount
    findings = scanner.findings.enumerated().sorted {
      ($0.element.severity.rank, $0.offset) < ($1.element.severity.rank, $1.offset)
    }.map(\.element)
    if findings.isEmpty, pickleCount == 0, let problem = kind.problem { throw problem }
    try file.requireUnchanged()
  }

  /// How many findings there are of one severity.
  public func count(_ severity: ScanFinding.Severity) -> Int {
    findings.count { $0.severity == severity }
  }
}

extension FileScan {
  /// The files that `path` stands for: itself, or all files in a directory and in those below it.
  ///
  /// They are in the order of their names. Links to directories are not followed.
  ///
  /// - Throws: `inputOutput` when a directory cannot be read, `unsupported` when there are no files.
  public static func files(of path: String) throws(FormatError) -> [String] {
    guard try status(of: path, followingLinks: true)?.isDirectory == true else { return [path] }
    var files: [String] = []
    var pending = [path]
    while let place = pending.popLast() {
      let isDirectory = try status(of: place, followingLinks: false)?.isDirectory == true
      guard isDirectory || place == path else {
        if try status(of: place, followingLinks: true)?.isRegular == true { files.append(place) }
        continue
      }
      let directory = FilePath(place)
      pending += try directory.entryNames().reversed().map { directory.appending($0).text }
    }
    guard !files.isEmpty else {
      throw FormatError(.unsupported, "there are no files in this directory").framed(by: path)
    }
    return files
  }

  private static func status(
    of path: String, followingLinks: Bool
  ) throws(FormatError) -> Syscalls.FileStatus? {
    try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.status(at: path, followingLinks: followingLinks)
    }
  }
}

extension ScanFinding.Severity {
  /// The worse, the smaller.
  fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
