internal import Bytes
internal import Graph

/// Decoded copies of deflated regions, in one temporary file that has no name.
struct Spool: Sendable {
  private var file: SourceFile?
  private var offsets: [FileRegion.Identity: Int] = [:]

  /// A spool without regions.
  init() {}

  /// Decodes `regions` into a file in `directory`; `carryOut` is what executes a plan.
  ///
  /// - Throws: what `carryOut` throws, and `inputOutput` when the file cannot be made.
  init(
    _ regions: [FileRegion], in directory: String,
    _ carryOut: (FilePlan, any CopyDestination) throws(FormatError) -> Void
  ) throws(FormatError) {
    guard !regions.isEmpty else { return }
    var plan = FilePlan()
    for region in regions {
      offsets[FileRegion.Identity(region)] = plan.byteCount
      plan.append(.copy(region, range: 0..<region.byteCount))
    }
    let scratch = try TemporaryOutput(in: directory)
    try carryOut(plan, scratch)
    file = try scratch.makeSource()
  }

  /// Where the bytes of `region` lie as they are; `nil` when they lie nowhere but deflated.
  func place(of region: FileRegion) -> (file: SourceFile, offset: Int)? {
    if let file, let offset = offsets[FileRegion.Identity(region)] { return (file, offset) }
    return region.encoding == .stored ? (region.file, region.range.lowerBound) : nil
  }
}
