internal import Batch
internal import Bytes
internal import Converter

/// What `ckptconv batch --dry-run` prints.
struct BatchListing {
  private let preview: BatchPreview

  init(_ preview: BatchPreview) { self.preview = preview }

  /// The listing, no wider than `width` columns where that is given.
  func text(width: Int?) -> String {
    let columns: [Table.Column] =
      preview.writes
      ? [.text("input"), .number("in"), .number("out"), .text("output")]
      : [.text("input"), .number("in"), .text("standing")]
    let table = Table(columns, rows: preview.items.map(row))
    return table.text(width: width) + "\n" + totals + "\n"
  }

  private func row(_ item: BatchPreview.Item) -> [String] {
    var cells = [item.input, ByteCount(bytes: item.readByteCount).description]
    if preview.writes {
      cells.append(item.writtenByteCount.map { ByteCount(bytes: $0).description } ?? "")
    }
    let standing =
      item.fault.map { "cannot be done: \($0.description)" }
      ?? (item.isFinished ? "done already" : nil)
    return cells + [standing ?? (preview.writes ? item.place : "to do")]
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
