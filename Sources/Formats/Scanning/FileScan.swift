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
    let file = try FormatError.wrapping { () throws(SystemError) in try SourceFile(path: path) }
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
  /// The files that `path` stands for: itself, or all files of a directory, in the order of their
  /// names.
  ///
  /// - Throws: `inputOutput` when there is nothing.
  public static func files(of path: String) throws(FormatError) -> [String] {
    let status = try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.status(at: path)
    }
    guard status?.isDirectory == true else { return [path] }
    let names = try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.names(in: path)
    }
    var files: [String] = []
    for name in names.sorted() {
      let file = ModelFolder.path(of: name, in: path)
      let status = try FormatError.wrapping { () throws(SystemError) in
        try Syscalls.status(at: file)
      }
      if status?.isRegular == true { files.append(file) }
    }
    return files
  }
}

extension ScanFinding.Severity {
  /// The worse, the smaller.
  fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
