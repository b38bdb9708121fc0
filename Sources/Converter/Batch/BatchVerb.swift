package import CkptBase
package import CkptCopy
package import CkptFormats
internal import CkptPlan

/// What a batch does to each of its inputs.
///
/// A verb knows what it takes and what it would read and write; the batch knows everything else:
/// order, threads, journal, retries, reports. To add one, write a type like ``FolderVerb``.
package protocol BatchVerb: Sendable {
  /// The word that calls it.
  var name: String { get }
  /// Whether it writes files: then a batch needs a root.
  var writes: Bool { get }
  /// Whether it compares inputs with the tree below the root.
  var comparesWithRoot: Bool { get }
  /// Whether outputs can be compared with their inputs.
  var canVerify: Bool { get }
  /// Whether outputs are compared with their inputs before they count as done.
  var verifies: Bool { get }
  /// What the files that it takes are usually called at their end, without the dot.
  var fileExtensions: [String] { get }

  /// Whether a directory that holds files of these names is an input.
  func takes(directoryHolding names: Set<String>) -> Bool

  /// Whether it is one if there is none below it: what is left of a checkpoint.
  func takesRemains(directoryHolding names: Set<String>) -> Bool

  /// Whether a file of that kind is an input.
  func takes(_ kind: FileKind) -> Bool

  /// Decides what is read and written for one input, by names and places alone.
  ///
  /// - Throws: ``CheckpointError`` for an input that is missing or of another kind.
  func work(on input: String, into place: OutputPlace) throws(CheckpointError) -> any BatchWork
}

extension BatchVerb {
  /// Whether it can do nothing without a root.
  package var needsRoot: Bool { writes || comparesWithRoot }
  /// No: most verbs look at one tree.
  package var comparesWithRoot: Bool { false }
  /// No: most verbs need what they work on.
  package func takesRemains(directoryHolding names: Set<String>) -> Bool { false }
  /// No: most verbs have nothing to compare.
  package var canVerify: Bool { false }
  /// No: most verbs have nothing to compare.
  package var verifies: Bool { false }
}

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
  /// - Throws: ``CheckpointError`` for an input that the work would fail on.
  func measure() throws(CheckpointError) -> Int

  /// Does it.
  ///
  /// - Parameters:
  ///   - budget: what it may use of the machine.
  ///   - progress: is told the bytes done and the bytes there are, from any thread.
  /// - Returns: what should be told of it.
  /// - Throws: ``CheckpointError`` with the file, archive entry or tensor in its path.
  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> WorkResult
}

extension BatchWork {
  /// None: what is being written has no name.
  package var leftovers: [String] { [] }
}

/// What one piece of work may use of the machine.
package struct WorkBudget: Sendable {
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
  package var warnings: [Notice] = []
  /// What could have been done and was not asked for.
  package var notes: [Notice] = []
  /// What was found wrong with the input, for verbs that examine.
  package var problems: [Notice] = []
  /// Whether the outputs were compared with the input and hold everything that it holds.
  package var isVerified = false

  /// A result without anything to tell.
  package init() {}
}
