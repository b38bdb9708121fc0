/// What an archive is like beside its entries, for listings and for writing it again.
package struct ZipLayout: Hashable, Sendable {
  /// Where the archive starts, in bytes from the start of the file; its offsets count from there.
  package let archiveOffset: Int
  /// The length of the archive comment in bytes.
  package let commentLength: Int
  /// The bytes that follow the archive and its comment.
  package let trailingByteCount: Int
  /// Whether there is a ZIP64 end record; torch writes one into every archive.
  package let hasZip64Record: Bool
  /// Whether the CRC-32 of any entry with data is other than zero, or none has data.
  ///
  /// `torch.save` leaves all of them zero when told not to compute them.
  package let hasChecksums: Bool
  /// Whether every local header has torch's filler, even where it has no bytes to fill.
  package let hasTorchPadding: Bool
  /// The largest number that divides the distance of every entry's data from the archive's start;
  /// zero without entries.
  ///
  /// It is a multiple of the alignment the archive was written with.
  package let dataAlignment: Int
}
