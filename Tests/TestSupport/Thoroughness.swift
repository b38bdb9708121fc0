internal import Glibc

/// The part of all possible damage that a sweep tries.
package enum Thoroughness {
  /// Whether everything is looked at, as `make sweep` does; else a part that takes seconds.
  package static let isFull = getenv("CKPTCONV_SWEEP") != nil

  /// One in how many truncations, bits and numbers is looked at; a prime, so that every bit of a byte
  /// and every byte of a field has its turn.
  package static let stride = isFull ? 1 : 23
}
