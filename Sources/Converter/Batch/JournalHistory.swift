internal import Bytes
internal import Converter

/// What all journals below a root say together.
package struct JournalHistory: Sendable {
  /// The latest record of each item.
  package private(set) var latest: [String: JournalRecord] = [:]
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
    if let known = latest[record.item], known.run > record.run { return }
    latest[record.item] = record
  }

  /// Reads the journals in `directory`; without any, nothing has happened.
  ///
  /// - Throws: `inputOutput` when one cannot be read, `malformed` when it is none, `unsupported` when
  ///   a later version wrote it.
  init(readingFrom directory: String) throws(FormatError) {
    let names = try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.status(at: directory) == nil ? [] : Syscalls.names(in: directory)
    }
    for name in names.sorted() where name.hasPrefix("journal") && name.hasSuffix(".jsonl") {
      let path = FilePath(directory).appending(name).text
      try FormatError.within(path) { () throws(FormatError) in
        guard let contents = try Journal.contents(of: path) else { return }
        damagedCount += contents.damagedCount
        for object in contents.objects { add(try JournalRecord(reading: object.span)) }
      }
    }
  }
}
