/// A choice of names by patterns, as ``GlobPattern`` matches them.
package struct NameFilter: Hashable, Sendable {
  /// The patterns of the chosen names; empty for all.
  package var only: [String]
  /// The patterns of the names that are not chosen.
  package var skip: [String]

  /// Creates a filter, by default for all names.
  package init(only: [String] = [], skip: [String] = []) {
    (self.only, self.skip) = (only, skip)
  }

  /// Whether the filter chooses all names.
  package var takesAll: Bool { only.isEmpty && skip.isEmpty }

  /// Whether the filter chooses a name.
  package func selects(_ name: String) -> Bool {
    (only.isEmpty || only.contains { GlobPattern.matches(name, $0) })
      && !skip.contains { GlobPattern.matches(name, $0) }
  }
}
