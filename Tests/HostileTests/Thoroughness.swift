import Glibc

/// How much of what a sweep could look at it does look at.
enum Thoroughness {
  /// Whether everything is looked at, as `make sweep` does; else a part that takes seconds.
  static let isFull = getenv("CKPTCONV_SWEEP") != nil

  /// One in how many truncations and bits is looked at; a prime, so that every bit of a byte and
  /// every byte of a field has its turn.
  static let stride = isFull ? 1 : 23

  /// The sizes of the files made to exhaust their readers, in bytes: enough that the square of the
  /// smallest is minutes or gigabytes.
  static let exhaustionByteCounts = isFull ? [40_000, 4_000_000] : [40_000]
}
