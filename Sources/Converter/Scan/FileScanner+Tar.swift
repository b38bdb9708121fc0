internal import CkptBase
internal import CkptLegacy

/// Tar archives, in which PyTorch before 0.2 kept its pickles (`torch/serialization.py`,
/// `_legacy_load`), and others keep anything.
extension FileScanner {
  /// The members in which PyTorch before 0.2 put raw data between pickles.
  private static let interleavedNames: Set<String> = ["storages", "tensors"]

  /// Scans every member, and what nobody who unpacks the archive reads; returns where the members are.
  mutating func scanTar(_ item: Item) throws(CheckpointError) -> [Range<Int>] {
    let byteCount = item.source.byteCount
    let archive = try TarArchive(reading: item.source)
    for member in archive.members {
      let inner = try item.inner(SliceSource(member.range, of: item.source), member.name)
      if Self.interleavedNames.contains(member.name) {
        try scanInterleavedPickles(inner)
      } else {
        try scan(inner)
      }
      let padding = member.range.upperBound..<min(member.paddedEnd, byteCount)
      if let offset = try firstNonZero(of: item.source, in: padding) {
        note(
          .suspicious, at: item, offset: offset,
          "bytes stand between the end of member '\(member.name)' and the next header")
      }
    }
    if let fault = try TorchTarContainer.fault(in: item.source) { note(fault, at: item) }
    if let fault = archive.fault, fault.code == .truncated {
      note(fault, at: item)
    } else if let rest = try firstNonZero(of: item.source, in: archive.end..<byteCount) {
      // A block of zeros ends the archive, and others find more behind it.
      let start = rest / TarArchive.blockByteCount * TarArchive.blockByteCount
      note(
        .suspicious, at: item, offset: rest,
        "\(byteCount - rest) bytes stand after the tar archive")
      try scan(item.inner(SliceSource(start..<byteCount, of: item.source), "after the archive"))
    }
    return archive.members.map(\.range)
  }

  /// Returns the offset of the first byte in `range` that is not zero.
  private func firstNonZero(
    of source: any ByteSource, in range: Range<Int>
  ) throws(CheckpointError) -> Int? {
    let window = 1 << 20
    for start in stride(from: range.lowerBound, to: range.upperBound, by: window) {
      let bytes = try source.bytes(in: start..<min(start + window, range.upperBound))
      if let index = bytes.firstIndex(where: { $0 != 0 }) { return start + index }
    }
    return nil
  }
}
