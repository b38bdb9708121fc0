/// What the caller decides about the directory that a checkpoint is converted to.
public struct FolderOptions: Sendable {
  /// Whether files that exist are replaced.
  public var replacesExisting = false
  /// Whether files are on the disk before they appear.
  public var synchronises = false
  /// What it may use of the machine.
  public var budget = CopyBudget()
  /// The hidden directory in which the files are until all are complete; `nil` for a new one beside
  /// the output.
  package var hiddenDirectory: String?
  /// Whether values that exist to run code become `None` instead of an error.
  public var dropsUnsafe = false

  /// The defaults.
  public init() {}
}
