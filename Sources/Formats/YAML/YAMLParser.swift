internal import CCkptYAML
internal import CkptBase

/// Parses a document with libyaml into events.
///
/// libyaml keeps pointers into its parser and into the text, so both are in heap allocations that
/// never move. It keeps open collections on a stack of its own and looks at most a thousand
/// characters ahead.
@safe
final class YAMLParser {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let text: UnsafeMutableBufferPointer<UInt8>

  /// Creates a parser of `bytes`, which are UTF-8 or, with a byte order mark, UTF-16.
  ///
  /// - Throws: `inputOutput` if there is no memory.
  init(_ bytes: [UInt8]) throws(CheckpointError) {
    // Safe: both allocations are initialized before libyaml sees them; `deinit` frees them.
    unsafe text = .allocate(capacity: bytes.count)
    _ = unsafe text.initialize(from: bytes)
    unsafe parser = .allocate(capacity: 1)
    unsafe parser.initialize(to: yaml_parser_t())
    guard unsafe yaml_parser_initialize(parser) == 1 else {
      throw Self.outOfMemory
    }
    // Safe: the text lives as long as the parser and is `bytes.count` long.
    unsafe yaml_parser_set_input_string(parser, text.baseAddress, bytes.count)
  }

  deinit {
    // Safe: libyaml accepts a parser whose initialization failed, which it has cleared.
    unsafe yaml_parser_delete(parser)
    unsafe parser.deinitialize(count: 1)
    unsafe parser.deallocate()
    unsafe text.deallocate()
  }

  private static var outOfMemory: CheckpointError {
    CheckpointError(.inputOutput, "out of memory while reading YAML")
  }

  /// Returns the next event and its position.
  ///
  /// - Throws: `malformed` for invalid YAML.
  func next() throws(CheckpointError) -> (event: YAMLEvent, place: YAMLPlace) {
    // Safe: libyaml fills the event, whose pointers are valid until it is deleted below.
    var event = unsafe yaml_event_t()
    guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw problem }
    defer { unsafe yaml_event_delete(&event) }
    return unsafe (Self.translate(event), Self.place(event.start_mark))
  }

  private static func translate(_ event: yaml_event_t) -> YAMLEvent {
    // Safe: libyaml's documentation ties each member of the union to one type of event.
    switch unsafe event.type {
    case YAML_STREAM_START_EVENT: return .streamStart
    case YAML_DOCUMENT_START_EVENT: return .documentStart
    case YAML_DOCUMENT_END_EVENT: return .documentEnd
    case YAML_ALIAS_EVENT: return unsafe .alias(string(event.data.alias.anchor) ?? "")
    case YAML_SCALAR_EVENT:
      let scalar = unsafe event.data.scalar
      // Safe: libyaml has made `length` bytes of valid UTF-8 of it.
      let value = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      return unsafe .scalar(
        String(decoding: value, as: UTF8.self),
        isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE,
        .init(anchor: string(scalar.anchor), tag: string(scalar.tag)))
    case YAML_SEQUENCE_START_EVENT:
      let start = unsafe event.data.sequence_start
      return unsafe .sequenceStart(.init(anchor: string(start.anchor), tag: string(start.tag)))
    case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
    case YAML_MAPPING_START_EVENT:
      let start = unsafe event.data.mapping_start
      return unsafe .mappingStart(.init(anchor: string(start.anchor), tag: string(start.tag)))
    case YAML_MAPPING_END_EVENT: return .mappingEnd
    default: return .streamEnd
    }
  }

  private static func string(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    // Safe: anchors and tags are null or end with a NUL.
    unsafe text.map { unsafe String(cString: $0) }
  }

  private static func place(_ mark: yaml_mark_t) -> YAMLPlace {
    YAMLPlace(line: mark.line + 1, column: mark.column + 1)
  }

  /// The last error of libyaml.
  private var problem: CheckpointError {
    // Safe: plain members of a structure this object owns; the texts are constants of libyaml's.
    guard unsafe parser.pointee.error != YAML_MEMORY_ERROR else { return Self.outOfMemory }
    let message = unsafe parser.pointee.problem.map { unsafe String(cString: $0) }
    guard unsafe parser.pointee.error != YAML_READER_ERROR else {
      return CheckpointError(
        .malformed, message ?? "the text is not UTF-8", at: unsafe parser.pointee.problem_offset)
    }
    var sentence = message ?? "the text is not YAML"
    if let context = unsafe parser.pointee.context {
      sentence = unsafe String(cString: context) + ", " + sentence
    }
    return CheckpointError(.malformed, sentence)
      .framed(by: unsafe Self.place(parser.pointee.problem_mark).description)
  }
}

/// A parsing event of libyaml.
enum YAMLEvent: Sendable {
  /// The properties before a value.
  struct Properties: Sendable {
    /// The name after `&`, which aliases use.
    var anchor: String?
    /// The kind in `!!kind`, in its long form.
    var tag: String?
  }

  case streamStart
  case documentStart
  case documentEnd
  case streamEnd
  case alias(String)
  /// A scalar; `isPlain` if it has no quotes.
  case scalar(String, isPlain: Bool, Properties)
  case sequenceStart(Properties)
  case sequenceEnd
  case mappingStart(Properties)
  case mappingEnd
}
