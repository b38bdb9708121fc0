internal import Bytes
internal import Graph

/// The entries of a header by their names.
struct EntryTable {
  /// The entries in the order of the header.
  let all: [SafetensorsHeaderEntry]
  private var indices: [ExactString: Int] = [:]

  init(_ entries: [SafetensorsHeaderEntry]) {
    all = entries
    indices.reserveCapacity(entries.count)
    for (index, entry) in entries.enumerated() { indices[ExactString(entry.name)] = index }
  }

  /// The place among all of the entry of exactly that name.
  func index(of name: String) -> Int? { indices[ExactString(name)] }
}

extension SafetensorsHeaderEntry {
  /// Whether the header describes the elements of `tensor` like this.
  func describes(_ tensor: Tensor) -> Bool {
    let form = EntryForm(of: tensor)
    return form.dtype == dtype && form.shape == shape
  }
}
