package import Bytes

/// One input of a batch and what is to be done with it.
package struct BatchItem: Sendable {
  /// Its path in the trees of inputs and outputs, which names it in journal and reports.
  package let name: String
  /// The path that opens it.
  package let input: String
  /// What is to be done, or why that is impossible.
  package let work: Result<any BatchWork, FormatError>
  /// The size of what is read, in bytes.
  package let readByteCount: Int

  /// An item from its parts.
  package init(
    name: String, input: String, work: Result<any BatchWork, FormatError>, readByteCount: Int
  ) {
    self.name = name
    self.input = input
    self.work = work
    self.readByteCount = readByteCount
  }

  /// The files it writes.
  var writes: [String] { (try? work.get().writes) ?? [] }
}
