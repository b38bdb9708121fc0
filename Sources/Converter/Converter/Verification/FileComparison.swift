internal import Bytes
internal import Comparison
internal import Formats
internal import Plan

/// Compares files byte by byte, whatever is in them.
enum FileComparison {
  /// Compares two files.
  ///
  /// - Throws: `inputOutput` when one cannot be read.
  static func compare(
    _ first: String, _ second: String, budget: CopyBudget, _ progress: @escaping CopyEngine.Progress
  ) throws(FormatError) -> Verification.Finding {
    let files = (try SourceFile.open(first), try SourceFile.open(second))
    var finding = Verification.Finding(first: first, second: second, scope: .bytes)
    finding.byteCount = files.0.byteCount
    let name = FilePath(first).name
    guard files.0.byteCount == files.1.byteCount else {
      finding.add(
        .length, at: name, "\(files.0.byteCount) bytes", "\(files.1.byteCount) bytes")
      return finding
    }
    let output = try ComparingOutput(expecting: files.1)
    try CopyEngine(budget, progress: progress).run(.copying(files.0), into: output)
    guard let found = output.differences.first else { return finding }
    let bytes = try [files.0, files.1].map { file throws(FormatError) in
      try file.bytes(in: found.offset..<found.offset + 1)[0]
    }
    let others = found.byteCount > 1 ? "; \(found.byteCount) bytes differ" : ""
    finding.add(
      .bytes, at: name, "byte \(found.offset) is 0x\(String(bytes[0], radix: 16))",
      "0x\(String(bytes[1], radix: 16))\(others)")
    return finding
  }
}

extension FilePlan {
  /// The plan of a file with the same bytes.
  static func copying(_ file: SourceFile) -> FilePlan {
    let region = FileRegion(file: file, range: 0..<file.byteCount, name: file.path)
    var plan = FilePlan()
    plan.append(.copy(region, range: 0..<file.byteCount))
    return plan
  }
}
