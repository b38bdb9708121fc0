internal import Bytes
internal import Pickle
internal import Safetensors

/// Safetensors files: names and data that the OLMo trainer unpickles, and the skeleton.
extension FileScanner {
  /// Scans every name and every tensor of bytes.
  mutating func scanSafetensors() throws(FormatError) {
    let contents: PickledParts
    do throws(FormatError) {
      contents = try PickledParts(of: file)
    } catch {
      guard error.code != .inputOutput else { throw error }
      return note(error)
    }
    for part in contents.parts { try scan(part) }
    findings += contents.skeletonGlobals.map { ScanFinding($0, at: [Self.skeleton]) }
    if let fault = contents.skeletonFault { note(fault.framed(by: Self.skeleton)) }
  }

  private static let skeleton = "skeleton"

  private mutating func scan(_ part: PickledParts.Part) throws(FormatError) {
    let place = ["tensor '\(part.name)'"]
    if PickleScan(part.key.span).isConvincing(part.key[...]) {
      add(PickleSweep(part.key, at: place + ["name"], .pickle))
    }
    if part.isPickled {
      try sweep(part.range, at: place, .pickle)
    } else if part.isBytes {
      let end = min(part.range.upperBound, part.range.lowerBound + Self.headByteCount)
      let head = try file.bytes(in: part.range.lowerBound..<end)
      guard PickleScan(head.span).isConvincing(head[...]) else { return }
      try sweep(part.range, at: place, .anything, allowsRest: true)
    }
  }
}
