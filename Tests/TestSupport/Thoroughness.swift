internal import Glibc

/// How much of what a sweep could look at it does look at.
package enum Thoroughness {
  /// Whether everything is looked at, as `make sweep` does; else a part that takes seconds.
  package static let isFull = getenv("CKPTCONV_SWEEP") != nil

  /// One in how many truncations, bits and numbers is looked at; a prime, so that every bit of a byte
  /// and every byte of a field has its turn.
  package static let stride = isFull ? 1 : 23
}
