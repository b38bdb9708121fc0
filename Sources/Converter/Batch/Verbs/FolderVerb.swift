internal import Bytes
package import Converter
package import Formats

/// `olmo-to-hf` and `hf-to-olmo` as verbs of a batch: a directory becomes another one.
package struct FolderVerb: BatchVerb {
  package let name: String
  private let conversion: any FolderConversion

  /// Conversions of directories that `conversion` takes.
  package init(name: String, _ conversion: any FolderConversion) {
    self.name = name
    self.conversion = conversion
  }

  package var writes: Bool { true }
  package var fileExtensions: [String] { [] }

  package func takes(directoryHolding names: Set<String>) -> Bool {
    conversion.takes(directoryHolding: names)
  }

  package func takes(_ kind: FileKind) -> Bool { false }

  package func work(
    on input: String, into place: OutputPlace
  ) throws(FormatError) -> any BatchWork {
    guard try !place.isInput(input) else {
      throw FormatError(
        .unsupported, "it would be converted into itself",
        hint: "write to another directory with -o"
      ).framed(by: input)
    }
    return FolderWork(
      conversion: conversion, input: input, output: place.path,
      hidden: place.hiddenPath, reads: try conversion.sources(of: input))
  }
}
