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
  /// Reads the skeleton `json` of a file of `fileByteCount` bytes.
  ///
  /// - Throws: `malformed` for another document, `unsupported` for a later version, `forbidden` for
  ///   a global that can run code, `limitExceeded` for too many nodes.
  package static func read(
    _ json: String, fileByteCount: Int, droppingUnsafe dropsUnsafe: Bool
  ) throws(CheckpointError) -> ParsedSkeleton {
    try withParts(of: json.utf8.span, fileByteCount) { text, parts throws(CheckpointError) in
      guard let layout = parts.layout else { throw SkeletonParts.incomplete }
      var nodes = try nodes(of: text, parts)
      var source: SkeletonSource?
      if let start = parts.source {
        var reader = JSONReader(text.extracting(start...), base: start)
        source = try SkeletonSource(reading: &reader)
      }
      let tensors = nodes.tensors
      var judge = SkeletonValidator(
        graph: nodes.graph, protocol: source?.pickleProtocol ?? 2, dropsUnsafe: dropsUnsafe)
      nodes.graph = TensorGraph()
      try judge.judge()
      let warnings = judge.droppedValues.warnings
      var recognizer = TensorRecognizer(
        graph: judge.finish(),
        storages: try SkeletonStorages(source, tensorCount: tensors.count))
      try recognizer.recognize()
      let graph = recognizer.finish()
      let archive = try source?.archive(
        sizes: SkeletonStorages.sizes(of: graph, limit: tensors.count))
      return ParsedSkeleton(
        graph: graph, tensors: tensors, layout: layout, origin: archive, warnings: warnings)
    }
  }

  /// Returns the globals that `json` names, with their verdicts, and refuses none.
  ///
  /// - Throws: the errors of ``read(_:fileByteCount:droppingUnsafe:)`` except those about globals.
  package static func globals(
    _ json: String, fileByteCount: Int
  ) throws(CheckpointError) -> [GlobalUse] {
    try withParts(of: json.utf8.span, fileByteCount) { text, parts throws(CheckpointError) in
      GlobalCensus.uses(in: try nodes(of: text, parts).graph)
    }
  }

  /// Calls `body` with the text of a document, decompressed if necessary, and the offsets of its parts.
  private static func withParts<Result>(
    of text: Span<UInt8>, _ fileByteCount: Int,
    _ body: (Span<UInt8>, SkeletonParts) throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result {
    let outer = try SkeletonParts(of: text)
    guard let start = outer.stream else { return try body(text, outer) }
    var reader = JSONReader(text.extracting(start...), base: start)
    let inner = try PackedSkeleton.text(
      of: &reader, byteCount: outer.streamByteCount, fileByteCount: fileByteCount)
    let parts = try SkeletonParts(of: inner.span)
    guard parts.stream == nil else {
      throw CheckpointError(.malformed, "the skeleton is compressed twice")
    }
    return try body(inner.span, parts)
  }

  /// Reads the nodes of the document without judging them.
  private static func nodes(
    of text: Span<UInt8>, _ parts: SkeletonParts
  ) throws(CheckpointError) -> SkeletonNodes {
    guard let rootStart = parts.root, let nodesStart = parts.nodes else {
      throw SkeletonParts.incomplete
    }
    var nodes = try SkeletonNodes(count: parts.nodeCount)
    if let start = parts.forms {
      var reader = JSONReader(text.extracting(start...), base: start)
      try nodes.readForms(&reader)
    }
    var reader = JSONReader(text.extracting(rootStart...), base: rootStart)
    nodes.graph.root = try nodes.value(&reader)
    if let start = parts.discarded {
      reader = JSONReader(text.extracting(start...), base: start)
      nodes.graph.discarded = try nodes.values(&reader)
    }
    reader = JSONReader(text.extracting(nodesStart...), base: nodesStart)
    try nodes.readTable(&reader)
    return nodes
  }
}

/// The offsets of the parts of a skeleton's document, in bytes.
private struct SkeletonParts {
  private var version: Int?
  private(set) var layout: Layout?
  private(set) var source: Int?
  private(set) var root: Int?
  private(set) var discarded: Int?
  private(set) var nodes: Int?
  private(set) var nodeCount = 0
  private(set) var forms: Int?
  /// The compressed document, if there is one.
  private(set) var stream: Int?
  private(set) var streamByteCount = 0

  /// The versions that are read.
  private static let versions = 1...SkeletonWriter.version

  /// Finds the parts of the document, which can be in any order.
  init(of text: Span<UInt8>) throws(CheckpointError) {
    var seen: Set<ExactString> = []
    var json = JSONReader(text)
    try json.beginObject()
    while let key = try json.nextKey() {
      guard seen.insert(ExactString(key)).inserted else {
        throw CheckpointError(.malformed, "'\(key)' is repeated", at: json.offset)
      }
      try read(key, &json)
    }
    try json.end()
    guard version != nil else {
      throw CheckpointError(.malformed, "the skeleton has no version")
    }
  }

  private mutating func read(_ key: String, _ json: inout JSONReader) throws(CheckpointError) {
    let start = json.offset
    switch key {
    case "skeleton":
      guard case .integer(let found) = try json.number(), Self.versions.contains(found) else {
        throw CheckpointError(
          .unsupported, "the skeleton has a version above \(SkeletonWriter.version)",
          remedy: .text("a later version of ckptconv wrote it", .ignoreSkeleton))
      }
      version = found
    case "layout":
      let name = try json.string()
      guard let known = Layout(rawValue: name) else {
        throw CheckpointError(.malformed, "'\(name)' is not a layout", at: start)
      }
      layout = known
    case "bytes": streamByteCount = try json.count()
    case "nodes":
      nodes = start
      nodeCount = try json.countElements()
    case "source":
      source = start
      try json.skipValue()
    case "root":
      root = start
      try skip(&json)
    case "discarded":
      discarded = start
      try skip(&json)
    case "forms":
      forms = start
      try skip(&json)
    case "deflate":
      stream = start
      try json.skipValue()
    default: try json.skipValue()
    }
  }

  /// Skips a value that is read and checked later.
  private func skip(_ json: inout JSONReader) throws(CheckpointError) {
    if try json.peek() == UInt8(ascii: "[") {
      _ = try json.countElements()
    } else {
      try json.skipValue()
    }
  }

  /// The error for a document without one of the required parts.
  static var incomplete: CheckpointError {
    CheckpointError(.malformed, "the skeleton needs a root, nodes and a layout")
  }
}

/// A parsed skeleton: the object as its pickle described it, and the entries of its tensors.
package struct ParsedSkeleton {
  /// The reference from a tensor to its data.
  package struct TensorReference {
    /// The place of a tensor's elements.
    package enum Place {
      /// No place: the tensor has no data.
      case nowhere
      /// The entry with this name.
      case entry(String)
      /// The entry that is named by the keys on the first path to the tensor.
      case path
    }

    /// The node of the tensor, or of its construction before it is recognized.
    package var node: NodeID
    /// The place of its elements.
    package var place: Place
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
