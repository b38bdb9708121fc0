package import Bytes
internal import Converter

/// `verify` as a verb of a batch: inputs are compared with what corresponds to them below the root.
package struct VerificationVerb: ReadOnlyVerb {
  package let name: String

  /// Comparisons of an input with its counterpart.
  package init(name: String) { self.name = name }

  package var comparesWithRoot: Bool { true }

  package func work(
    on input: String, into place: OutputPlace
  ) throws(FormatError) -> any BatchWork {
    let counterpart = try place.counterpart(of: input, withExtensions: fileExtensions)
    let verification = try Verification(of: input, and: counterpart)
    return VerificationWork(
      input: input, counterpart: counterpart, reads: try verification.sources)
  }
}

extension OutputPlace {
  /// What corresponds to an input: the directory of its name, or the file of its name with its own
  /// extension or the first of `extensions` that there is.
  ///
  /// - Throws: `inputOutput` when there is none, `unsupported` when it is the input itself.
  fileprivate func counterpart(
    of input: String, withExtensions extensions: [String]
  ) throws(FormatError) -> String {
    var names = [name]
    if try FilePath(input).status()?.isDirectory == false {
      names += extensions.map { FilePath(name).name(withExtension: $0) }
    }
    let found = try FilePath.existing(names, in: FilePath(directory))
    for path in found where try !FilePath(path).isSameFile(as: input) { return path }
    guard found.isEmpty else {
      throw FormatError(
        .unsupported, "it would be compared with itself",
        hint: "give the root of another tree with -o"
      ).framed(by: input)
    }
    var error = FormatError(SystemError.missing(path))
    error.hint = "'\(input)' has no counterpart below the root that -o names"
    throw error
  }
}
