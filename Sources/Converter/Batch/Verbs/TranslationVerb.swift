internal import Bytes
package import Converter
package import Formats

/// `config` as a verb of a batch.
package struct TranslationVerb: BatchVerb {
  package let name: String
  private let target: ConfigTranslation.Target?
  private let options: ConfigTranslation.Options

  /// Translations to `target`, by default to the side that a configuration is not of.
  package init(
    name: String, to target: ConfigTranslation.Target?, _ options: ConfigTranslation.Options
  ) {
    self.name = name
    self.target = target
    self.options = options
  }

  package var writes: Bool { true }
  package var fileExtensions: [String] { [] }

  package func takes(directoryHolding names: Set<String>) -> Bool {
    takesRemains(directoryHolding: names) && CheckpointNames.holdsStates(names)
  }

  package func takesRemains(directoryHolding names: Set<String>) -> Bool {
    ConfigTranslation.takes(directoryHolding: names, to: target)
  }

  package func takes(_ kind: FileKind) -> Bool { false }

  package func work(
    on input: String, into place: OutputPlace
  ) throws(FormatError) -> any BatchWork {
    let work = TranslationWork(
      input: input, target: target, destination: try place.destination(of: input),
      options: options)
    // A configuration is small: to translate it is the way to find out what is read and written.
    return try work.planned()
  }
}
