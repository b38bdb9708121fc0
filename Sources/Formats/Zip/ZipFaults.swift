package import Bytes

/// What becomes of the contradictions in an archive.
///
/// Who converts takes none of them: the first one is thrown. Who wants to know what is there all the
/// same collects them and reads on, by the same code.
package struct ZipFaults: Sendable {
  /// How many contradictions are kept; a file can have one for every few bytes of it.
  private static let limit = 1000

  /// The contradictions found so far, of which the first thousand are kept.
  package private(set) var found: [FormatError] = []
  /// How many contradictions there are.
  package private(set) var count = 0
  /// Whether reading goes on.
  package let areTolerated: Bool

  /// No contradictions yet.
  package init(tolerated areTolerated: Bool) { self.areTolerated = areTolerated }

  /// Notes a contradiction.
  ///
  /// - Throws: the contradiction itself, unless they are tolerated.
  package mutating func note(_ fault: FormatError) throws(FormatError) {
    guard areTolerated else { throw fault }
    count += 1
    if found.count < Self.limit { found.append(fault) }
  }

  /// Notes what `body` throws; returns its value, or `nil` when it threw.
  ///
  /// - Throws: what `body` throws, unless contradictions are tolerated.
  mutating func noting<Value>(
    _ body: () throws(FormatError) -> Value
  ) throws(FormatError) -> Value? {
    do {
      return try body()
    } catch {
      try note(error)
      return nil
    }
  }

  /// A number as an `Int`; one that is too large is noted and taken for the largest.
  ///
  /// - Throws: `malformed` for one that is too large, unless contradictions are tolerated.
  mutating func int(_ value: UInt64, _ what: @autoclosure () -> String) throws(FormatError) -> Int {
    try noting { () throws(FormatError) in try Int(value, orThrow: what()) } ?? .max
  }
}
