package import CkptBase
package import CkptCopy
internal import CkptFormats
package import CkptGraph
package import CkptPlan
internal import CkptSafetensors

/// Two checkpoints side by side, bit for bit.
package struct CheckpointVerification {
  /// How much could be compared.
  let scope: GraphComparison.Scope
  /// The first differences.
  package private(set) var differences: DifferenceList
  /// What was not compared, in words.
  let notCompared: [String]
  /// The size of the tensors whose bytes were compared.
  let byteCount: Int

  /// Compares names, values, types and tensors' bytes, as far as both files tell them.
  ///
  /// - Throws: `checksumMismatch` when one is damaged, and what reading them throws.
  package init(
    _ first: Checkpoint, _ second: Checkpoint, limit: Int = DifferenceList.defaultLimit,
    budget: CopyBudget, progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) {
    let graphs = try GraphComparison(first.side, second.side, limit: limit)
    scope = graphs.scope
    notCompared = graphs.notCompared
    differences = graphs.differences
    byteCount = graphs.tensorPairs.reduce(0) { $0 + first.graph[$1.first].byteCount }
    var data = TensorVerification(
      first, second, pairs: graphs.tensorPairs, budget: budget)
    let findings = try data.run(progress)
    let shown = findings.prefix(max(0, limit - differences.count))
    let elements = try Self.elements(shown, first, second, graphs.tensorPairs)
    for (finding, texts) in zip(shown, elements) {
      let others = finding.byteCount > 1 ? "; \(finding.byteCount) bytes differ" : ""
      differences.add(
        Difference(
          .bytes, at: graphs.tensorPairs[finding.pair].name,
          first: (finding.indices.isEmpty ? "" : "element \(finding.indices) is ") + texts.first,
          second: texts.second + others))
    }
    for _ in findings.dropFirst(shown.count) { differences.addUndescribed() }
  }

  /// The first elements that differ, as text.
  private static func elements(
    _ findings: ArraySlice<TensorVerification.Finding>, _ first: Checkpoint, _ second: Checkpoint,
    _ pairs: [TensorPair]
  ) throws(CheckpointError) -> [(first: String, second: String)] {
    guard !findings.isEmpty else { return [] }
    var plan = FilePlan()
    var texts: [(first: String, second: String)] = []
    var ranges: [(Range<Int>, Range<Int>)] = []
    for finding in findings {
      let pair = pairs[finding.pair]
      ranges.append(
        (
          plan.append(first.graph[pair.first].element(finding.indices), of: first.graph),
          plan.append(second.graph[pair.second].element(finding.indices), of: second.graph)
        ))
    }
    let file = try TemporaryOutput.holding(plan, budget: CopyBudget(threads: 1))
    for (finding, range) in zip(findings, ranges) {
      let dtype = first.graph[pairs[finding.pair].first].dtype
      texts.append(
        (
          ElementText.text(try file.bytes(in: range.0), dtype),
          ElementText.text(try file.bytes(in: range.1), dtype)
        ))
    }
    return texts
  }
}

extension FilePlan {
  /// Adds the bytes of an element, without a look at checksums, and returns their place; it is
  /// empty for an element of a storage that no file has in one piece.
  fileprivate mutating func append(_ tensor: Tensor, of graph: TensorGraph) -> Range<Int> {
    let start = byteCount
    guard tensor.packed != nil || tensor.storage.flatMap({ graph[$0].region }) != nil else {
      return start..<start
    }
    for segment in tensor.segments(from: graph) { append(segment.unchecked) }
    return start..<byteCount
  }
}

extension Checkpoint {
  /// The contents as one side of a comparison.
  var side: GraphComparison.Side {
    switch source.container {
    case .torch: .init(graph, .objects)
    case .safetensors(let file):
      .init(graph, file.hasSkeleton ? .objects : .names(metadata: file.metadata))
    case .shards(let files): .init(graph, .names(metadata: files.metadata))
    }
  }
}

/// One element of a tensor as messages show it: its value where that is a number, and its bits.
enum ElementText {
  /// The text for the packed bytes of an element.
  static func text(_ bytes: [UInt8], _ dtype: DType) -> String {
    guard !bytes.isEmpty else { return "another value" }
    let bits = bytes.reversed().reduce(into: "0x") { text, byte in
      text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    return value(bytes[...], dtype).map { "\($0) (\(bits))" } ?? bits
  }

  private static func value(_ bytes: ArraySlice<UInt8>, _ dtype: DType) -> String? {
    let bits = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    switch dtype {
    case .bool: return bits > 1 ? nil : bits == 1 ? "True" : "False"
    case .uint8, .uint16, .uint32, .uint64: return String(bits)
    case .int8: return String(Int8(truncatingIfNeeded: bits))
    case .int16: return String(Int16(truncatingIfNeeded: bits))
    case .int32: return String(Int32(truncatingIfNeeded: bits))
    case .int64: return String(Int64(truncatingIfNeeded: bits))
    case .float64: return number(Double(bitPattern: bits))
    case .float32: return number(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .float16: return number(Float(Float16(bitPattern: UInt16(truncatingIfNeeded: bits))))
    case .bfloat16: return number(Float(bitPattern: UInt32(truncatingIfNeeded: bits << 16)))
    case .complex32: return complex(bytes, .float16)
    case .complex64: return complex(bytes, .float32)
    case .complex128: return complex(bytes, .float64)
    default: return nil
    }
  }

  private static func complex(_ bytes: ArraySlice<UInt8>, _ part: DType) -> String? {
    guard let real = value(bytes.prefix(part.byteCount), part),
      let imaginary = value(bytes.suffix(part.byteCount), part)
    else { return nil }
    return "(\(real), \(imaginary))"
  }

  private static func number(_ value: some BinaryFloatingPoint & CustomStringConvertible) -> String
  {
    value.isNaN ? "nan" : value.description
  }
}

/// Compares files byte by byte, whatever is in them.
enum FileVerification {
  /// Compares two files.
  ///
  /// - Throws: `inputOutput` when one cannot be read.
  static func compare(
    _ first: String, _ second: String, budget: CopyBudget, _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> Verification.Finding {
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
    let bytes = try [files.0, files.1].map { file throws(CheckpointError) in
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
  package static func copying(_ file: SourceFile) -> FilePlan {
    let region = FileRegion(file: file, range: 0..<file.byteCount, name: file.path)
    var plan = FilePlan()
    plan.append(.copy(region, range: 0..<file.byteCount))
    return plan
  }
}
