public import CkptBase
internal import CkptFormats
internal import CkptJSON

/// The result of a scan: every global that the pickles of a file name, and every part of the file
/// that was not looked at.
///
/// Nothing is executed.
public struct FileScan: Sendable {
  /// The worst that was found in a file.
  @nonexhaustive
  public enum Verdict: String, Hashable, Sendable, CaseIterable {
    /// A part of the file runs code when it is loaded.
    case dangerous
    /// A part of the file cannot be read as what it claims to be.
    case broken
    /// A part of the file was not looked at.
    case unread
    /// A part of the file is not what honest programs write.
    case suspicious
    /// Every byte is accounted for, and none of them is dangerous as far as names tell.
    case clean
  }

  /// The file.
  public let path: String
  /// The size of the file in bytes.
  public let byteCount: Int
  /// The kind of file, for people.
  public let format: String
  /// The findings, the worst first and otherwise in the order of the file.
  public let findings: [ScanFinding]
  /// The number of pickles.
  public let pickleCount: Int

  /// Scans the file at `path`.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - cancellation: ends the scan.
  ///   - progress: is told the bytes read and to read, from any thread.
  /// - Throws: `inputOutput` if it cannot be read; `cancelled`.
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
  /// - Throws: `inputOutput` when it cannot be read.
  package init(of source: any ByteSource) throws(CheckpointError) {
    var scanner = FileScanner(source)
    format = try scanner.scan(.init(source))
    path = source.name
    byteCount = source.byteCount
    pickleCount = scanner.pickleCount
    findings = scanner.findings.enumerated().sorted {
      ($0.element.severity.rank, $0.offset) < ($1.element.severity.rank, $1.offset)
    }.map(\.element)
    try source.requireUnchanged()
  }

  /// Returns the number of findings of one severity.
  public func count(_ severity: ScanFinding.Severity) -> Int {
    findings.count { $0.severity == severity }
  }

  /// The worst that was found.
  public var verdict: Verdict {
    // Findings are sorted, and classes that nobody knows are in every second honest file.
    findings.first.flatMap { Verdict(rawValue: $0.severity.rawValue) } ?? .clean
  }
}

extension FileScan {
  /// Returns the files that `path` stands for: itself, or all files in a directory and below it.
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
      throw CheckpointError(.unsupported, "no files in this directory").framed(by: path)
    }
    return files
  }

  private static func status(
    of path: String, followingLinks: Bool
  ) throws(CheckpointError) -> Syscalls.FileStatus? {
    try Syscalls.status(at: path, followingLinks: followingLinks)
  }
}

extension FileScan {
  /// The result as one JSON object; `Documentation/json.md` describes its members.
  public var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.member("path", path)
    json.member("bytes", byteCount)
    json.member("format", format)
    json.member("pickles", pickleCount)
    json.member("verdict", verdict.rawValue)
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
    json.member("reason", global.reason)
    json.member("ways", GlobalUse.Way.allCases.filter(global.ways.contains).map(\.rawValue))
    json.endObject()
  }
}
