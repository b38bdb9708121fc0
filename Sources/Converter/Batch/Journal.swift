internal import CkptBase
internal import CkptPlan

/// An append-only file of lines with checksums.
///
/// Each addition is on the disk when it returns.
struct Journal: Sendable {
  /// The contents of a journal.
  struct Contents: Sendable {
    /// The objects of all intact lines, in order.
    var objects: [[UInt8]] = []
    /// The number of damaged lines before the last one; somebody edited them.
    var damagedCount = 0
    /// The end of the last intact line.
    ///
    /// A crash can leave an incomplete line after it.
    var wholeByteCount = 0
  }

  private let file: AppendedFile

  /// Opens or creates a journal.
  ///
  /// An incomplete last line is removed.
  ///
  /// - Throws: `inputOutput` if that fails, `malformed` for another file.
  init(path: String) throws(CheckpointError) {
    let contents = try Self.contents(of: path)
    file = try AppendedFile(path: path)
    if let contents { try file.truncate(to: contents.wholeByteCount) }
  }

  /// Appends lines and waits until they are on the disk.
  ///
  /// - Throws: `inputOutput` if that fails.
  func append(_ lines: some Sequence<[UInt8]>) throws(CheckpointError) {
    try file.append(Array(lines.joined()))
  }

  /// Returns the contents of a file; `nil` if it does not exist.
  ///
  /// - Throws: `inputOutput` if it cannot be read, `malformed` for another file.
  static func contents(of path: String) throws(CheckpointError) -> Contents? {
    guard try FilePath(path).status() != nil else { return nil }
    let file = try FileSource(path: path)
    let contents = contents(in: try file.bytes(in: 0..<file.byteCount))
    guard !contents.objects.isEmpty || contents.damagedCount == 0 else {
      throw CheckpointError(
        .malformed, "this is not a journal of ckptconv",
        remedy: .text("move it to another directory", .writeToOtherDirectory)
      ).framed(by: path)
    }
    return contents
  }

  /// Returns the contents of the bytes of a journal.
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

/// A JSON object on one line with a checksum.
///
/// Its last member is the CRC-32 of the text before it.
enum ChecksummedLine {
  private static let head = Array(",\"crc32\":\"".utf8)
  private static let tail = Array("\"}".utf8)
  private static let digitCount = 8

  /// Returns the object with its checksum and a line feed.
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

  /// Returns the object of a line without its line feed, or `nil` if the checksum does not match.
  static func open(_ line: ArraySlice<UInt8>) -> [UInt8]? {
    let sealCount = head.count + digitCount + tail.count
    guard line.count > sealCount else { return nil }
    let object = Array(line.dropLast(sealCount)) + [UInt8(ascii: "}")]
    var sealed = seal(object)
    sealed.removeLast()
    return sealed.elementsEqual(line) ? object : nil
  }
}

/// The merged contents of all journals below a root.
package struct JournalHistory: Sendable {
  /// An item and a verb; several verbs can work on one item below one root.
  private struct Key: Hashable {
    var verb: String
    var item: ExactString
  }

  private var latest: [Key: JournalRecord] = [:]
  /// The number of the last run.
  package private(set) var lastRun = 0
  /// The number of lines that were edited and are ignored.
  package private(set) var damagedCount = 0

  /// Creates an empty history.
  package init() {}

  /// Adds the next record.
  ///
  /// If the number of shards was changed, journals of several shards can have one item. Then the
  /// later run counts.
  package mutating func add(_ record: JournalRecord) {
    lastRun = max(lastRun, record.run)
    let key = Key(verb: record.verb, item: ExactString(record.item))
    if let known = latest[key], known.run > record.run { return }
    latest[key] = record
  }

  /// Returns the latest record of an item for a verb.
  package func record(of item: String, by verb: String) -> JournalRecord? {
    latest[Key(verb: verb, item: ExactString(item))]
  }

  /// The latest records of all items and verbs, in no particular order.
  package var records: some Collection<JournalRecord> { latest.values }

  /// Reads the journals in `directory`; without any, the history is empty.
  ///
  /// - Throws: `inputOutput` if one cannot be read, `malformed` for another file, `unsupported` for
  ///   one of a later version.
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
