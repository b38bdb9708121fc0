internal import Glibc

/// The logarithms of the C library, which Swift's standard library does not have.
extension Double {
  /// The natural logarithm (`log`).
  package var naturalLogarithm: Double { Glibc.log(self) }

  /// The decimal logarithm (`log10`).
  package var decimalLogarithm: Double { Glibc.log10(self) }

  /// The power of e with this exponent (`exp`).
  package var exponential: Double { Glibc.exp(self) }
}
