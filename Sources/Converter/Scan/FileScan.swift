public import CkptBase
internal import CkptFormats
internal import CkptJSON
@_exported public import CkptPickle
internal import CkptZip

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
  public init(of path: String) throws(CheckpointError) {
    let file = try FileSource(path: path)
    self = try CheckpointError.within(path) { () throws(CheckpointError) in try Self(of: file) }
  }

  /// Scans a source.
  ///
  /// - Throws: what ``init(of:)-(String)`` throws, without the file in its path.
  package init(of source: any ByteSource) throws(CheckpointError) {
    var look = try SourceLook(at: source)
    let kind = try FileKind.sniff(&look)
    var scanner = FileScanner(look)
    format = try scanner.scan(as: kind)
    path = source.name
    byteCount = source.byteCount
    pickleCount = scanner.pickleCount
    findings = scanner.findings.enumerated().sorted {
      ($0.element.severity.rank, $0.offset) < ($1.element.severity.rank, $1.offset)
    }.map(\.element)
    if findings.isEmpty, pickleCount == 0, let problem = kind.problem { throw problem }
    try source.requireUnchanged()
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
  public static func files(of path: String) throws(CheckpointError) -> [String] {
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
      throw CheckpointError(.unsupported, "there are no files in this directory").framed(by: path)
    }
    return files
  }

  private static func status(
    of path: String, followingLinks: Bool
  ) throws(CheckpointError) -> Syscalls.FileStatus? {
    try Syscalls.status(at: path, followingLinks: followingLinks)
  }
}

extension ScanFinding.Severity {
  /// The worse, the smaller.
  fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension FileScan {
  /// The whole as one JSON object; `Documentation/json.md` describes its members.
  public var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.member("path", path)
    json.member("bytes", byteCount)
    json.member("format", format)
    json.member("pickles", pickleCount)
    json.key("totals")
    json.beginObject()
    for severity in ScanFinding.Severity.allCases {
      json.member(severity.rawValue, count(severity))
    }
    json.endObject()
    json.key("findings")
    json.beginArray()
    for finding in findings { write(finding, to: &json) }
    json.endArray()
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }

  private func write(_ finding: ScanFinding, to json: inout JSONWriter) {
    json.beginObject()
    json.member("severity", finding.severity.rawValue)
    json.member("place", finding.place)
    json.key("offset")
    if let offset = finding.offset { json.integer(offset) } else { json.null() }
    json.member("message", finding.message)
    json.key("global")
    if let global = finding.global { write(global, to: &json) } else { json.null() }
    json.endObject()
  }

  private func write(_ global: GlobalUse, to json: inout JSONWriter) {
    json.beginObject()
    json.member("module", global.module)
    json.member("name", global.name)
    json.member("mentions", global.mentions)
    json.member("calls", global.calls)
    json.member("ways", GlobalUse.Way.allCases.filter(global.ways.contains).map(\.rawValue))
    json.endObject()
  }
}

/// One thing that a scan has found in a file.
public struct ScanFinding: Hashable, Sendable {
  /// How much it matters, the worst first.
  @nonexhaustive
  public enum Severity: String, Hashable, Sendable, CaseIterable {
    /// Something that can run code.
    case dangerous
    /// Something that cannot be read as what it claims to be, so that nobody knows what it holds.
    case broken
    /// Something that honest programs do not write, and in which nothing dangerous was found.
    case suspicious
    /// A class, function or code whose meaning is not known.
    case opaque
    /// A global that checkpoints are made of.
    case known
  }

  /// How much it matters.
  public var severity: Severity
  /// The archive entry or tensor, and the value inside of it where a pickle holds another one.
  public var place: [String]
  /// Where it is, in bytes from the start of the innermost ``place``, or of the file without one.
  public var offset: Int?
  /// The global, where it is one.
  public var global: GlobalUse?
  /// What was found: one lower-case sentence without final stop.
  public var message: String

  /// Describes a finding that is no global.
  init(_ severity: Severity, at place: [String], offset: Int? = nil, _ message: String) {
    self.severity = severity
    self.place = place
    self.offset = offset
    self.message = message
  }

  /// Describes a global.
  init(_ global: GlobalUse, at place: [String]) {
    severity =
      switch global.verdict {
      case .known: .known
      case .opaque: .opaque
      case .dangerous: .dangerous
      }
    self.place = place
    offset = global.offset
    self.global = global
    message = global.words
  }
}

extension GlobalUse {
  /// The name and what becomes of it.
  fileprivate var words: String {
    var words = qualifiedName
    if mentions > 1 { words += ", named \(mentions) times" }
    if calls > 0 {
      words += calls == 1 ? ", called" : ", called \(calls) times"
    } else if !ways.contains(.result) {
      words += ", not called"
    }
    let names = Way.allCases.filter(ways.contains).map(\.rawValue)
    if !names.isEmpty { words += " (\(names.joined(separator: ", ")))" }
    if let remark { words += ": \(remark)" }
    return words
  }
}

// `import Scanning` is all a user of the library needs: this module holds the types it hands out.
