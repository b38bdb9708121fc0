internal import CkptBase
internal import CkptPlan

/// A file of sealed lines that is only ever added to; each addition is on the disk when it returns.
struct Journal: Sendable {
  /// What a file holds.
  struct Contents: Sendable {
    /// The objects of the lines that are whole, in order.
    var objects: [[UInt8]] = []
    /// How many lines are neither whole nor the last: somebody edited them.
    var damagedCount = 0
    /// Where the last whole line ends: what follows is what a crash left of one.
    var wholeByteCount = 0
  }

  private let file: AppendedFile

  /// Opens a journal, or begins one; what a crash left of a last line is cut off.
  ///
  /// - Throws: `inputOutput` when that fails, `malformed` for a file that is no journal.
  init(path: String) throws(CheckpointError) {
    let contents = try Self.contents(of: path)
    file = try AppendedFile(path: path)
    if let contents { try file.truncate(to: contents.wholeByteCount) }
  }

  /// Adds lines and waits until they are on the disk.
  ///
  /// - Throws: `inputOutput` when that fails.
  func append(_ lines: some Sequence<[UInt8]>) throws(CheckpointError) {
    try file.append(Array(lines.joined()))
  }

  /// What the file holds; `nil` when there is none.
  ///
  /// - Throws: `inputOutput` when it cannot be read, `malformed` when it is no journal.
  static func contents(of path: String) throws(CheckpointError) -> Contents? {
    guard try FilePath(path).status() != nil else { return nil }
    let file = try FileSource(path: path)
    let contents = contents(in: try file.bytes(in: 0..<file.byteCount))
    guard !contents.objects.isEmpty || contents.damagedCount == 0 else {
      throw CheckpointError(
        .malformed, "this is not a journal of ckptconv",
        remedy: .text("move it away", .writeToOtherDirectory)
      ).framed(by: path)
    }
    return contents
  }

  /// What the bytes of a journal hold.
  static func contents(in bytes: [UInt8]) -> Contents {
    var contents = Contents()
    var start = 0
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      if let object = ChecksummedLine.open(bytes[start..<end]) {
        contents.objects.append(object)
      } else {
        contents.damagedCount += 1
      }
      start = end + 1
      contents.wholeByteCount = start
    }
    return contents
  }
}

/// A JSON object on a line of its own that tells whether it is whole: its last member is the CRC-32
/// of all that stands before it.
enum ChecksummedLine {
  private static let head = Array(",\"crc32\":\"".utf8)
  private static let tail = Array("\"}".utf8)
  private static let digitCount = 8

  /// The object with the seal and a line feed.
  static func seal(_ object: [UInt8]) -> [UInt8] {
    var line = Array(object.dropLast())
    let digits = String(CRC32.checksum(line.span), radix: 16)
    line += head
    line += String(repeating: "0", count: digitCount - digits.utf8.count).utf8
    line += digits.utf8
    line += tail
    line.append(UInt8(ascii: "\n"))
    return line
  }

  /// The object in a line without its line feed, or `nil` if it is not what was sealed.
  static func open(_ line: ArraySlice<UInt8>) -> [UInt8]? {
    let sealCount = head.count + digitCount + tail.count
    guard line.count > sealCount else { return nil }
    let object = Array(line.dropLast(sealCount)) + [UInt8(ascii: "}")]
    var sealed = seal(object)
    sealed.removeLast()
    return sealed.elementsEqual(line) ? object : nil
  }
}

/// What all journals below a root say together.
package struct JournalHistory: Sendable {
  /// What is done to an item: several verbs may work on it below one root.
  private struct Key: Hashable {
    var verb: String
    var item: ExactString
  }

  private var latest: [Key: JournalRecord] = [:]
  /// The number of the latest run.
  package private(set) var lastRun = 0
  /// How many lines were edited and do not count.
  package private(set) var damagedCount = 0

  /// A history without events.
  package init() {}

  /// Takes in the next record.
  ///
  /// Journals of different shards may tell of one item when the number of shards was changed; then
  /// the later run counts.
  package mutating func add(_ record: JournalRecord) {
    lastRun = max(lastRun, record.run)
    let key = Key(verb: record.verb, item: ExactString(record.item))
    if let known = latest[key], known.run > record.run { return }
    latest[key] = record
  }

  /// The latest record of an item by a verb.
  package func record(of item: String, by verb: String) -> JournalRecord? {
    latest[Key(verb: verb, item: ExactString(item))]
  }

  /// The latest records of all items and verbs, in no order.
  package var records: some Collection<JournalRecord> { latest.values }

  /// Reads the journals in `directory`; without any, nothing has happened.
  ///
  /// - Throws: `inputOutput` when one cannot be read, `malformed` when it is none, `unsupported` when
  ///   a later version wrote it.
  init(readingFrom directory: String) throws(CheckpointError) {
    let place = FilePath(directory)
    let names = try place.status() == nil ? [] : place.entryNames()
    for name in names.sorted() where name.hasPrefix("journal") && name.hasSuffix(".jsonl") {
      let path = place.appending(name).text
      try CheckpointError.within(path) { () throws(CheckpointError) in
        guard let contents = try Journal.contents(of: path) else { return }
        damagedCount += contents.damagedCount
        for object in contents.objects { add(try JournalRecord(reading: object.span)) }
      }
    }
  }
}
