package import CkptBase
package import CkptContainer
package import CkptGraph
internal import CkptJSON
package import CkptPickle
internal import CkptTorch

/// Reads the skeleton of a safetensors file, as `Documentation/skeleton.md` specifies it.
///
/// A skeleton is no more trusted than a pickle. The same policy judges it, and it can describe only
/// objects that a pickle can describe.
package enum SkeletonReader {
  /// The offsets of the parts of the document, in bytes.
  private struct Parts {
    var version: Int?
    var layout: Layout?
    var source: Int?
    var root: Int?
    var nodes: Int?
    var nodeCount = 0
    var discarded: Int?
  }

  /// Reads the skeleton `json`.
  ///
  /// - Throws: `malformed` for another document, `unsupported` for a later version, `forbidden` for
  ///   a global that can run code, `limitExceeded` for too many nodes.
  package static func read(
    _ json: String, droppingUnsafe dropsUnsafe: Bool
  ) throws(CheckpointError) -> ParsedSkeleton {
    let text = json.utf8.span
    let parts = try survey(text)
    guard let layout = parts.layout else { throw incomplete }
    var nodes = try nodes(of: text, parts)
    var source: TorchArchiveDescription?
    if let start = parts.source {
      var reader = JSONReader(text.extracting(start...), base: start)
      source = try SkeletonSource.read(&reader)
    }
    var judge = SkeletonValidator(graph: nodes.graph, dropsUnsafe: dropsUnsafe)
    let tensors = nodes.tensors
    nodes.graph = TensorGraph()
    try judge.judge()
    let warnings = judge.droppedValues.warnings
    var recognizer = TensorRecognizer(graph: judge.finish(), storages: SkeletonStorages(source))
    try recognizer.recognize()
    return ParsedSkeleton(
      graph: recognizer.finish(), tensors: tensors, layout: layout, origin: source,
      warnings: warnings)
  }

  /// Returns the globals that `json` names, with their verdicts, and refuses none.
  ///
  /// - Throws: the errors of ``read(_:droppingUnsafe:)`` except those about globals.
  package static func globals(_ json: String) throws(CheckpointError) -> [GlobalUse] {
    let bytes = Array(json.utf8)
    let text = bytes.span
    return GlobalCensus.uses(in: try nodes(of: text, survey(text)).graph)
  }

  /// Reads the nodes of the document without judging them.
  private static func nodes(
    of text: Span<UInt8>, _ parts: Parts
  ) throws(CheckpointError) -> SkeletonNodes {
    guard let rootStart = parts.root, let nodesStart = parts.nodes else { throw incomplete }
    var nodes = try SkeletonNodes(count: parts.nodeCount)
    var reader = JSONReader(text.extracting(nodesStart...), base: nodesStart)
    try nodes.readTable(&reader)
    reader = JSONReader(text.extracting(rootStart...), base: rootStart)
    nodes.graph.root = try nodes.value(&reader)
    if let start = parts.discarded {
      reader = JSONReader(text.extracting(start...), base: start)
      nodes.graph.discarded = try nodes.values(&reader)
    }
    return nodes
  }

  private static var incomplete: CheckpointError {
    CheckpointError(.malformed, "the skeleton needs a root, nodes and a layout")
  }

  /// Finds the parts of the document, which can be in any order.
  private static func survey(_ text: Span<UInt8>) throws(CheckpointError) -> Parts {
    var parts = Parts()
    var seen: Set<ExactString> = []
    var json = JSONReader(text)
    try json.beginObject()
    while let key = try json.nextKey() {
      guard seen.insert(ExactString(key)).inserted else {
        throw CheckpointError(.malformed, "'\(key)' is repeated", at: json.offset)
      }
      let start = json.offset
      switch key {
      case "skeleton":
        guard case .integer(SkeletonWriter.version) = try json.number() else {
          throw CheckpointError(
            .unsupported, "the skeleton does not have version \(SkeletonWriter.version)",
            remedy: .text("a later version of ckptconv wrote it", .ignoreSkeleton))
        }
        parts.version = SkeletonWriter.version
        continue
      case "layout":
        let name = try json.string()
        guard let layout = Layout(rawValue: name) else {
          throw CheckpointError(.malformed, "'\(name)' is not a layout", at: start)
        }
        parts.layout = layout
        continue
      case "source": parts.source = start
      case "root": parts.root = start
      case "discarded": parts.discarded = start
      case "nodes":
        parts.nodes = start
        parts.nodeCount = try json.countElements()
        continue
      default: break
      }
      try json.skipValue()
    }
    try json.end()
    guard parts.version != nil else {
      throw CheckpointError(.malformed, "the skeleton has no version")
    }
    return parts
  }
}

/// A parsed skeleton: the object as its pickle described it, and the entries of its tensors.
package struct ParsedSkeleton {
  /// The reference from a tensor to its data.
  package struct TensorReference {
    /// The node of the tensor, or of its construction before it is recognized.
    package var node: NodeID
    /// The name of the entry with its elements; `nil` for a tensor without data.
    package var name: String?
    /// Whether the node is a construction.
    package var hasConstruction: Bool
  }

  /// The object.
  ///
  /// Its tensors have storages without bytes.
  package var graph: TensorGraph
  /// The tensors, and the storages that are in the object by themselves.
  package var tensors: [TensorReference]
  /// The naming of the tensors.
  package var layout: Layout
  /// The container that the object comes from.
  package var origin: (any ContainerDescription)?
  /// Warnings for the user.
  package var warnings: [String]
}

/// The naming of the tensors in a safetensors file.
@nonexhaustive
public enum Layout: String, Sendable, CaseIterable {
  /// The dotted path of the value in the state dict.
  case plain
  /// The names of OLMo's trainer: base64 of the pickled key path; other values are pickled too.
  case olmo
}

/// The storages that a skeleton names.
///
/// Their bytes are in the entries of the tensors.
struct SkeletonStorages: StorageSource {
  private let isBigEndian: Bool
  private var byteCounts: [ExactString: Int] = [:]

  /// Creates the storages of the archive that a file was made from.
  init(_ archive: TorchArchiveDescription?) {
    isBigEndian = archive?.isBigEndian ?? false
    for case .storage(let name, let byteCount) in archive?.records ?? [] {
      byteCounts[ExactString(name)] = byteCount
    }
  }

  func storage(_ announced: PersistentStorage) throws(CheckpointError) -> Storage {
    guard let byteCount = byteCounts[ExactString(announced.recordName)] else {
      throw CheckpointError(
        .malformed, "storage '\(announced.key)' is not among the skeleton's records")
    }
    return Storage(
      key: announced.key, dtype: announced.dtype, location: announced.location,
      byteCount: byteCount, region: nil, isBigEndian: isBigEndian)
  }
}
