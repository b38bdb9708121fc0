internal import Batch

/// A command that `ckptconv batch` can do to many inputs.
protocol BatchableCommand: Command {
  /// The command as a verb of a batch, as its flags ask for it.
  func batchVerb() -> any BatchVerb
}

extension PtToSafetensors: BatchableCommand {
  func batchVerb() -> any BatchVerb { ConversionVerb(name: Self.name, options) }
}

extension SafetensorsToPt: BatchableCommand {
  func batchVerb() -> any BatchVerb { ConversionVerb(name: Self.name, options) }
}
