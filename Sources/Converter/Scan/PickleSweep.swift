internal import CkptBase
internal import CkptPickle

/// Scans bytes for a pickle at their start, those behind its STOP, and those inside of its values.
struct PickleSweep {
  /// What is known of bytes before they are looked at.
  enum Expectation {
    /// They are a pickle, and broken if they are none.
    case pickle
    /// They may be one.
    case anything
  }

  private struct Item {
    var bytes: [UInt8]
    /// Where the bytes lie in their place.
    var base: Int
    var place: [String]
    var expectation: Expectation
    var depth: Int
  }

  /// How many pickles in pickles are followed.
  private static let depthLimit = 16
  /// How many pickles one behind the other are followed; a legacy file has five.
  private static let stackLimit = 1000

  /// What has been found.
  private(set) var findings: [ScanFinding] = []
  /// How many pickles there were.
  private(set) var pickleCount = 0
  /// Whether a pickle went on behind the end of the bytes.
  private(set) var isCut = false
  /// Whether bytes behind the pickles are to be expected, as the storages of a legacy file are.
  let allowsRest: Bool

  /// Looks at `bytes`, which lie at `base` of `place`.
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

  /// Scans the pickles of an item; returns what they hold inside.
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
        add(.suspicious, item, "a pickle where none is expected", at: item.base)
      } else if number == 1, !allowsRest {
        add(.suspicious, item, "another pickle behind the end of the first", at: item.base + start)
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
          .broken, item, "more than \(Self.stackLimit) pickles one behind the other",
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
      add(.suspicious, item, "another PROTO operation changes how names are taken", at: offset)
    }
    if let fault = scan.fault {
      let end = scan.isComplete ? "" : "; what follows was not looked at"
      add(.broken, item, "the pickle is broken: \(fault.message)\(end)", at: fault.offset)
    }
  }

  private mutating func nested(in scan: PickleScan, of item: Item) -> [Item] {
    var items: [Item] = []
    for value in scan.nested {
      guard item.depth < Self.depthLimit else {
        add(.broken, item, "pickles in pickles go deeper than \(Self.depthLimit)", at: value.offset)
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
      .suspicious, item, "\(item.bytes.count - start) bytes behind the end of the pickle",
      at: item.base + start)
  }

  private mutating func add(
    _ severity: ScanFinding.Severity, _ item: Item, _ message: String, at offset: Int?
  ) {
    findings.append(ScanFinding(severity, at: item.place, offset: offset, message))
  }
}

extension PickleScan {
  /// Whether bytes that were taken for a pickle are one, and not others that begin like it.
  func isConvincing(_ bytes: ArraySlice<UInt8>) -> Bool {
    if verdict == .dangerous { return true }
    let hasProtocol = PickleSignature.hasProtocol(bytes)
    if isComplete, fault == nil { return hasProtocol || !globals.isEmpty }
    return hasProtocol && globals.contains { $0.verdict == .known }
  }
}
