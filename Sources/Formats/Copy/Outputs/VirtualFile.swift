package import CkptBase
internal import CkptGraph
package import CkptPlan

/// The planned file, for readers of its structure.
///
/// Long ranges that the plan copies from other files are left out and take neither time nor space.
package struct VirtualFile: Sendable {
  /// A range of the file that is left out.
  private struct Omission {
    /// The range in the file.
    var range: Range<Int>
    /// The region with its bytes.
    var original: FileRegion
    /// The offset in the region, in bytes.
    var start: Int
  }

  /// The minimum length of a range that is left out.
  private static let leastByteCount = 4096
  /// The number of bytes of a range that are kept: encoders read the first bytes of a record.
  static let leadingByteCount = 8

  /// The file, in which left-out ranges are zeros.
  package let file: FileSource
  private let omissions: [Omission]

  /// Creates the file in the user's directory for temporary files, where nobody sees it.
  ///
  /// With `omittingData` false nothing is left out. Without checksums, left-out ranges are not read
  /// at all.
  /// - Throws: the errors of ``CopyEngine/run(_:into:)``.
  package init(
    _ plan: FilePlan, omittingData: Bool = true, budget: CopyBudget = CopyBudget(),
    progress: CopyEngine.Progress? = nil
  ) throws(CheckpointError) {
    omissions = omittingData ? Self.omissions(in: plan) : []
    let output = try SparseOutput(leavingOut: omissions.map(\.range))
    let engine = CopyEngine(budget, progress: progress)
    try engine.run(plan.records.isEmpty ? Self.shell(of: plan, omissions) : plan, into: output)
    file = try output.makeSource()
  }

  private static func omissions(in plan: FilePlan) -> [Omission] {
    var omissions: [Omission] = []
    var offset = 0
    for segment in plan.segments {
      if case .copy(let region, let range) = segment, region.encoding == .stored,
        range.count >= leastByteCount
      {
        omissions.append(
          Omission(
            range: offset..<offset + range.count, original: region, start: range.lowerBound))
      }
      offset += segment.byteCount
    }
    return omissions
  }

  /// Returns the plan with zeros for the left-out ranges.
  private static func shell(of plan: FilePlan, _ omissions: [Omission]) -> FilePlan {
    var shell = FilePlan()
    var rest = omissions[...]
    for segment in plan.segments {
      guard let next = rest.first, next.range.lowerBound == shell.byteCount,
        next.range.count == segment.byteCount
      else {
        shell.append(segment)
        continue
      }
      rest.removeFirst()
      let lead = next.original.part(next.start..<next.start + leadingByteCount)
      shell.append(.copy(lead, range: 0..<leadingByteCount))
      shell.append(.zeros(byteCount: segment.byteCount - leadingByteCount))
    }
    return shell
  }

  // MARK: Originals

  /// Returns `plan` with the original files in place of this one; `nil` if it picks elements from a
  /// range that is only partly left out.
  package func takingFromOriginals(_ plan: FilePlan) -> FilePlan? {
    var result = FilePlan()
    var starts: [Int] = []
    var records = plan.records[...]
    for (index, segment) in plan.segments.enumerated() {
      starts.append(result.segments.count)
      switch segment {
      case .copy(let region, let range) where region.source === file:
        append(region, range, to: &result)
      case .gather(let region, let elements):
        guard let region = original(of: region) else { return nil }
        result.append(.gather(region, elements))
      case .cast(let region, let elements, let cast):
        guard let region = original(of: region) else { return nil }
        result.append(.cast(region, elements, cast))
      case .assembly(var assembly):
        for piece in assembly.pieces.indices {
          guard let region = original(of: assembly.pieces[piece].region) else { return nil }
          assembly.pieces[piece].region = region
        }
        result.append(.assembly(assembly))
      case .copy, .literal, .zeros, .computed: result.append(segment)
      }
      while let record = records.first, record.upperBound == index + 1 {
        _ = result.closeRecord(
          from: record.isEmpty ? result.segments.count : starts[record.lowerBound])
        records.removeFirst()
      }
    }
    return result
  }

  /// Adds the originals of a range in sequence.
  private func append(_ region: FileRegion, _ range: Range<Int>, to plan: inout FilePlan) {
    var place = region.range.lowerBound + range.lowerBound
    let end = place + range.count
    var index = firstOmission(endingAfter: place)
    while place < end {
      guard index < omissions.count, omissions[index].range.lowerBound < end else { break }
      let next = omissions[index]
      if next.range.lowerBound > place { append(place..<next.range.lowerBound, region, to: &plan) }
      let part = next.range.clamped(to: place..<end)
      let start = next.start + part.lowerBound - next.range.lowerBound
      plan.append(.copy(next.original, range: start..<start + part.count))
      place = part.upperBound
      index += 1
    }
    if place < end { append(place..<end, region, to: &plan) }
  }

  private func append(_ range: Range<Int>, _ region: FileRegion, to plan: inout FilePlan) {
    let part = FileRegion(source: file, range: range, name: region.name)
    plan.append(.copy(part, range: 0..<range.count))
  }

  /// Returns the original of a region; `nil` if only a part of it is left out.
  private func original(of region: FileRegion) -> FileRegion? {
    guard region.source === file, region.encoding == .stored else { return region }
    let index = firstOmission(endingAfter: region.range.lowerBound)
    guard index < omissions.count, omissions[index].range.overlaps(region.range) else {
      return region
    }
    let omission = omissions[index]
    guard omission.range.lowerBound <= region.range.lowerBound,
      omission.range.upperBound >= region.range.upperBound
    else { return nil }
    let start = omission.start + region.range.lowerBound - omission.range.lowerBound
    return omission.original.part(start..<start + region.range.count)
  }

  private func firstOmission(endingAfter place: Int) -> Int {
    omissions.firstIndexInOrder { $0.range.upperBound > place }
  }
}

extension Array {
  /// Returns the first index whose element fits `predicate`; all later elements must fit it too.
  func firstIndexInOrder(where predicate: (Element) -> Bool) -> Int {
    var candidates = 0..<count
    while !candidates.isEmpty {
      let middle = candidates.lowerBound + candidates.count / 2
      if predicate(self[middle]) {
        candidates = candidates.lowerBound..<middle
      } else {
        candidates = middle + 1..<candidates.upperBound
      }
    }
    return candidates.lowerBound
  }
}

/// A temporary file with left-out ranges, which take no space.
final class SparseOutput: CopyDestination {
  private let file: ScratchFile
  /// The ranges without their first bytes, in order.
  private let holes: [Range<Int>]

  /// Creates an empty file in the user's directory for temporary files.
  ///
  /// `stretches` are in order and left out, except for their first bytes.
  ///
  /// - Throws: `inputOutput` if the directory is missing, full or not writable.
  init(leavingOut stretches: [Range<Int>]) throws(CheckpointError) {
    let directory = Syscalls.temporaryDirectory()
    file = try ScratchFile(in: directory, label: directory + ": temporary file")
    file.forgetName()
    holes = stretches.map { $0.lowerBound + VirtualFile.leadingByteCount..<$0.upperBound }
  }

  /// False: bytes can be written anywhere in any order.
  var isSequential: Bool { false }

  /// The directory of the file.
  var scratchDirectory: String { file.scratchDirectory }

  /// Sets the length of the file without allocating blocks.
  func prepare(byteCount: Int) throws(CheckpointError) {
    guard byteCount > 0 else { return }
    let last: [UInt8] = [0]
    try file.write(last.span.raw, at: byteCount - 1)
  }

  /// Writes the parts of `bytes` that are not left out.
  func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
    let end = offset + bytes.byteCount
    var place = offset
    var index = holes.firstIndexInOrder { $0.upperBound > offset }
    while place < end {
      let hole = index < holes.count ? holes[index] : end..<end
      let stop = min(max(hole.lowerBound, place), end)
      if stop > place {
        try file.write(bytes.extracting(place - offset..<stop - offset), at: place)
      }
      place = max(stop, min(hole.upperBound, end))
      index += 1
    }
  }

  /// Returns the file for reading, after everything was written; it outlives this object.
  ///
  /// - Throws: `inputOutput` if there are no free descriptors.
  func makeSource() throws(CheckpointError) -> FileSource {
    try file.makeSource()
  }
}
