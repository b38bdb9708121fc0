internal import CCkptYAML
package import CkptBase

/// Writes events as text with libyaml.
@safe
final class YAMLEmitter {
  private let emitter: UnsafeMutablePointer<yaml_emitter_t>
  private let output: Output

  /// The collected text.
  private final class Output {
    var bytes: [UInt8] = []
  }

  /// Creates an emitter at the start of a document.
  ///
  /// - Throws: `inputOutput` if there is no memory.
  init() throws(CheckpointError) {
    output = Output()
    // Safe: the allocation is initialized before libyaml sees it; `deinit` frees it.
    unsafe emitter = .allocate(capacity: 1)
    unsafe emitter.initialize(to: yaml_emitter_t())
    guard unsafe yaml_emitter_initialize(emitter) == 1 else { throw problem }
    // Safe: `output` lives as long as the emitter; libyaml passes a buffer of `count` bytes.
    unsafe yaml_emitter_set_output(
      emitter,
      { context, buffer, count in
        guard let context = unsafe context, let buffer = unsafe buffer else { return 0 }
        let output = unsafe Unmanaged<Output>.fromOpaque(context).takeUnretainedValue()
        unsafe output.bytes.append(contentsOf: UnsafeBufferPointer(start: buffer, count: count))
        return 1
      }, Unmanaged.passUnretained(output).toOpaque())
    unsafe yaml_emitter_set_unicode(emitter, 1)
    unsafe try emit { event in unsafe yaml_stream_start_event_initialize(event, YAML_UTF8_ENCODING)
    }
    unsafe try emit { event in unsafe yaml_document_start_event_initialize(event, nil, nil, nil, 1)
    }
  }

  deinit {
    // Safe: `emitter` was initialized in `init`, and libyaml accepts one whose own failed.
    unsafe yaml_emitter_delete(emitter)
    unsafe emitter.deinitialize(count: 1)
    unsafe emitter.deallocate()
  }

  /// Writes a scalar, without quotes if `isPlain` and if its characters allow it.
  ///
  /// - Throws: `limitExceeded` for more than two gigabytes.
  func scalar(_ text: String, isPlain: Bool) throws(CheckpointError) {
    let bytes = Array(text.utf8)
    guard let count = Int32(exactly: bytes.count) else {
      throw CheckpointError(
        .limitExceeded, "a text has \(bytes.count) bytes, which is too long for YAML")
    }
    // Safe: libyaml fills the event, copies `count` bytes and does not keep the pointer.
    unsafe try emit { event in
      unsafe bytes.withUnsafeBufferPointer { buffer in
        var empty: UInt8 = 0
        return unsafe withUnsafePointer(to: &empty) { nothing in
          unsafe yaml_scalar_event_initialize(
            event, nil, nil, buffer.baseAddress ?? nothing, count, isPlain ? 1 : 0, 1,
            YAML_ANY_SCALAR_STYLE)
        }
      }
    }
  }

  /// Begins a list, with one element on each line.
  func beginSequence() throws(CheckpointError) {
    // Safe: libyaml fills the event and is given nothing else.
    unsafe try emit { event in
      unsafe yaml_sequence_start_event_initialize(event, nil, nil, 1, YAML_BLOCK_SEQUENCE_STYLE)
    }
  }

  /// Ends a list.
  func endSequence() throws(CheckpointError) {
    // Safe: libyaml fills the event and is given nothing else.
    unsafe try emit { event in unsafe yaml_sequence_end_event_initialize(event) }
  }

  /// Begins a mapping, with one name on each line.
  func beginMapping() throws(CheckpointError) {
    // Safe: libyaml fills the event and is given nothing else.
    unsafe try emit { event in
      unsafe yaml_mapping_start_event_initialize(event, nil, nil, 1, YAML_BLOCK_MAPPING_STYLE)
    }
  }

  /// Ends a mapping.
  func endMapping() throws(CheckpointError) {
    // Safe: libyaml fills the event and is given nothing else.
    unsafe try emit { event in unsafe yaml_mapping_end_event_initialize(event) }
  }

  /// Ends the document and returns its text.
  func finish() throws(CheckpointError) -> [UInt8] {
    // Safe: libyaml fills the events and is given nothing else.
    unsafe try emit { event in unsafe yaml_document_end_event_initialize(event, 1) }
    unsafe try emit { event in unsafe yaml_stream_end_event_initialize(event) }
    return output.bytes
  }

  private func emit(
    _ initialize: (UnsafeMutablePointer<yaml_event_t>) -> Int32
  ) throws(CheckpointError) {
    // Safe: the event is initialized before it is handed over, and libyaml deletes it in any case.
    var event = unsafe yaml_event_t()
    guard unsafe initialize(&event) == 1, unsafe yaml_emitter_emit(emitter, &event) == 1 else {
      throw problem
    }
  }

  private var problem: CheckpointError {
    // Safe: a constant C string inside libyaml, or null when memory ran out.
    let message = unsafe emitter.pointee.problem.map { unsafe String(cString: $0) }
    return CheckpointError(
      .inputOutput, "YAML cannot be written: \(message ?? "out of memory")")
  }
}

extension YAMLValue {
  /// Returns the document in the style of `OmegaConf.to_yaml`: one value on each line, lists at the
  /// indentation of their name, and quotes only where they are needed.
  ///
  /// - Throws: `inputOutput` if there is no memory.
  package func document() throws(CheckpointError) -> [UInt8] {
    let emitter = try YAMLEmitter()
    var work = [Step.value(self)]
    while let step = work.popLast() {
      switch step {
      case .value(let value):
        switch value.content {
        case .scalar(let scalar): try Self.emit(scalar, to: emitter)
        case .sequence(let elements):
          try emitter.beginSequence()
          work.append(.endSequence)
          work.append(contentsOf: elements.reversed().map(Step.value))
        case .mapping(let mapping):
          try emitter.beginMapping()
          work.append(.endMapping)
          for entry in mapping.entries.reversed() {
            work.append(.value(entry.value))
            work.append(.value(YAMLValue(entry.key)))
          }
        }
      case .endSequence: try emitter.endSequence()
      case .endMapping: try emitter.endMapping()
      }
    }
    return try emitter.finish()
  }

  private enum Step {
    case value(YAMLValue), endSequence, endMapping
  }

  private static func emit(_ scalar: YAMLScalar, to emitter: YAMLEmitter) throws(CheckpointError) {
    var isPlain = true
    if case .string(let text) = scalar { isPlain = PlainScalar.isText(text) }
    try emitter.scalar(scalar.description, isPlain: isPlain)
  }
}
