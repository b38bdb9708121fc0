/// Arithmetic on numbers that came from a file: every overflow is an error, never a trap.
extension Int {
  /// The sum of `self` and `other`.
  ///
  /// - Throws: `malformed` naming `what` when the sum does not fit 64 bits.
  package func adding(_ other: Int, orThrow what: @autoclosure () -> String) throws(FormatError)
    -> Int
  {
    let (sum, overflow) = addingReportingOverflow(other)
    guard !overflow else { throw FormatError(.malformed, "\(what()) overflows 64 bits") }
    return sum
  }

  /// The product of `self` and `other`.
  ///
  /// - Throws: `malformed` naming `what` when the product does not fit 64 bits.
  package func multiplied(
    by other: Int, orThrow what: @autoclosure () -> String
  ) throws(FormatError) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    guard !overflow else { throw FormatError(.malformed, "\(what()) overflows 64 bits") }
    return product
  }

  /// The sum of `self` and `other`, or the largest number there is: for totals that are only told.
  package func addingClamped(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  /// `value` as an `Int`.
  ///
  /// - Throws: `malformed` naming `what` when `value` is above `Int.max`.
  package init(_ value: UInt64, orThrow what: @autoclosure () -> String) throws(FormatError) {
    guard let exact = Int(exactly: value) else {
      throw FormatError(.malformed, "\(what()) of \(value) does not fit 63 bits")
    }
    self = exact
  }
}
