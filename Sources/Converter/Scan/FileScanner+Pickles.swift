internal import CkptBase
internal import CkptLegacy
internal import CkptPickle

/// Pickles at the start of a file, those that follow, and those inside their values.
extension FileScanner {
  /// The number of bytes that are read at first: of a pickle, and of what may be one.
  private static let pickleWindow = 4 << 20
  private static let headWindow = 4 << 10
  /// The number of pickles at the start of a file of `torch.save` before PyTorch 1.6: magic number,
  /// protocol version, system, object, keys of storages (`torch/serialization.py`, `_legacy_save`).
  private static let legacyPickleCount = 5
  /// The maximum number of pickles one after the other.
  private static let stackLimit = 10_000

  /// Scans the pickles that an item begins with; returns what they make of it, or `nil` if there are
  /// none.
  mutating func scanPickles(
    _ item: Item, _ expectation: Expectation
  ) throws(CheckpointError) -> String? {
    var (start, number, isLegacy) = (0, 0, false)
    while start < item.source.byteCount {
      let isExpected =
        number == 0
        ? expectation == .pickle || expectation == .pickleStart
        : isLegacy && number < Self.legacyPickleCount
      guard !isLegacy || isExpected,
        let scan = try pickle(at: start, of: item, isExpected: isExpected)
      else { break }
      if number == 0 {
        isLegacy = scan.isTorchMagicNumber
        if expectation == .tensor, !scan.globals.isEmpty {
          note(.suspicious, at: item, offset: start, "a pickle in the data of a tensor")
        }
      } else if number == 1, !isLegacy {
        note(.suspicious, at: item, offset: start, "another pickle after the end of the first")
      }
      try record(scan, item)
      number += 1
      start += scan.byteCount
      guard scan.isComplete else { return Self.format(isLegacy) }
      guard number < Self.stackLimit else {
        note(.unread, at: item, offset: start, "more than \(Self.stackLimit) pickles")
        break
      }
    }
    guard number > 0 else { return nil }
    let rest = item.source.byteCount - start
    if isLegacy {
      try scanStorages(item, behind: number)
    } else if rest > 0, expectation != .tensor, expectation != .pickleStart {
      note(.suspicious, at: item, offset: start, "\(rest) bytes after the end of the pickle")
    }
    return Self.format(isLegacy)
  }

  /// Scans the pickles that begin at any byte of an item, with other data between them.
  mutating func scanInterleavedPickles(_ item: Item) throws(CheckpointError) {
    let window = 1 << 20
    var next = 0
    for start in stride(from: 0, to: item.source.byteCount, by: window) {
      let bytes = try item.source.bytes(in: start..<min(start + window, item.source.byteCount))
      for index in bytes.indices
      where start + index >= next && PickleSignature.canBegin(bytes[index]) {
        guard let scan = try pickle(at: start + index, of: item, isExpected: false) else {
          continue
        }
        try record(scan, item)
        next = start + index + scan.byteCount
      }
    }
  }

  private static func format(_ isLegacy: Bool) -> String {
    isLegacy ? "pickles of PyTorch before 1.6" : "pickle"
  }

  /// Accounts for the bytes behind the pickles of a legacy file: storages, and what torch.load does
  /// not read.
  private mutating func scanStorages(
    _ item: Item, behind pickleCount: Int
  ) throws(CheckpointError) {
    guard pickleCount == Self.legacyPickleCount else {
      return note(
        .broken, at: item,
        "files of PyTorch before 1.6 begin with \(Self.legacyPickleCount) pickles, this one with "
          + "\(pickleCount)")
    }
    let outline = try LegacyOutline(of: item.source)
    if let fault = outline.fault { return note(fault, at: item) }
    let rest = outline.end..<item.source.byteCount
    guard !rest.isEmpty else { return }
    note(
      .suspicious, at: item, offset: rest.lowerBound,
      "\(rest.count) bytes follow the last storage, and torch.load does not read them")
    try scan(item.inner(SliceSource(rest, of: item.source), "after the last storage"))
  }

  /// Scans the pickle at an offset; returns `nil` where bytes that can be anything are not a pickle.
  ///
  /// Only as much is read as the pickle has, and of other bytes only as much as tells that they are
  /// none.
  private mutating func pickle(
    at start: Int, of item: Item, isExpected: Bool
  ) throws(CheckpointError) -> PickleScan? {
    let rest = item.source.byteCount - start
    var count = isExpected ? Self.pickleWindow : Self.headWindow
    while true {
      let bytes = try item.source.bytes(in: start..<start + min(count, rest))
      let scan = PickleScan(
        bytes.span, base: start, followingByteCount: rest - bytes.count, stopsAtFault: !isExpected)
      let isWhole = start == 0 && scan.isComplete && scan.fault == nil && scan.byteCount == rest
      let isPickle = isExpected || isWhole || scan.isConvincing
      guard scan.isCut, bytes.count < rest, scan.neededByteCount <= rest else {
        return isPickle ? scan : nil
      }
      guard scan.neededByteCount <= Limits.pickleBytes, count < Limits.pickleBytes else {
        let size = "\(Limits.pickleBytes >> 20) MiB"
        note(.unread, at: item, offset: start, "a pickle of more than \(size), or other data")
        return isPickle ? scan : nil
      }
      count = min(max(count * 4, scan.neededByteCount), Limits.pickleBytes)
    }
  }

  private mutating func record(_ scan: PickleScan, _ item: Item) throws(CheckpointError) {
    pickleCount += 1
    findings += scan.globals.map { ScanFinding($0, at: item.place) }
    if let offset = scan.frameCrossing {
      note(
        .dangerous, at: item, offset: offset,
        "an opcode crosses the end of its frame: versions of Python read different pickles here")
    }
    if let offset = scan.laterProtocols.first {
      note(.suspicious, at: item, offset: offset, "another PROTO changes the meaning of names")
    }
    if let fault = scan.fault {
      let end = scan.isComplete ? "" : "; the rest was not scanned"
      note(.broken, at: item, offset: fault.offset, "the pickle is broken: \(fault.message)\(end)")
    }
    for value in scan.nested {
      let name = "value at byte 0x\(String(value.offset, radix: 16))"
      let outerCount = findings.count
      try self.scan(item.inner(MemorySource(value.bytes, name: name), name))
      if scan.callsOnlyKnown { softenFindings(from: outerCount) }
    }
  }

  /// Makes what is found inside a value opaque, since nothing in the file loads the value.
  private mutating func softenFindings(from start: Int) {
    for index in findings.indices[start...]
    where findings[index].severity.rank < ScanFinding.Severity.opaque.rank {
      findings[index].severity = .opaque
      findings[index].message += "; nothing in the outer pickle loads this value"
    }
  }
}
