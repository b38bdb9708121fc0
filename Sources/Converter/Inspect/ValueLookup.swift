public import CkptBase
public import CkptFormats
internal import CkptGraph

/// One value of a checkpoint, in full.
public struct ValueLookup: Hashable, Sendable {
  /// The value as JSON; `nil` if JSON has no counterpart.
  public var json: String?
  /// The value like Python's `repr`.
  public var text: String

  /// The maximum length of the text, in characters.
  private static let textLimit = 1 << 20

  /// Finds the value at a path of keys and indices, such as `param_groups.0.lr`; `nil` for none.
  ///
  /// - Throws: the errors of ``Checkpoint/init(path:_:)``.
  public init?(
    _ path: String, in file: String, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) {
    let graph = try CheckpointFile.read(file, options).graph
    guard let node = graph.node(at: path) else { return nil }
    var writer = ValueJSON(graph)
    json = writer.text(of: node)
    text = graph.description(of: node, limit: Self.textLimit)
  }
}
