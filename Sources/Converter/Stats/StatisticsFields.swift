internal import CkptBase
internal import CkptCheckpoints
internal import CkptCopy
internal import CkptJSON

/// A number among statistics: its name in JSON and in tables, and its property.
///
/// Writers, readers, tables and orders all go by the same lists of fields.
struct StatisticsField<Root>: Sendable {
  /// A property of a certain type.
  typealias Property<Value> = WritableKeyPath<Root, Value> & Sendable

  private enum Kind: Sendable {
    case count(any Property<Int>)
    case optionalCount(any Property<Int?>)
    case number(any Property<Double>)
    case optionalNumber(any Property<Double?>)
    case derived(any KeyPath<Root, Double> & Sendable)
  }

  /// The name.
  let key: String
  private let kind: Kind

  init(_ key: String, _ property: any Property<Int>) {
    self.key = key
    kind = .count(property)
  }

  init(_ key: String, _ property: any Property<Int?>) {
    self.key = key
    kind = .optionalCount(property)
  }

  init(_ key: String, _ property: any Property<Double>) {
    self.key = key
    kind = .number(property)
  }

  init(_ key: String, _ property: any Property<Double?>) {
    self.key = key
    kind = .optionalNumber(property)
  }

  /// A field that follows from others, and is not read.
  init(_ key: String, derived property: any KeyPath<Root, Double> & Sendable) {
    self.key = key
    kind = .derived(property)
  }

  /// Whether it is a count, which is not rounded.
  var isCount: Bool {
    switch kind {
    case .count, .optionalCount: true
    case .number, .optionalNumber, .derived: false
    }
  }

  /// The value as a number; `nil` where there is none.
  func number(of root: Root) -> Double? {
    switch kind {
    case .count(let property): Double(root[keyPath: property])
    case .optionalCount(let property): root[keyPath: property].map { Double($0) }
    case .number(let property): root[keyPath: property]
    case .optionalNumber(let property): root[keyPath: property]
    case .derived(let property): root[keyPath: property]
    }
  }

  /// The value as it stands in JSON and CSV; `nil` where there is none.
  func text(of root: Root) -> String? {
    switch kind {
    case .count(let property): String(root[keyPath: property])
    case .optionalCount(let property): root[keyPath: property].map { String($0) }
    case .number(let property): root[keyPath: property].description
    case .optionalNumber(let property): root[keyPath: property]?.description
    case .derived(let property): root[keyPath: property].description
    }
  }

  /// Writes the value as a member.
  func write(_ root: Root, to json: inout JSONWriter) {
    switch kind {
    case .count(let property): json.member(key, root[keyPath: property])
    case .optionalCount(let property): json.member(key, optional: root[keyPath: property])
    case .number(let property): json.member(key, optional: root[keyPath: property])
    case .optionalNumber(let property): json.member(key, optional: root[keyPath: property])
    case .derived(let property): json.member(key, optional: root[keyPath: property])
    }
  }

  /// Reads the value of a member.
  ///
  /// - Throws: `malformed` where it is not of the property's type.
  func read(into root: inout Root, from json: inout JSONReader) throws(CheckpointError) {
    switch kind {
    case .count(let property): root[keyPath: property] = try json.integer()
    case .optionalCount(let property):
      root[keyPath: property] = try json.readNull() ? nil : json.integer()
    case .number(let property):
      root[keyPath: property] = try json.readNull() ? .nan : json.anyNumber()
    case .optionalNumber(let property):
      root[keyPath: property] = try json.readNull() ? nil : json.anyNumber()
    case .derived: try json.skipValue()
    }
  }
}

extension Array {
  /// The object that ``StatisticsField/write(_:to:)`` has written field by field, over `root`.
  ///
  /// - Throws: `malformed` for something else.
  func readObject<Root>(
    over root: Root, _ json: inout JSONReader
  ) throws(CheckpointError) -> Root where Element == StatisticsField<Root> {
    var root = root
    try json.beginObject()
    while let key = try json.nextKey() {
      if let field = first(where: { $0.key == key }) {
        try field.read(into: &root, from: &json)
      } else {
        try json.skipValue()
      }
    }
    return root
  }

  /// Writes all values as an object.
  func writeObject<Root>(_ root: Root, to json: inout JSONWriter)
  where Element == StatisticsField<Root> {
    json.beginObject()
    for field in self { field.write(root, to: &json) }
    json.endObject()
  }
}

/// The numbers about the elements of a tensor.
extension StatisticsField<ElementStatistics> {
  static let all: [Self] = [
    Self("elements", \.elements), Self("zeros", \.zeros), Self("nan", \.nan),
    Self("inf", \.infinite), Self("first_not_finite", \.firstNotFinite),
    Self("subnormal", \.subnormal), Self("at_limit", \.atLimit), Self("min", \.minimum),
    Self("max", \.maximum), Self("absmin", \.smallest), Self("mean", \.mean),
    Self("mean_abs", \.meanMagnitude), Self("std", \.standardDeviation),
    Self("rms", \.rootMeanSquare), Self("norm", \.norm), Self("kurtosis", \.kurtosis),
  ]
}

/// The numbers about rows and columns.
extension StatisticsField<AxisNorms> {
  static let all: [Self] = [
    Self("count", \.count), Self("zero", \.zero), Self("norm_min", \.minimum),
    Self("norm_median", \.median), Self("norm_max", \.maximum),
    Self("norm_rms", \.rootMeanSquare), Self("at_min", \.minimumPlace),
    Self("at_max", \.maximumPlace),
  ]
}

/// The settings of an optimizer.
extension StatisticsField<OptimizerSettings> {
  static let all: [Self] = [
    Self("step", \.step), Self("lr", \.learningRate), Self("beta1", \.beta1),
    Self("beta2", \.beta2), Self("eps", \.epsilon), Self("weight_decay", \.weightDecay),
  ]
}

/// The numbers about the updates of a parameter.
extension StatisticsField<CheckpointStatistics.ParameterRow> {
  static let all: [Self] = [
    Self("step", \.settings.step), Self("lr", \.settings.learningRate),
    Self("beta1", \.settings.beta1), Self("beta2", \.settings.beta2),
    Self("eps", \.settings.epsilon), Self("weight_decay", \.settings.weightDecay),
    Self("elements", \.statistics.elements), Self("used", \.statistics.used),
    Self("grad_norm", \.statistics.gradientNorm),
    Self("grad_rms", \.statistics.gradientRootMeanSquare),
    Self("update_norm", \.statistics.updateNorm),
    Self("update_rms", \.statistics.updateRootMeanSquare),
    Self("update_absmax", \.statistics.updateMaximum),
    Self("relative_update", \.relativeUpdate), Self("coherence", \.statistics.coherence),
    Self("below_eps", \.statistics.belowEpsilon), Self("v_zero", \.statistics.secondZero),
    Self("v_zero_m_nonzero", \.statistics.secondZeroFirstNonzero),
    Self("v_negative", \.statistics.secondNegative), Self("over_bound", \.statistics.overBound),
    Self("rows_without_update", \.statistics.rowsWithoutUpdate),
  ]
}

extension JSONWriter {
  /// Writes a member whose value is an integer, or `null` for none.
  mutating func member(_ name: String, optional value: Int?) {
    key(name)
    if let value { integer(value) } else { null() }
  }

  /// Writes a member whose value is a number, or `null` for none; JSON has no NaN and no infinity, which
  /// are strings.
  mutating func member(_ name: String, optional value: Double?) {
    key(name)
    anyNumber(value)
  }

  /// Writes a number, `null`, or a string for a NaN or an infinity.
  mutating func anyNumber(_ value: Double?) {
    guard let value else { return null() }
    if value.isFinite { number(value) } else { string(value.description) }
  }
}

extension JSONReader {
  /// Reads what ``JSONWriter/anyNumber(_:)`` has written for a number.
  ///
  /// - Throws: `malformed` if the next value is another.
  mutating func anyNumber() throws(CheckpointError) -> Double {
    guard try peek() == UInt8(ascii: "\"") else {
      switch try number() {
      case .integer(let value): return Double(value)
      case .fraction(let value): return value
      }
    }
    let start = offset
    switch try string() {
    case "nan": return .nan
    case "inf": return .infinity
    case "-inf": return -.infinity
    default: throw CheckpointError(.malformed, "a text that is no number", at: start)
    }
  }
}
