import CkptBase
import CkptCompare
import CkptContainer
import CkptGraph
import CkptSafetensors
import CkptTestSupport
import CkptTorch

/// Checkpoints that a test writes down, and their comparison.
enum Compared {
  /// Zeros for four storages of 16 bytes.
  static let storages = [[UInt8]](repeating: [UInt8](repeating: 0, count: 16), count: 4)

  /// Reads a `.pt` file with this object.
  static func graph(
    _ object: PickledValue, storages: [[UInt8]] = storages
  ) throws -> TensorGraph {
    let archive = ZipBuilder.torch(pickle: object.pickle(), storages: storages)
    return try TorchReader.read(TemporaryFile.holding(archive.bytes())).graph
  }

  /// Reads a safetensors file with this header and data.
  static func safetensors(_ header: String, data: [UInt8] = []) throws -> GraphComparison.Side {
    let file = SafetensorsFile(header, data: data)
    let checkpoint = try SafetensorsReader.read(TemporaryFile.holding(file.bytes))
    return .init(checkpoint.graph, .names(metadata: checkpoint.container?.metadata ?? []))
  }

  /// Two objects, compared as objects.
  static func objects(
    _ first: PickledValue, _ second: PickledValue, limit: Int = 20
  ) throws -> GraphComparison {
    try GraphComparison(
      .init(graph(first), .objects), .init(graph(second), .objects), limit: limit)
  }
}

extension GraphComparison {
  /// The differences, one per line: `place: kind: first / second`.
  var lines: [String] { differences.first.map(\.line) }
}

extension Difference {
  /// `place: kind: first / second`.
  var line: String { "\(place): \(kind.rawValue): \(first ?? "-") / \(second ?? "-")" }
}
