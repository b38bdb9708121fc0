package import CkptBase
package import CkptCopy
package import CkptFormats
internal import CkptGraph
internal import CkptPlan
internal import CkptSafetensors

/// A comparison of two checkpoints bit for bit.
package struct VerifyComparison {
  /// The scope of the comparison.
  let scope: ComparisonScope
  /// The first differences.
  package private(set) var differences: DifferenceList
  /// The parts that were not compared, in words.
  let notCompared: [String]
  /// The total size of the tensors whose bytes were compared.
  let byteCount: Int

  /// Compares names, values, types and tensor bytes, as far as both files have them.
  ///
  /// - Throws: `checksumMismatch` if one is damaged, and the errors of reading them.
  package init(
    _ first: Checkpoint, _ second: Checkpoint, limit: Int = DifferenceList.defaultLimit,
    budget: CopyBudget, progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) {
    let graphs = try GraphComparison(first.side, second.side, limit: limit)
    scope = graphs.scope
    notCompared = graphs.notCompared
    differences = graphs.differences
    byteCount = graphs.tensorPairs.reduce(0) { $0 + first.graph[$1.first].byteCount }
    var tensors = TensorComparison<ByteComparison>(
      first, second, pairs: graphs.tensorPairs, budget: budget)
    let findings = try tensors.run(inspecting: true, progress)
    let shown = findings.prefix(max(0, limit - differences.count)).map {
      ShownElement($0, of: first.graph[graphs.tensorPairs[$0.pair].first])
    }
    let texts = try Self.texts(of: shown, first, second, graphs.tensorPairs)
    for (element, texts) in zip(shown, texts) {
      differences.add(
        Difference(
          .bytes, at: graphs.tensorPairs[element.pair].name,
          first: (element.indices.isEmpty ? "" : "element \(element.indices) is ") + texts.first,
          second: texts.second + element.others))
    }
    for _ in findings.dropFirst(shown.count) { differences.addUndescribed() }
  }

  /// The first different element of a tensor.
  private struct ShownElement {
    var pair: Int
    var indices: [Int]
    /// The number of different bytes, in words.
    var others: String

    init(_ finding: TensorComparison<ByteComparison>.Finding, of tensor: Tensor) {
      pair = finding.pair
      indices = finding.indices(ofElement: finding.found.first / tensor.dtype.byteCount)
      others = finding.found.count > 1 ? "; \(finding.found.count) bytes differ" : ""
    }
  }

  /// Returns the elements of both sides as text.
  private static func texts(
    of elements: [ShownElement], _ first: Checkpoint, _ second: Checkpoint, _ pairs: [TensorPair]
  ) throws(CheckpointError) -> [(first: String, second: String)] {
    guard !elements.isEmpty else { return [] }
    var plan = FilePlan()
    let ranges = elements.map { element in
      let pair = pairs[element.pair]
      return (
        plan.append(first.graph[pair.first].element(element.indices), of: first.graph),
        plan.append(second.graph[pair.second].element(element.indices), of: second.graph)
      )
    }
    let file = try TemporaryOutput.holding(plan, budget: CopyBudget(threads: 1))
    var texts: [(first: String, second: String)] = []
    for (element, range) in zip(elements, ranges) {
      let dtype = first.graph[pairs[element.pair].first].dtype
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
  /// Adds the bytes of an element, without checksums, and returns their range.
  ///
  /// It is empty for an element of a storage that is in several pieces.
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
  /// The contents as one side of a comparison of whole objects.
  var side: GraphComparison.Side {
    let holdsObject = container?.holdsObject ?? false
    return .init(graph, holdsObject ? .objects : .names(metadata: container?.metadata ?? []))
  }
}

/// An element of a tensor as text: its value, if it is a number, and its bits.
package enum ElementText {
  /// Returns the text for the packed bytes of an element.
  static func text(_ bytes: [UInt8], _ dtype: DType) -> String {
    guard !bytes.isEmpty else { return "another value" }
    let bits = bits(bytes[...])
    return value(bytes[...], dtype).map { "\($0) (\(bits))" } ?? bits
  }

  /// Returns the bits of an element in hexadecimal, the highest first.
  package static func bits(_ bytes: ArraySlice<UInt8>) -> String {
    bytes.reversed().reduce(into: "0x") { text, byte in
      text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
  }

  /// Returns the number in the packed bytes of an element; `nil` for types that are not numbers.
  package static func value(_ bytes: ArraySlice<UInt8>, _ dtype: DType) -> String? {
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
