public import CkptBase
public import CkptFormats
internal import CkptGraph
internal import CkptJSON

/// Writes values of a checkpoint as JSON, if JSON has a counterpart: numbers (also of NumPy), strings,
/// booleans, null, lists, dicts whose keys are strings, paths, and members of enumerations.
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

  /// Returns the contents of a bytes or bytearray object in base64, or `nil` for another value.
  mutating func base64(of node: NodeID) -> String? {
    switch graph[node] {
    case .bytes(let run), .byteArray(let run):
      guard Int(run.count) <= remaining / 2 else { return nil }
      remaining -= 2 * Int(run.count)
      return Base64.encode(Array(graph[run]), .standard)
    default: return nil
    }
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
    case .object(let id): return write(graph[id], node, to: &json, depth: depth)
    default: return false
    }
    return true
  }

  private func write(
    _ object: ObjectNode, _ node: NodeID, to json: inout JSONWriter, depth: Int
  ) -> Bool {
    switch graph.knownObject(node) {
    case .orderedDict(metadata: nil)? where graph.tuple(object.arguments)?.isEmpty == true:
      return write(pairs: object.pairs, to: &json, depth: depth)
    case .path(let path)?: json.string(path)
    case .size(let sizes)?: json.integers(sizes)
    case .numpyScalar(let dtype, let data)?:
      switch graph.numpyNumber(dtype, data) {
      case "True"?: json.bool(true)
      case "False"?: json.bool(false)
      case let number? where Double(number)?.isFinite == true: json.value(json: number)
      default: return false
      }
    case nil: return write(memberOfEnumeration: object, to: &json, depth: depth)
    default: return false
    }
    return true
  }

  /// Writes the value of a member of an enumeration, whose pickle calls the class with the value
  /// (`Enum.__reduce_ex__` in CPython's `Lib/enum.py`).
  private func write(
    memberOfEnumeration object: ObjectNode, to json: inout JSONWriter, depth: Int
  ) -> Bool {
    guard case .global = graph[object.callable], object.state == nil, object.keywords == nil,
      object.items.count == 0, object.pairs.count == 0,
      let arguments = graph.tuple(object.arguments), arguments.count == 1,
      let value = arguments.first
    else { return false }
    switch graph[value] {
    case .int, .string: return write(value, to: &json, depth: depth + 1)
    default: return false
    }
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
