internal import CkptBase
internal import CkptCheckpoints
internal import CkptCopy
internal import CkptGraph
internal import CkptPlan

/// Compares the tensors of a model with those that its configuration describes.
struct ModelCheck {
  /// The findings.
  private(set) var findings: [Finding] = []
  private let path: String
  private let outline: ModelOutline

  /// A fault of a tensor.
  ///
  /// Several blocks with the same fault are reported once.
  private struct Fault {
    var name: String
    /// The words after the name.
    var words: String
    var count: Int
  }

  /// The maximum number of faults to report one by one.
  private static let toldFaults = 8
  private static let remedy: Remedy = "one of the two belongs to another model, or was edited"

  /// Compares names and shapes.
  init(
    _ tensors: NamedTensors, of graph: TensorGraph, at path: String, by outline: ModelOutline
  ) {
    self.path = path
    self.outline = outline
    compare(tensors.shapes(in: graph))
    checkDTypes(tensors, of: graph)
  }

  private mutating func compare(_ found: [(name: String, shape: [Int])]) {
    var outside: [ExactString: [Int]] = [:]
    var blocks: [Int: [ExactString: [Int]]] = [:]
    var foreign: [(name: String, shape: [Int])] = []
    let known = Set(names: outline.inBlock.map(\.name))
    let singles = Set(names: outline.outside.map(\.name))
    for (name, shape) in found {
      if let (block, rest) = outline.split(name),
        block >= outline.blockCount || known.contains(rest)
      {
        blocks[block, default: [:]][rest] = shape
      } else if singles.contains(name) {
        outside[name] = shape
      } else {
        foreign.append((name, shape))
      }
    }
    reportBlocks(Set(blocks.keys))
    var faults = outline.outside.compactMap { fault($0, $0.name, outside[$0.name]) }
    let present = blocks.keys.filter { $0 < outline.blockCount }.sorted()
    for tensor in outline.inBlock {
      faults += merged(
        present.compactMap { block in
          fault(
            tensor, "\(outline.blockPrefix)\(block).\(tensor.name)", blocks[block]?[tensor.name])
        })
    }
    faults += foreign.map { Fault(name: $0.name, words: Self.foreign($0.shape), count: 1) }
    report(faults)
  }

  // MARK: Blocks

  private mutating func reportBlocks(_ found: Set<Int>) {
    let present = found.count { $0 < outline.blockCount }
    let first = (0...present).first { !found.contains($0) } ?? present
    if present < outline.blockCount {
      add(
        "\(Self.blocks(outline.blockCount - present)) missing, the first is "
          + "'\(outline.blockPrefix)\(first)' (\(outline.blockCountField))")
    }
    if let first = found.filter({ $0 >= outline.blockCount }).min() {
      add(
        "\(Self.blocks(found.count - present)) too many, the first is "
          + "'\(outline.blockPrefix)\(first)' (\(outline.blockCountField))")
    }
  }

  private static func blocks(_ count: Int) -> String {
    count == 1 ? "1 block is" : "\(count) blocks are"
  }

  // MARK: Tensors

  private func fault(
    _ tensor: ModelOutline.Tensor, _ name: String, _ shape: [Int]?
  ) -> Fault? {
    let words: String
    switch (shape, tensor.isCalledFor) {
    case (nil, false): return nil
    case (nil, true):
      words = "with shape \(tensor.shape) is missing" + Self.because(tensor.conditions)
    case (let shape?, false): words = Self.foreign(shape) + Self.because(tensor.conditions)
    case (let shape?, true):
      guard shape != tensor.shape else { return nil }
      words =
        "has shape \(shape), but \(outline.configuration) requires \(tensor.shape)"
        + Self.because(tensor.sizes)
    }
    return Fault(name: name, words: words, count: 1)
  }

  private static func foreign(_ shape: [Int]) -> String {
    "with shape \(shape) is not part of the model"
  }

  private static func because(_ fields: [String]) -> String {
    fields.isEmpty ? "" : " (\(fields.joined(separator: ", ")))"
  }

  /// Merges the faults of one tensor in several blocks; each kind remains once.
  private func merged(_ faults: [Fault]) -> [Fault] {
    var kinds: [Fault] = []
    var places: [String: Int] = [:]
    for fault in faults {
      if let place = places[fault.words] {
        kinds[place].count += 1
      } else {
        places[fault.words] = kinds.count
        kinds.append(fault)
      }
    }
    return kinds
  }

  private mutating func report(_ faults: [Fault]) {
    for fault in faults.prefix(Self.toldFaults) {
      let others = fault.count - 1
      add(
        "tensor '\(fault.name)' \(fault.words)"
          + (others > 0 ? "; the same in " + others.pluralized("other block") : ""))
    }
    let rest = faults.dropFirst(Self.toldFaults).reduce(0) { $0 + $1.count }
    if rest > 0 { add("\(rest) more tensors differ from \(outline.configuration)") }
  }

  // MARK: Element types

  private mutating func checkDTypes(_ tensors: NamedTensors, of graph: TensorGraph) {
    var counts: [DType: Int] = [:]
    for entry in tensors.entries { counts[graph[entry.id].dtype, default: 0] += 1 }
    if let words = DTypeMixture.words(counts) {
      findings.append(
        Finding(
          .warning, .tensors, at: path, "the tensors have different dtypes: \(words)",
          remedy: DTypeMixture.remedy))
    }
    for dtype in counts.keys where !NonFiniteCountingOutput.canSearch(dtype) {
      findings.append(
        Finding(
          .warning, .tensors, at: path, "\(dtype.name) is not a dtype for weights",
          remedy: "they were probably cast by mistake")
      )
    }
  }

  private mutating func add(_ message: String) {
    findings.append(Finding(.problem, .tensors, at: path, message, remedy: Self.remedy))
  }
}

/// Describes tensors of several dtypes where trainers write one.
///
/// The usual cause is a careless cast.
enum DTypeMixture {
  /// Returns the number of tensors of each dtype, the most frequent first; `nil` for a single
  /// dtype.
  static func words(_ counts: [DType: Int]) -> String? {
    guard counts.count > 1 else { return nil }
    return counts.sorted { ($1.value, $0.key.name) < ($0.value, $1.key.name) }
      .map { "\($0.value) of \($0.key.name)" }.joined(separator: ", ")
  }

  /// The remedy.
  static let remedy: Remedy = "some tensors were cast, or come from another file"
}
