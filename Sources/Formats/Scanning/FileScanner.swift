internal import Bytes
internal import Formats
internal import Pickle
internal import Safetensors
internal import Zip

/// Looks through one file for pickles.
struct FileScanner {
  /// How much of a pickle without announced size is read at first, in bytes.
  private static let firstWindow = 4 << 20
  /// How much is read to tell whether something is a pickle, in bytes.
  static let headByteCount = 64 << 10

  let file: SourceFile
  /// What has been found, in the order in which it was met.
  var findings: [ScanFinding] = []
  /// How many pickles there were.
  var pickleCount = 0

  init(_ file: SourceFile) { self.file = file }

  /// Looks through all of the file; returns what kind of file it is.
  mutating func scan(as kind: FileKind) throws(FormatError) -> String {
    var formats: [String] = []
    switch kind {
    case .safetensors:
      try scanSafetensors()
      formats.append("safetensors")
    case .legacyTorch:
      try sweep(0..<file.byteCount, at: [], .pickle, allowsRest: true)
      formats.append("pickles of PyTorch before 1.6")
    case .pickle:
      try sweep(0..<file.byteCount, at: [], .pickle)
      formats.append("pickle")
    case .tar:
      try scanTar()
      formats.append("tar archive")
    case .zip, .truncatedZip: break
    default: try scanUnknown()
    }
    if try ZipDirectory.isPresent(in: file) {
      if let format = try scanArchive(isPolyglot: kind != .zip) { formats.append(format) }
    } else if kind == .truncatedZip {
      try scanBrokenArchive()
      formats.append("ZIP archive without its end")
    }
    return formats.isEmpty ? "file of another kind" : formats.joined(separator: " and ")
  }

  /// A file that is nothing that is known may still be a pickle of protocol 0.
  private mutating func scanUnknown() throws(FormatError) {
    let head = try file.bytes(in: 0..<Self.headByteCount)
    guard PickleScan(head.span).isConvincing(head[...]) else { return }
    try sweep(0..<file.byteCount, at: [], .pickle)
  }

  // MARK: Reading pickles

  /// Scans the pickles at the start of a part of the file; offsets count from the start of their
  /// place, or of the file without one.
  ///
  /// Only as much is read as the pickles have, up to what any reader takes.
  mutating func sweep(
    _ range: Range<Int>, at place: [String], _ expectation: PickleSweep.Expectation,
    allowsRest: Bool = false
  ) throws(FormatError) {
    var count = Self.firstWindow
    while true {
      let window = range.lowerBound..<min(range.upperBound, range.lowerBound + count)
      let bytes = try file.bytes(in: window)
      let isWhole = window.upperBound == range.upperBound
      let found = PickleSweep(
        bytes, base: place.isEmpty ? range.lowerBound : 0, at: place, expectation,
        allowsRest: allowsRest || !isWhole)
      guard found.isCut, !isWhole, count < Limits.pickleBytes else {
        return add(found)
      }
      count = min(count * 2, Limits.pickleBytes)
    }
  }

  /// Takes over what a sweep has found.
  mutating func add(_ sweep: PickleSweep) {
    findings += sweep.findings
    pickleCount += sweep.pickleCount
  }

  /// Notes something that is not a global.
  mutating func note(
    _ severity: ScanFinding.Severity, at place: [String] = [], offset: Int? = nil, _ message: String
  ) {
    findings.append(ScanFinding(severity, at: place, offset: offset, message))
  }

  /// Notes what keeps a part of the file from being read.
  mutating func note(_ fault: FormatError) {
    note(.broken, at: fault.path.filter { $0 != file.path }, offset: fault.offset, fault.message)
  }
}
