public import Bytes

extension YAMLValue {
  /// The document as `OmegaConf.to_yaml` would write it: one value a line, lists at the indentation
  /// of their name, quotes only where another value would be read without them.
  ///
  /// - Throws: `inputOutput` when memory runs out.
  public func document() throws(FormatError) -> [UInt8] {
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

  private static func emit(_ scalar: YAMLScalar, to emitter: YAMLEmitter) throws(FormatError) {
    var isPlain = true
    if case .string(let text) = scalar { isPlain = PlainScalar.isText(text) }
    try emitter.scalar(scalar.description, isPlain: isPlain)
  }
}
