internal import Converter
package import Formats

/// A verb that looks at checkpoints of all formats, writes nothing, and finds problems.
package protocol ReadOnlyVerb: BatchVerb {}

extension ReadOnlyVerb {
  package var writes: Bool { false }
  package var fileExtensions: [String] { ["safetensors", "pt", "pth", "bin", "ckpt"] }

  package func takes(directoryHolding names: Set<String>) -> Bool {
    CheckpointNames.holdsStates(names)
  }

  package func takes(_ kind: FileKind) -> Bool {
    switch kind {
    case .zip, .truncatedZip, .legacyTorch, .safetensors: true
    default: false
    }
  }
}
