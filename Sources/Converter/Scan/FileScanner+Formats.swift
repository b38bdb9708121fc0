internal import CkptBase
internal import CkptContainer
internal import CkptPickle
internal import CkptSafetensors

/// Safetensors files: names and data that the OLMo trainer unpickles, and the skeleton.
extension FileScanner {
  private static let skeleton = "skeleton"

  /// Scans every name and every tensor of bytes.
  mutating func scanSafetensors(_ item: Item, _ look: SourceLook) throws(CheckpointError) {
    let contents: EmbeddedPickles
    do throws(CheckpointError) {
      contents = try EmbeddedPickles(of: look)
    } catch {
      guard error.code.isOfTheInput else { throw error }
      return note(error, at: item)
    }
    for part in contents.parts { try scan(part, item) }
    findings += contents.skeletonGlobals.map { ScanFinding($0, at: item.place + [Self.skeleton]) }
    if let fault = contents.skeletonFault { note(fault.framed(by: Self.skeleton), at: item) }
  }

  private mutating func scan(
    _ part: EmbeddedPickles.Part, _ item: Item
  ) throws(CheckpointError) {
    let name = "tensor '\(part.name)'"
    let key = MemorySource(part.key, name: name)
    _ = try scanPickles(
      Item(key, at: item.place + [name, "name"], depth: item.depth + 1), .anything)
    guard part.isPickled || part.isBytes else { return }
    try scan(
      item.inner(SliceSource(part.range, of: item.source), name),
      part.isPickled ? .pickle : .tensor)
  }
}

/// Arrays of NumPy (`numpy/lib/format.py`): an array of objects is a pickle behind the header.
extension FileScanner {
  /// Scans the data of an array, whose file begins with `head`.
  mutating func scanArray(_ item: Item, _ head: [UInt8]) throws(CheckpointError) {
    // Mark, version, and the length of the header: 16 bits in version 1, 32 bits later.
    let lengthByteCount = head.count > 6 && head[6] == 1 ? 2 : 4
    let lengthEnd = 8 + lengthByteCount
    guard head.count >= lengthEnd else {
      return note(.broken, at: item, "the header of the array is cut off")
    }
    let length = head[8..<lengthEnd].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard lengthEnd + length <= item.source.byteCount else {
      return note(.broken, at: item, "the header of the array is cut off")
    }
    let data = lengthEnd + length..<item.source.byteCount
    try scan(item.inner(SliceSource(data, of: item.source), "data of the array"))
  }
}

/// Data of gzip (RFC 1952).
extension FileScanner {
  /// Scans what a file of gzip decompresses to.
  mutating func scanCompressed(_ item: Item) throws(CheckpointError) {
    do throws(CheckpointError) {
      let limit = min(budget, Limits.pickleBytes)
      let (bytes, isWhole) = try Gzip.inflate(item.source, limit: limit)
      budget -= bytes.count
      if !isWhole {
        note(
          .unread, at: item,
          "only the first \(bytes.count) bytes of the decompressed data were looked at")
      }
      try scan(item.inner(MemorySource(bytes, name: item.source.name), "decompressed data"))
    } catch {
      guard error.code.isOfTheInput else { throw error }
      note(error, at: item)
    }
  }
}
