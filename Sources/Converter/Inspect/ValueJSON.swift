internal import CkptBase
internal import CkptGraph
internal import CkptJSON

/// Writes values of a checkpoint as JSON, if JSON has a counterpart: numbers, strings, booleans,
/// null, lists, and dicts whose keys are strings.
///
/// Containers can be shared, so a few bytes of a pickle can represent any number of values. All
/// values of a file together are limited to ``byteLimit`` bytes.
struct ValueJSON {
  /// The maximum size of the text for one file, in bytes.
  private static let byteLimit = 4 << 20
  /// The maximum nesting of containers; Python's own JSON reader fails at about a thousand.
  private static let depthLimit = 64

  private let graph: TensorGraph
  private var remaining = Self.byteLimit

  /// Creates a writer for the values of `graph`.
  init(_ graph: TensorGraph) { self.graph = graph }

  /// Returns the JSON text of a value, or `nil` if JSON has no counterpart or the limit is reached.
  mutating func text(of node: NodeID) -> String? {
    var json = JSONWriter()
    let isWhole = write(node, to: &json, depth: 0)
    remaining -= json.bytes.count
    return isWhole ? String(decoding: json.bytes, as: UTF8.self) : nil
  }

  /// Writes a value; returns `false` if that failed, and the text is invalid.
  private func write(_ node: NodeID, to json: inout JSONWriter, depth: Int) -> Bool {
    guard depth <= Self.depthLimit, json.bytes.count < remaining else { return false }
    switch graph[node] {
    case .none: json.null()
    case .bool(let value): json.bool(value)
    case .int(let value): json.integer(value)
    case .float(let value) where value.isFinite: json.number(value)
    case .string(let run): return write(graph[run], to: &json)
    case .list(let run), .tuple(let run):
      json.beginArray()
      for item in graph[run] {
        guard write(item, to: &json, depth: depth + 1) else { return false }
      }
      json.endArray()
    case .dict(let run): return write(pairs: run, to: &json, depth: depth)
    case .object(let id):
      guard case .orderedDict(metadata: nil) = graph.knownObject(node),
        graph.tuple(graph[id].arguments)?.isEmpty == true
      else { return false }
      return write(pairs: graph[id].pairs, to: &json, depth: depth)
    default: return false
    }
    return true
  }

  private func write(pairs run: NodeRun, to json: inout JSONWriter, depth: Int) -> Bool {
    let items = graph[run]
    json.beginObject()
    for index in stride(from: items.startIndex, to: items.endIndex, by: 2) {
      guard case .string(let key) = graph[items[index]],
        let name = text(graph[key], json.bytes.count)
      else { return false }
      json.key(name)
      guard write(items[index + 1], to: &json, depth: depth + 1) else { return false }
    }
    json.endObject()
    return true
  }

  private func write(_ string: ArraySlice<UInt8>, to json: inout JSONWriter) -> Bool {
    guard let text = text(string, json.bytes.count) else { return false }
    json.string(text)
    return true
  }

  /// Returns the text of a string that has no lone surrogates and fits behind `written` bytes.
  private func text(_ string: ArraySlice<UInt8>, _ written: Int) -> String? {
    guard string.count <= remaining - written else { return nil }
    return String(validating: string, as: UTF8.self)
  }
}
