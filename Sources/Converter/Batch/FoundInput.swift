package import Bytes
internal import Converter

/// Something to be worked on, and where it was found.
package struct FoundInput: Sendable {
  /// The path that opens it.
  package var path: String
  /// The directory below which it was searched for; the output tree begins there.
  package var base: String
  /// Why it cannot be worked on, where that is known already.
  package var fault: FormatError?

  /// An input, found below `base`.
  package init(_ path: String, below base: String, fault: FormatError? = nil) {
    self.path = path
    self.base = base
    self.fault = fault
  }

  /// An argument that stands for nothing.
  ///
  /// Its own directory is its base, so that it does not change where other outputs go.
  package init(missing argument: String, _ fault: FormatError) {
    self.init(argument, below: FilePath(argument).directory.text, fault: fault)
  }
}
