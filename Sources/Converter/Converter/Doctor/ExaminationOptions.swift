/// What the caller decides about an examination.
public struct ExaminationOptions: Sendable {
  /// Whether all numbers of all tensors are read in search of those that are not finite.
  public var searchesValues = false
  /// The program that is to load the checkpoint; `nil` for none in particular.
  public var consumer: Consumer?
  /// What it may use of the machine.
  public var budget = CopyBudget()

  /// The defaults.
  public init() {}
}
