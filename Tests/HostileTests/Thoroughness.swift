import CkptTestSupport

extension Thoroughness {
  /// The sizes of the files made to exhaust their readers, in bytes: enough that the square of the
  /// smallest is minutes or gigabytes.
  static let exhaustionByteCounts = isFull ? [40_000, 4_000_000] : [40_000]
}
