package import CkptBase
package import CkptCopy
package import CkptFormats
internal import CkptPlan

/// The work of a batch on each of its inputs.
///
/// A verb decides its inputs and outputs. The batch does everything else: order, threads, journal,
/// retries, reports. To add a verb, write a type like ``FolderVerb``.
package protocol BatchVerb: Sendable {
  /// The name of the verb.
  var name: String { get }
  /// Whether it writes files. Then a batch needs a root.
  var writes: Bool { get }
  /// Whether it compares inputs with the tree below the root.
  var comparesWithRoot: Bool { get }
  /// Whether outputs can be compared with their inputs.
  var canVerify: Bool { get }
  /// Whether outputs are compared with their inputs before they count as done.
  var verifies: Bool { get }
  /// The version of the results: outputs of another version are made again. `nil` for verbs whose results
  /// have no versions.
  var outputVersion: Int? { get }
  /// The usual extensions of its input files, without the dot.
  var fileExtensions: [String] { get }

  /// Whether a directory with these file names is an input.
  func takes(directoryHolding names: Set<String>) -> Bool

  /// Whether a directory counts as an input if no directory below it does (incomplete checkpoints).
  func takesRemains(directoryHolding names: Set<String>) -> Bool

  /// Whether a file of that kind is an input.
  func takes(_ kind: FileKind) -> Bool

  /// Returns the work for one input, from names and locations alone.
  ///
  /// - Throws: ``CheckpointError`` for an input that is missing or has another kind.
  func work(on input: String, into place: OutputPlace) throws(CheckpointError) -> any BatchWork
}

extension BatchVerb {
  /// Whether it needs a root.
  package var needsRoot: Bool { writes || comparesWithRoot }
  /// Returns false: most verbs read one tree.
  package var comparesWithRoot: Bool { false }
  /// None.
  package var outputVersion: Int? { nil }
  /// Returns false: most verbs need a complete input.
  package func takesRemains(directoryHolding names: Set<String>) -> Bool { false }
  /// Returns false: most verbs have nothing to compare.
  package var canVerify: Bool { false }
  /// Returns false: most verbs have nothing to compare.
  package var verifies: Bool { false }
}

/// The work for one input.
package protocol BatchWork: Sendable {
  /// The files to read.
  var reads: [String] { get }
  /// The files and directories to write. All of them appear, or none.
  var writes: [String] { get }
  /// The hidden directories that can remain after a kill.
  var leftovers: [String] { get }

  /// Returns the number of bytes to write, without reading tensors.
  ///
  /// - Throws: ``CheckpointError`` for an input on which the work would fail.
  func measure() throws(CheckpointError) -> Int

  /// Does the work.
  ///
  /// - Parameters:
  ///   - budget: the threads and memory that it may use.
  ///   - progress: receives the bytes done and to do, on any thread.
  /// - Returns: the result.
  /// - Throws: ``CheckpointError`` with the file, archive entry or tensor in its path.
  func run(
    _ budget: WorkBudget, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> WorkResult
}

extension BatchWork {
  /// Empty: incomplete outputs have no name.
  package var leftovers: [String] { [] }
}

/// The resources for one item.
package struct WorkBudget: Sendable {
  /// The share of threads and memory.
  package var copying: CopyBudget
  /// Whether existing outputs are replaced.
  package var replacesExisting: Bool
}

/// The result of the work on one item.
package struct WorkResult: Hashable, Sendable {
  /// The output files.
  package var outputs: [String] = []
  /// Warnings for the user.
  package var warnings: [Notice] = []
  /// Hints about options that were not used.
  package var notes: [Notice] = []
  /// The problems found in the input, for verbs that check.
  package var problems: [Notice] = []
  /// Whether the outputs were compared with the input and hold everything in it.
  package var isVerified = false

  /// Creates an empty result.
  package init() {}
}
