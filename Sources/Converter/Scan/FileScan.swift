public import CkptBase
internal import CkptFormats
internal import CkptJSON
@_exported public import CkptPickle
internal import CkptZip

/// The findings of a scan for pickles: every global that a file's pickles name, and every place
/// that can hide more.
///
/// Nothing is executed. Only a system error ends the scan before the end of the file.
public struct FileScan: Sendable {
  /// The file.
  public let path: String
  /// The size of the file in bytes.
  public let byteCount: Int
  /// The kind of the file, in words.
  public let format: String
  /// The findings, the most dangerous first, otherwise in file order.
  public let findings: [ScanFinding]
  /// The number of pickles.
  public let pickleCount: Int

  /// Scans the file at `path`.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - cancellation: ends the scan.
  ///   - progress: is told the bytes read and to read, from any thread.
  /// - Throws: `inputOutput` if it cannot be read; `unsupported` or `truncated` for a file of
  ///   another kind without findings; `cancelled`.
  public init(
    of path: String, cancellation: Cancellation? = nil,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) {
    let file = WatchedSource(
      try FileSource(path: path), cancellation: cancellation, progress: progress)
    self = try CheckpointError.within(path) { () throws(CheckpointError) in
      let scan = try Self(of: file)
      try cancellation?.check()
      return scan
    }
  }

  /// Scans a source.
  ///
  /// - Throws: the errors of ``init(of:)-(String)``, without the file in their path.
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

  /// Returns the number of findings of one severity.
  public func count(_ severity: ScanFinding.Severity) -> Int {
    findings.count { $0.severity == severity }
  }
}

extension FileScan {
  /// Returns the files that `path` stands for: itself, or all files in a directory and below it.
  ///
  /// They are sorted by name. Links to directories are not followed.
  ///
  /// - Throws: `inputOutput` if a directory cannot be read, `unsupported` if it has no files.
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
      throw CheckpointError(.unsupported, "this directory has no files").framed(by: path)
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
  /// The rank of the severity; a smaller number is more dangerous.
  fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension FileScan {
  /// The scan as one JSON object; `Documentation/json.md` describes its members.
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

/// One finding of a scan.
public struct ScanFinding: Hashable, Sendable {
  /// The severity of a finding; the most dangerous comes first.
  @nonexhaustive
  public enum Severity: String, Hashable, Sendable, CaseIterable {
    /// The code can run arbitrary code.
    case dangerous
    /// A part that does not have its declared format, so its contents are unknown.
    case broken
    /// A part that honest programs do not write, without anything dangerous in it.
    case suspicious
    /// A class, function or code of unknown meaning.
    case opaque
    /// A global that is usual in checkpoints.
    case known
  }

  /// The severity.
  public var severity: Severity
  /// The archive entry or tensor, and the value inside of it if a pickle holds another one.
  public var place: [String]
  /// The offset in bytes from the start of the innermost ``place``, or of the file without one.
  public var offset: Int?
  /// The global, if the finding is one.
  public var global: GlobalUse?
  /// The finding: one lower-case sentence without final stop.
  public var message: String

  /// Creates a finding that is not a global.
  init(_ severity: Severity, at place: [String], offset: Int? = nil, _ message: String) {
    self.severity = severity
    self.place = place
    self.offset = offset
    self.message = message
  }

  /// Creates a finding for a global.
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
  /// The name and the use of the global.
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
