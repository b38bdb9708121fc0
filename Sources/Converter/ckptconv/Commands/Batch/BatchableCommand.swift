internal import Batch

/// A command that `ckptconv batch` can do to many inputs.
protocol BatchableCommand: Command {
  /// The command as a verb of a batch, as its flags ask for it.
  func batchVerb() -> any BatchVerb

  /// What the manual of the verb says beside that of the command, in paragraphs.
  static var batchManual: String { get }

  /// The names of flags that mean one input, which a batch refuses.
  static var flagsOfOneInput: Set<String> { get }

  /// Refuses what does not go together; the output is the batch's.
  mutating func checkForBatch(_ operands: [String], _ shared: SharedOptions) throws(UsageError)
}

extension BatchableCommand {
  /// Nothing: most commands do in a batch what they do elsewhere.
  static var batchManual: String { "" }

  /// None: most flags hold for any number of inputs.
  static var flagsOfOneInput: Set<String> { [] }

  /// Refuses what the command itself does.
  mutating func checkForBatch(
    _ operands: [String], _ shared: SharedOptions
  ) throws(UsageError) {
    try check(operands, shared)
  }
}

extension PtToSafetensors: BatchableCommand {
  static var flagsOfOneInput: Set<String> { ["manifest"] }

  func batchVerb() -> any BatchVerb { ConversionVerb(name: Self.name, options) }
}

extension SafetensorsToPt: BatchableCommand {
  static var flagsOfOneInput: Set<String> { ["manifest"] }

  func batchVerb() -> any BatchVerb { ConversionVerb(name: Self.name, options) }
}
