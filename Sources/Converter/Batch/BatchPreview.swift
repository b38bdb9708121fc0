package import CkptBase
internal import CkptJSON

/// What a run would do, with exact sizes: the structure of every input is read for it.
package struct BatchPreview: Sendable {
  /// One item of it.
  package struct Item: Sendable {
    /// Its path in the tree.
    package var name: String
    /// The path that opens it.
    package var input: String
    /// Where its outputs would go: the file, or the directory of several.
    package var place: String
    /// The files that would be written.
    package var outputs: [String]
    /// The size of what is read, in bytes.
    package var readByteCount: Int
    /// The size of what would be written; `nil` when nothing would be.
    package var writtenByteCount: Int?
    /// Whether an earlier run has done it.
    package var isFinished: Bool
    /// Why it cannot be done.
    package var fault: CheckpointError?
  }

  /// The items in the order of the plan.
  package let items: [Item]
  /// The bytes that are free where outputs go; `nil` where that is not known.
  package let availableByteCount: Int?
  /// Whether the verb writes files.
  package let writes: Bool

  /// Looks at what `schedule` would do.
  ///
  /// - Throws: `inputOutput` when the free space cannot be told.
  package init(_ schedule: BatchSchedule, root: String?, writes: Bool) throws(CheckpointError) {
    let measurements = schedule.measurements()
    items = schedule.entries.enumerated().map { Self.item($1, measurements[$0]) }
    self.writes = writes
    availableByteCount =
      if writes, let root { try BatchSchedule.availableBytes(below: root) } else { nil }
  }

  private static func item(
    _ entry: BatchSchedule.Entry, _ measurement: Result<Int, CheckpointError>?
  ) -> Item {
    let outputs = entry.item.writes
    let place =
      outputs.count == 1 ? outputs[0] : outputs.first.map { FilePath($0).directory.text } ?? ""
    var item = Item(
      name: entry.item.name, input: entry.item.input, place: place, outputs: outputs,
      readByteCount: entry.item.readByteCount, writtenByteCount: nil, isFinished: false)
    switch entry.standing {
    case .finished: item.isFinished = true
    case .impossible(let error): item.fault = error
    case .fresh, .again:
      switch measurement {
      case .success(let byteCount): item.writtenByteCount = outputs.isEmpty ? nil : byteCount
      case .failure(let error): item.fault = error
      case nil: break
      }
    }
    return item
  }

  /// How many items would be done.
  package var openCount: Int { items.count { !$0.isFinished && $0.fault == nil } }

  /// The items that cannot be done, and why.
  package var faults: [(input: String, error: CheckpointError)] {
    items.compactMap { item in item.fault.map { (item.input, $0) } }
  }

  /// The bytes that would be read.
  package var readByteCount: Int {
    items.reduce(0) { $0 + ($1.isFinished || $1.fault != nil ? 0 : $1.readByteCount) }
  }

  /// The bytes that would be written.
  package var writtenByteCount: Int { items.reduce(0) { $0 + ($1.writtenByteCount ?? 0) } }

  /// Whether there is room for the outputs, as far as that is known.
  package var fits: Bool { writtenByteCount <= availableByteCount ?? .max }

  /// One line for each item and one for the whole; `Documentation/batch.md` describes the members.
  package func json(_ wording: Remedy.Wording) -> String {
    var lines = items.map { line($0, wording) }
    var json = JSONWriter()
    json.beginObject()
    json.member("kind", "plan")
    json.member("items", items.count)
    json.member("open", openCount)
    json.member("impossible", faults.count)
    json.member("bytes_in", readByteCount)
    json.member("bytes_out", writtenByteCount)
    json.key("bytes_free")
    if let availableByteCount { json.integer(availableByteCount) } else { json.null() }
    json.endObject()
    lines.append(String(decoding: json.bytes, as: UTF8.self))
    return lines.map { "\($0)\n" }.joined()
  }

  private func line(_ item: Item, _ wording: Remedy.Wording) -> String {
    var json = JSONWriter()
    json.beginObject()
    json.member("kind", "planned")
    json.member("item", item.name)
    json.member("input", item.input)
    json.member("outputs", item.outputs)
    json.member("bytes_in", item.readByteCount)
    json.key("bytes_out")
    if let count = item.writtenByteCount { json.integer(count) } else { json.null() }
    json.member("finished", item.isFinished)
    json.member("code", item.fault?.code.description)
    json.member("message", item.fault?.description)
    json.member("hint", item.fault?.remedy.map(wording))
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}
