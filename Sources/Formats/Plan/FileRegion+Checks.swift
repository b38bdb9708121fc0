internal import Bytes
internal import Graph

extension FileRegion {
  /// An error in this region's bytes.
  func fault(_ code: FormatError.Code, _ message: String, hint: String? = nil) -> FormatError {
    framed(FormatError(code, message, hint: hint))
  }

  /// An error with the names of the region and its file, which failed system calls name themselves.
  func framed(_ error: FormatError) -> FormatError {
    guard error.cause == nil else { return error }
    return error.framed(by: name).framed(by: file.path)
  }

  /// Makes sure that the region lies inside its file.
  ///
  /// - Throws: `truncated` when it does not, `malformed` when its lengths contradict each other.
  func validate() throws(FormatError) {
    guard range.lowerBound >= 0, byteCount >= 0, encoding == .deflated || byteCount == range.count
    else {
      throw fault(.malformed, "\(byteCount) bytes are announced and \(range.count) are stored")
    }
    guard range.upperBound <= file.byteCount else {
      throw fault(
        .truncated,
        "data ends at byte \(range.upperBound) of a file of \(file.byteCount) bytes")
    }
  }

  /// Makes sure that the region's decoded bytes have the stored checksum, if there is one.
  ///
  /// - Throws: `checksumMismatch` with both.
  func requireChecksum(_ computed: UInt32) throws(FormatError) {
    guard let crc32, crc32 != computed else { return }
    throw fault(
      .checksumMismatch,
      "stored CRC-32 is \(hexadecimal(crc32)), the data has \(hexadecimal(computed)): "
        + "the file was damaged after it was written",
      hint: "fetch or save the file again")
  }
}

/// Eight digits, as ZIP tools print checksums.
private func hexadecimal(_ checksum: UInt32) -> String {
  let digits = String(checksum, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}
