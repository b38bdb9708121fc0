package import Bytes

/// Something to be worked on, and where it was found.
package struct FoundInput: Sendable {
  /// The path that opens it.
  package var path: String
  /// The directory below which it was searched for; the output tree begins there.
  package var base: String
  /// Why it cannot be worked on, where that is known already.
  package var fault: FormatError?
  /// Whether nothing is left of it because an earlier run has deleted it; only its base counts then.
  var isGone = false

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

  /// An argument of which nothing is left because an earlier run has deleted what it had converted;
  /// `nil` if `history` does not tell of that.
  package init?(deleted argument: String, _ history: JournalHistory) {
    let place = FilePath(argument).trimmed.text
    let pattern = GlobPattern(argument)
    let top = pattern?.base ?? place
    let prefix = FilePath(top).appending("").text
    let isKnown = history.records.contains { record in
      record.deletesSources
        && record.inputs.contains { $0.path == place || $0.path.hasPrefix(prefix) }
    }
    guard isKnown else { return nil }
    // A directory that is still there was searched; what is gone was an input itself.
    let exists = (try? Syscalls.status(at: top)) != nil
    self.init(argument, below: exists ? top : FilePath(place).directory.text)
    isGone = true
  }
}
