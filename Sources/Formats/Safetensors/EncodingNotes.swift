internal import Bytes

/// What the user should know of a file that is planned, and what the file has no place for.
struct EncodingNotes {
  /// Whether a skeleton goes along, which has a place for everything.
  let hasSkeleton: Bool
  private(set) var warnings: [String] = []
  private var losses: [String] = []

  init(hasSkeleton: Bool) { self.hasSkeleton = hasSkeleton }

  mutating func warn(_ text: String) { warnings.append(text) }

  /// Notes something that only a skeleton has a place for.
  mutating func lose(_ text: @autoclosure () -> String) {
    if !hasSkeleton { losses.append(text()) }
  }

  /// Notes something that readers who do not look at a skeleton will miss.
  mutating func hide(_ text: String) {
    if hasSkeleton { warnings.append(text) } else { losses.append(text) }
  }

  /// Notes the values whose names were taken.
  mutating func note(renamed names: [String]) {
    guard let first = names.first else { return }
    let others = names.count > 1 ? ", and \(names.count - 1) more share theirs" : ""
    let message = "two values are named '\(first)'\(others)"
    hide(hasSkeleton ? "\(message); the later ones got a number" : message)
  }

  /// Makes warnings of the losses where they are allowed.
  ///
  /// - Throws: `lossy` where they are not.
  mutating func settleLosses(allowed: Bool) throws(FormatError) {
    guard let first = losses.first else { return }
    guard allowed else {
      let others = losses.count > 1 ? " (and \(losses.count - 1) more)" : ""
      throw FormatError(
        .lossy, "\(first)\(others): a safetensors file without skeleton has no place for it",
        hint: "leave out --no-skeleton, or add --allow-loss to go on without")
    }
    warnings += losses.map { "lost: \($0)" }
    losses = []
  }
}
