package import CkptBase
internal import CkptJSON

/// A preview of a run with exact sizes; it reads the structure of every input.
package struct BatchPreview: Sendable {
  /// One item of a preview.
  package struct Item: Sendable {
    /// The path in the tree.
    package var name: String
    /// The path to open.
    package var input: String
    /// The destination of its outputs: the file, or the directory of several files.
    package var place: String
    /// The output files.
    package var outputs: [String]
    /// The number of bytes to read.
    package var readByteCount: Int
    /// The number of bytes to write; `nil` if nothing is written.
    package var writtenByteCount: Int?
    /// Whether an earlier run finished it.
    package var isFinished: Bool
    /// The reason why it cannot be processed.
    package var fault: CheckpointError?
  }

  /// The items, in the order of the plan.
  package let items: [Item]
  /// The free space for outputs in bytes; `nil` if it is unknown.
  package let availableByteCount: Int?
  /// Whether the verb writes files.
  package let writes: Bool

  /// Previews the run of `schedule`.
  ///
  /// - Throws: `inputOutput` if the free space cannot be read.
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

  /// The number of items to process.
  package var openCount: Int { items.count { !$0.isFinished && $0.fault == nil } }

  /// The items that cannot be processed, with the reason.
  package var faults: [(input: String, error: CheckpointError)] {
    items.compactMap { item in item.fault.map { (item.input, $0) } }
  }

  /// The number of bytes to read.
  package var readByteCount: Int {
    items.reduce(0) { $0 + ($1.isFinished || $1.fault != nil ? 0 : $1.readByteCount) }
  }

  /// The number of bytes to write.
  package var writtenByteCount: Int { items.reduce(0) { $0 + ($1.writtenByteCount ?? 0) } }

  /// Whether the outputs fit the free space, as far as it is known.
  package var fits: Bool { writtenByteCount <= availableByteCount ?? .max }

  /// Returns one JSON line for each item and one for the batch; `Documentation/batch.md` describes
  /// them.
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
