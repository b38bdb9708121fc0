/// The general purpose bit flag of an entry (APPNOTE 4.4.4).
package struct GeneralPurposeFlags: OptionSet, Hashable, Sendable {
  /// The sixteen bits.
  package let rawValue: UInt16

  /// Flags from their sixteen bits.
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  /// The data is encrypted.
  package static let encrypted = GeneralPurposeFlags(rawValue: 1 << 0)
  /// Checksum and sizes stand behind the data, in a data descriptor.
  package static let dataDescriptor = GeneralPurposeFlags(rawValue: 1 << 3)
  /// The data is a patch for another file.
  package static let patchedData = GeneralPurposeFlags(rawValue: 1 << 5)
  /// The data is encrypted with PKWARE's strong encryption.
  package static let stronglyEncrypted = GeneralPurposeFlags(rawValue: 1 << 6)
  /// The name is UTF-8.
  package static let utf8Name = GeneralPurposeFlags(rawValue: 1 << 11)
  /// Fields of the local header are masked because the central directory is encrypted.
  package static let maskedHeader = GeneralPurposeFlags(rawValue: 1 << 13)

  /// What the flags say about the data that this reader cannot handle, or `nil`.
  var obstacle: String? {
    if contains(.stronglyEncrypted) || contains(.maskedHeader) { return "strongly encrypted" }
    if contains(.encrypted) { return "encrypted" }
    if contains(.patchedData) { return "a patch for another file" }
    return nil
  }
}
