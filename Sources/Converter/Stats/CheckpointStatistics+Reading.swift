public import CkptBase
internal import CkptCheckpoints
internal import CkptCopy
internal import CkptJSON

extension CheckpointStatistics {
  /// The end of the names of files with statistics.
  public static let fileSuffix = ".stats.json"

  /// The beginning of every file with statistics.
  package static let beginning = "{\"kind\":\"\(kind)\""

  /// The most bytes of a file with statistics: those of some hundred thousand tensors.
  private static let largestByteCount = 1 << 30

  /// Reads the file at `path`, which ``json`` was written to.
  ///
  /// - Throws: ``CheckpointError`` with the file in its path: `malformed` for another text, `unsupported`
  ///   for measures of another version.
  public init(storedAt path: String) throws(CheckpointError) {
    let bytes = try FileSource(path: path)
      .contents(of: "a file of statistics", atMost: Self.largestByteCount)
    self = try CheckpointError.within(path) { () throws(CheckpointError) in
      try CheckpointStatistics(reading: bytes.span)
    }
  }

  /// Reads what ``json`` has written; the numbers about modules follow from the others.
  ///
  /// - Throws: `malformed` for another text, `unsupported` for measures of another version.
  init(reading bytes: Span<UInt8>) throws(CheckpointError) {
    self.init(path: "")
    var json = JSONReader(bytes)
    var isStatistics = false
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "kind": isStatistics = try json.string() == Self.kind
      case "version": try Self.requireVersion(json.integer())
      case "path": path = try json.string()
      case "step": step = try json.readNull() ? nil : json.integer()
      case "files":
        try json.beginArray()
        while try json.nextElement() { files.append(try FileIdentity(reading: &json)) }
      case "vocab_size": vocabularySize = try json.readNull() ? nil : json.integer()
      case "max_grad_norm": gradientLimit = try json.readNull() ? nil : json.anyNumber()
      case "losses": losses = try RunMetrics(reading: &json)
      case "optimizer": try readOptimizer(&json)
      case "tensors":
        try json.beginArray()
        while try json.nextElement() { tensors.append(try TensorRow(reading: &json)) }
      case "adam":
        try json.beginArray()
        while try json.nextElement() { parameters.append(try ParameterRow(reading: &json)) }
      default: try json.skipValue()
      }
    }
    try json.end()
    guard isStatistics else {
      throw CheckpointError(.malformed, "these are no statistics of a checkpoint")
    }
  }

  private static func requireVersion(_ found: Int) throws(CheckpointError) {
    guard found == version else {
      throw CheckpointError(
        .unsupported, "these measures are of version \(found); version \(version) is known",
        remedy: .text("measure the checkpoint again", .replaceExisting))
    }
  }

  private mutating func readOptimizer(_ json: inout JSONReader) throws(CheckpointError) {
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "name": optimizer = try json.readNull() ? nil : json.string()
      case "groups":
        try json.beginArray()
        while try json.nextElement() {
          groups.append(
            try StatisticsField<OptimizerSettings>.all.readObject(over: OptimizerSettings(), &json))
        }
      default: try json.skipValue()
      }
    }
  }
}

extension CheckpointStatistics.TensorRow {
  fileprivate init(reading json: inout JSONReader) throws(CheckpointError) {
    self.init(
      name: "", part: .model, role: .other, block: nil, dtype: "", shape: [],
      statistics: ElementStatistics())
    let fields = StatisticsField<ElementStatistics>.all
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "name": name = try json.string()
      case "part": part = try json.choice()
      case "role": role = try json.choice()
      case "block": block = try json.readNull() ? nil : json.integer()
      case "dtype": dtype = try json.string()
      case "shape":
        try json.beginArray()
        while try json.nextElement() { shape.append(try json.count()) }
      case "histogram": statistics.histogram = try MagnitudeHistogram(reading: &json)
      case "rows": statistics.rows = try AxisNorms(reading: &json)
      case "columns": statistics.columns = try AxisNorms(reading: &json)
      case "crc32": statistics.crc32 = UInt32(truncatingIfNeeded: try json.integer())
      case "sketch":
        let start = json.offset
        guard let sketch = Sketch(base64: try json.string()) else {
          throw CheckpointError(.malformed, "a text that is no sketch", at: start)
        }
        statistics.sketch = sketch
      default:
        guard let field = fields.first(where: { $0.key == key }) else {
          try json.skipValue()
          continue
        }
        try field.read(into: &statistics, from: &json)
      }
    }
  }
}

extension CheckpointStatistics.ParameterRow {
  fileprivate init(reading json: inout JSONReader) throws(CheckpointError) {
    self.init(
      name: "", role: .other, block: nil, settings: OptimizerSettings(),
      statistics: UpdateStatistics())
    let fields = StatisticsField<Self>.all
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "name": name = try json.string()
      case "role": role = try json.choice()
      case "block": block = try json.readNull() ? nil : json.integer()
      case "rows_without_update_ranges":
        try json.beginArray()
        while try json.nextElement() {
          statistics.rowRangesWithoutUpdate.append(try json.range())
        }
      default:
        guard let field = fields.first(where: { $0.key == key }) else {
          try json.skipValue()
          continue
        }
        try field.read(into: &self, from: &json)
      }
    }
  }
}

extension MagnitudeHistogram {
  fileprivate init?(reading json: inout JSONReader) throws(CheckpointError) {
    guard try !json.readNull() else { return nil }
    var (first, counts) = (0, [Int]())
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "first": first = try json.integer()
      case "counts":
        try json.beginArray()
        while try json.nextElement() { counts.append(try json.count()) }
      default: try json.skipValue()
      }
    }
    // No double has an exponent beyond.
    guard first.magnitude <= 2048, counts.count <= 4096 else {
      throw CheckpointError(.malformed, "a histogram of numbers that no type has")
    }
    self.init(first: first, counts: counts)
  }
}

extension AxisNorms {
  fileprivate init?(reading json: inout JSONReader) throws(CheckpointError) {
    guard try !json.readNull() else { return nil }
    let none = AxisNorms(
      count: 0, zero: 0, minimum: 0, median: 0, maximum: 0, rootMeanSquare: 0, minimumPlace: 0,
      maximumPlace: 0)
    self = try StatisticsField<AxisNorms>.all.readObject(over: none, &json)
  }
}

extension JSONReader {
  /// Reads one of the words that a type has.
  fileprivate mutating func choice<Choice: RawRepresentable<String>>() throws(CheckpointError)
    -> Choice
  {
    let start = offset
    let word = try string()
    guard let choice = Choice(rawValue: word) else {
      throw CheckpointError(.malformed, "the word '\(word)' is not known", at: start)
    }
    return choice
  }

  /// Reads the first and the last number of a range.
  fileprivate mutating func range() throws(CheckpointError) -> ClosedRange<Int> {
    let start = offset
    var numbers: [Int] = []
    try beginArray()
    while try nextElement() { numbers.append(try count()) }
    guard numbers.count == 2, numbers[0] <= numbers[1] else {
      throw CheckpointError(.malformed, "something that is no range", at: start)
    }
    return numbers[0]...numbers[1]
  }
}
