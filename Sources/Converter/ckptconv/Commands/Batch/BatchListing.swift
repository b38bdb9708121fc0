internal import Batch
internal import Bytes

/// What `ckptconv batch --dry-run` prints.
struct BatchListing {
  private let preview: BatchPreview

  init(_ preview: BatchPreview) { self.preview = preview }

  /// The listing, no wider than `width` columns where that is given.
  func text(width: Int?) -> String {
    let rows = preview.items.map { item in
      [
        item.input, ByteCount(bytes: item.readByteCount).description,
        item.writtenByteCount.map { ByteCount(bytes: $0).description } ?? "",
        item.fault.map { "cannot be done: \($0.description)" }
          ?? (item.isFinished ? "done already" : item.place),
      ]
    }
    let table = Table(
      [.text("input"), .number("in"), .number("out"), .text("output")], rows: rows)
    return table.text(width: width) + "\n" + totals + "\n"
  }

  private var totals: String {
    var parts = [
      "\(preview.openCount) of \(preview.items.count.counting("item")) to do",
      "\(ByteCount(bytes: preview.readByteCount)) in",
    ]
    if preview.writes { parts.append("\(ByteCount(bytes: preview.writtenByteCount)) out") }
    if let free = preview.availableByteCount { parts.append("\(ByteCount(bytes: free)) free") }
    if !preview.faults.isEmpty { parts.append("\(preview.faults.count) cannot be done") }
    if !preview.fits { parts.append("which is not enough") }
    return parts.joined(separator: ", ")
  }
}
