package import Bytes
package import Plan

/// What is to be done for one input.
package protocol BatchWork: Sendable {
  /// The files that are read.
  var reads: [String] { get }
  /// The files and directories that are written; all of them appear, or none.
  var writes: [String] { get }
  /// The hidden directories that may be there if it is killed on the way.
  var leftovers: [String] { get }

  /// Finds out how many bytes will be written, without reading tensors.
  ///
  /// - Throws: ``FormatError`` for an input that the work would fail on.
  func measure() throws(FormatError) -> Int

  /// Does it.
  ///
  /// - Parameters:
  ///   - budget: what it may use of the machine.
  ///   - progress: is told the bytes done and the bytes there are, from any thread.
  /// - Returns: what should be told of it.
  /// - Throws: ``FormatError`` with the file, archive entry or tensor in its path.
  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) -> WorkResult
}

extension BatchWork {
  /// None: what is being written has no name.
  package var leftovers: [String] { [] }
}

/// What one piece of work may use of the machine.
package struct WorkBudget: Hashable, Sendable {
  /// Its part of the threads and of the memory.
  package var copying: CopyBudget
  /// Whether existing outputs are replaced.
  package var replacesExisting: Bool
}

/// What came of a piece of work.
package struct WorkResult: Hashable, Sendable {
  /// The files that were written.
  package var outputs: [String] = []
  /// What the user should know.
  package var warnings: [String] = []
  /// What could have been done and was not asked for.
  package var notes: [String] = []
  /// What was found wrong with the input, for verbs that examine.
  package var problems: [String] = []
  /// Whether the outputs were compared with the input and hold everything that it holds.
  package var isVerified = false

  /// A result without anything to tell.
  package init() {}
}
