internal import Bytes

/// What all journals below a root say together.
package struct JournalHistory: Sendable {
  /// What is done to an item: several verbs may work on it below one root.
  private struct Key: Hashable {
    var verb: String
    var item: String
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
    let key = Key(verb: record.verb, item: record.item)
    if let known = latest[key], known.run > record.run { return }
    latest[key] = record
  }

  /// The latest record of an item by a verb.
  package func record(of item: String, by verb: String) -> JournalRecord? {
    latest[Key(verb: verb, item: item)]
  }

  /// The latest records of all items and verbs, in no order.
  package var records: some Collection<JournalRecord> { latest.values }

  /// Reads the journals in `directory`; without any, nothing has happened.
  ///
  /// - Throws: `inputOutput` when one cannot be read, `malformed` when it is none, `unsupported` when
  ///   a later version wrote it.
  init(readingFrom directory: String) throws(FormatError) {
    let place = FilePath(directory)
    let names = try place.status() == nil ? [] : place.entryNames()
    for name in names.sorted() where name.hasPrefix("journal") && name.hasSuffix(".jsonl") {
      let path = place.appending(name).text
      try FormatError.within(path) { () throws(FormatError) in
        guard let contents = try Journal.contents(of: path) else { return }
        damagedCount += contents.damagedCount
        for object in contents.objects { add(try JournalRecord(reading: object.span)) }
      }
    }
  }
}
