package import Bytes
package import Converter

/// `check` as a verb of a batch.
package struct ExaminationVerb: ReadOnlyVerb {
  package let name: String
  private let options: ExaminationOptions

  /// Examinations that follow `options`.
  package init(name: String, _ options: ExaminationOptions) {
    self.name = name
    self.options = options
  }

  package func takes(directoryHolding names: Set<String>) -> Bool {
    CheckpointNames.holdsParts(names)
  }

  package func takesRemains(directoryHolding names: Set<String>) -> Bool {
    CheckpointNames.holdsConfiguration(names)
  }

  package func work(
    on input: String, into place: OutputPlace
  ) throws(FormatError) -> any BatchWork {
    // Whatever is there can be a finding, and so can be whatever is not.
    ExaminationWork(input: input, options: options, reads: try InputFiles.all(of: input))
  }
}
