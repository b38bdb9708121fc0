internal import Bytes
package import Converter
package import Formats

/// `pt-to-safetensors` and `safetensors-to-pt` as verbs of a batch.
package struct ConversionVerb: BatchVerb {
  package let name: String
  private let options: ConversionOptions

  /// Conversions that follow `options`.
  package init(name: String, _ options: ConversionOptions) {
    self.name = name
    self.options = options
  }

  package var writes: Bool { true }
  package var canVerify: Bool { true }
  package var verifies: Bool { options.verifiesOutputs }

  package var fileExtensions: [String] {
    options.format == .torch ? ["safetensors"] : ["pt", "pth", "bin", "ckpt"]
  }

  package func takes(directoryHolding names: Set<String>) -> Bool {
    let suffix = options.format == .torch ? "safetensors" : "pt"
    return names.contains("model.\(suffix)") || names.contains("optim.\(suffix)")
  }

  package func takes(_ kind: FileKind) -> Bool {
    switch kind {
    case .zip, .truncatedZip, .legacyTorch: options.format == .safetensors
    case .safetensors: options.format == .torch
    default: false
    }
  }

  package func work(
    on input: String, into place: OutputPlace
  ) throws(FormatError) -> any BatchWork {
    ConversionWork(
      tasks: try Conversion(options).tasks(for: [input], to: try place.destination(of: input)),
      options: options)
  }
}
