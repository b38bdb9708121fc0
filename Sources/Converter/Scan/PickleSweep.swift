internal import CkptBase
internal import CkptPickle

/// Scans the pickle at the start of some bytes, those after its STOP, and those inside its values.
struct PickleSweep {
  /// The expectation for some bytes before they are scanned.
  enum Expectation {
    /// A pickle. Anything else is broken.
    case pickle
    /// Possibly a pickle.
    case anything
  }

  private struct Item {
    var bytes: [UInt8]
    /// The offset of the bytes in their place.
    var base: Int
    var place: [String]
    var expectation: Expectation
    var depth: Int
  }

  /// The maximum depth of pickles in pickles.
  private static let depthLimit = 16
  /// The maximum number of pickles in sequence; a legacy file has five.
  private static let stackLimit = 1000

  /// The findings.
  private(set) var findings: [ScanFinding] = []
  /// The number of pickles.
  private(set) var pickleCount = 0
  /// Whether a pickle continues after the end of the bytes.
  private(set) var isCut = false
  /// Whether other bytes can follow the pickles, as storages do in a legacy file.
  let allowsRest: Bool

  /// Scans `bytes`, which begin at offset `base` of `place`.
  init(
    _ bytes: [UInt8], base: Int = 0, at place: [String], _ expectation: Expectation,
    allowsRest: Bool = false
  ) {
    self.allowsRest = allowsRest
    var pending = [
      Item(bytes: bytes, base: base, place: place, expectation: expectation, depth: 0)
    ]
    while let item = pending.popLast() { pending += look(at: item) }
  }

  /// Scans the pickles of an item and returns the pickles inside them.
  private mutating func look(at item: Item) -> [Item] {
    var inner: [Item] = []
    var start = 0
    var number = 0
    while start < item.bytes.count {
      let rest = item.bytes.span.extracting(start...)
      let scan = PickleScan(rest, base: item.base + start)
      let isFirst = number == 0
      guard isFirst && item.expectation == .pickle || scan.isConvincing(item.bytes[start...]) else {
        if !isFirst { noteRest(of: item, from: start) }
        break
      }
      if isFirst && item.expectation == .anything {
        add(.suspicious, item, "an unexpected pickle", at: item.base)
      } else if number == 1, !allowsRest {
        add(.suspicious, item, "another pickle after the end of the first", at: item.base + start)
      }
      record(scan, item)
      inner += nested(in: scan, of: item)
      guard scan.isComplete else {
        isCut = isCut || item.depth == 0 && scan.fault?.code == .truncated
        break
      }
      start += scan.byteCount
      number += 1
      if number == Self.stackLimit {
        add(
          .broken, item, "more than \(Self.stackLimit) pickles in sequence",
          at: item.base + start)
        break
      }
    }
    return inner
  }

  private mutating func record(_ scan: PickleScan, _ item: Item) {
    pickleCount += 1
    findings += scan.globals.map { ScanFinding($0, at: item.place) }
    for offset in scan.laterProtocols.prefix(1) {
      add(.suspicious, item, "another PROTO opcode changes the meaning of names", at: offset)
    }
    if let fault = scan.fault {
      let end = scan.isComplete ? "" : "; the rest was not scanned"
      add(.broken, item, "the pickle is broken: \(fault.message)\(end)", at: fault.offset)
    }
  }

  private mutating func nested(in scan: PickleScan, of item: Item) -> [Item] {
    var items: [Item] = []
    for value in scan.nested {
      guard item.depth < Self.depthLimit else {
        add(.broken, item, "pickles are nested more than \(Self.depthLimit) deep", at: value.offset)
        break
      }
      let place = item.place + ["value at byte 0x\(String(value.offset, radix: 16))"]
      items.append(
        Item(
          bytes: value.bytes, base: 0, place: place, expectation: .anything, depth: item.depth + 1))
    }
    return items
  }

  private mutating func noteRest(of item: Item, from start: Int) {
    guard !allowsRest || item.depth > 0 else { return }
    add(
      .suspicious, item, "\(item.bytes.count - start) bytes after the end of the pickle",
      at: item.base + start)
  }

  private mutating func add(
    _ severity: ScanFinding.Severity, _ item: Item, _ message: String, at offset: Int?
  ) {
    findings.append(ScanFinding(severity, at: item.place, offset: offset, message))
  }
}

extension PickleScan {
  /// Whether bytes that look like a pickle are one, and not other bytes with the same beginning.
  func isConvincing(_ bytes: ArraySlice<UInt8>) -> Bool {
    if verdict == .dangerous { return true }
    let hasProtocol = PickleSignature.hasProtocol(bytes)
    if isComplete, fault == nil { return hasProtocol || !globals.isEmpty }
    return hasProtocol && globals.contains { $0.verdict == .known }
  }
}
