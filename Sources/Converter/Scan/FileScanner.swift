internal import CkptBase
internal import CkptFormats
internal import CkptPickle
internal import CkptSafetensors
internal import CkptZip

/// Searches one file for pickles.
struct FileScanner {
  /// The number of bytes to read first of a pickle of unknown size.
  private static let firstWindow = 4 << 20
  /// The number of bytes to read to recognize a pickle.
  static let headByteCount = 64 << 10

  private var look: SourceLook
  /// The findings, in reading order.
  var findings: [ScanFinding] = []
  /// The number of pickles.
  var pickleCount = 0

  /// The file.
  var source: any ByteSource { look.source }

  init(_ look: SourceLook) { self.look = look }

  /// Scans the whole file and returns its kind in words.
  mutating func scan(as kind: FileKind) throws(CheckpointError) -> String {
    var formats: [String] = []
    switch kind {
    case .safetensors:
      try scanSafetensors()
      formats.append("safetensors")
    case .legacyTorch:
      try sweep(0..<source.byteCount, at: [], .pickle, allowsRest: true)
      formats.append("pickles of PyTorch before 1.6")
    case .pickle:
      try sweep(0..<source.byteCount, at: [], .pickle)
      formats.append("pickle")
    case .tar, .torchTar:
      try scanTar()
      formats.append("tar archive")
    case .zip, .truncatedZip: break
    default: try scanUnknown()
    }
    let end = try look.archiveEnd()
    if end.isPresent {
      if let format = try scanArchive(at: end, isPolyglot: kind != .zip) { formats.append(format) }
    } else if kind == .truncatedZip {
      try scanBrokenArchive()
      formats.append("ZIP archive without its end")
    }
    return formats.isEmpty ? "file of another kind" : formats.joined(separator: " and ")
  }

  /// Scans an unknown file: it can be a pickle of protocol 0.
  private mutating func scanUnknown() throws(CheckpointError) {
    let head = try source.bytes(in: 0..<Self.headByteCount)
    guard PickleScan(head.span).isConvincing(head[...]) else { return }
    try sweep(0..<source.byteCount, at: [], .pickle)
  }

  // MARK: Reading pickles

  /// Scans the pickles at the start of a part of the file.
  ///
  /// Offsets count from the start of their place, or of the file without one.
  ///
  /// It reads only the bytes of the pickles, up to the limit of any reader.
  mutating func sweep(
    _ range: Range<Int>, at place: [String], _ expectation: PickleSweep.Expectation,
    allowsRest: Bool = false
  ) throws(CheckpointError) {
    var count = Self.firstWindow
    while true {
      let window = range.lowerBound..<min(range.upperBound, range.lowerBound + count)
      let bytes = try source.bytes(in: window)
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

  /// Adds the findings of a sweep.
  mutating func add(_ sweep: PickleSweep) {
    findings += sweep.findings
    pickleCount += sweep.pickleCount
  }

  /// Adds a finding that is not a global.
  mutating func note(
    _ severity: ScanFinding.Severity, at place: [String] = [], offset: Int? = nil, _ message: String
  ) {
    findings.append(ScanFinding(severity, at: place, offset: offset, message))
  }

  /// Adds a finding for an error that keeps a part of the file from being read.
  mutating func note(_ fault: CheckpointError) {
    note(.broken, at: fault.path.filter { $0 != source.name }, offset: fault.offset, fault.message)
  }
}

/// Scans safetensors files: the names and data that OLMo's trainer unpickles, and the skeleton.
extension FileScanner {
  /// Scans every name and every tensor of bytes.
  mutating func scanSafetensors() throws(CheckpointError) {
    let contents: EmbeddedPickles
    do throws(CheckpointError) {
      contents = try EmbeddedPickles(of: look)
    } catch {
      guard error.code.isOfTheInput else { throw error }
      return note(error)
    }
    for part in contents.parts { try scan(part) }
    findings += contents.skeletonGlobals.map { ScanFinding($0, at: [Self.skeleton]) }
    if let fault = contents.skeletonFault { note(fault.framed(by: Self.skeleton)) }
  }

  private static let skeleton = "skeleton"

  private mutating func scan(_ part: EmbeddedPickles.Part) throws(CheckpointError) {
    let place = ["tensor '\(part.name)'"]
    if PickleScan(part.key.span).isConvincing(part.key[...]) {
      add(PickleSweep(part.key, at: place + ["name"], .pickle))
    }
    if part.isPickled {
      try sweep(part.range, at: place, .pickle)
    } else if part.isBytes {
      let end = min(part.range.upperBound, part.range.lowerBound + Self.headByteCount)
      let head = try source.bytes(in: part.range.lowerBound..<end)
      guard PickleScan(head.span).isConvincing(head[...]) else { return }
      try sweep(part.range, at: place, .anything, allowsRest: true)
    }
  }
}

/// Scans tar archives. PyTorch before 0.2 stored its pickles in them (`torch/serialization.py`,
/// `legacy_load`); other programs store anything.
extension FileScanner {
  /// The size that headers and data are padded to, in bytes (POSIX.1 `pax`, ustar).
  private static let blockByteCount = 512
  private static let nameField = 0..<100
  private static let sizeField = 124..<136

  /// Scans every member that begins like a pickle.
  mutating func scanTar() throws(CheckpointError) {
    var place = 0
    while place + Self.blockByteCount <= source.byteCount {
      let header = try source.bytes(in: place..<place + Self.blockByteCount)
      guard header.contains(where: { $0 != 0 }) else { return }
      guard let size = Self.octal(header[Self.sizeField]),
        size <= source.byteCount - place - Self.blockByteCount
      else {
        return note(.broken, offset: place, "a member of the tar archive has no valid size")
      }
      let nameBytes = header[Self.nameField].prefix { $0 != 0 }
      let name = String(decoding: nameBytes, as: UTF8.self)
      let start = place + Self.blockByteCount
      try sweep(start..<start + size, at: [name], .anything, allowsRest: true)
      place = start + (size + Self.blockByteCount - 1) / Self.blockByteCount * Self.blockByteCount
    }
  }

  /// Parses a number in octal digits, as in a header.
  private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
    guard digits.count <= 12, !digits.isEmpty else { return nil }
    return Int(String(decoding: digits, as: UTF8.self), radix: 8)
  }
}
