import CkptBase
import CkptCompare
import CkptCopy
import CkptSafetensors
import CkptTestSupport
import Testing

@Suite("Two checkpoints are compared in numbers")
struct DiffTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var first: PickledValue
    var second: PickledValue
    var bytes: [UInt8]
    var otherBytes: [UInt8]
    /// The row of tensor `x`.
    var row: String?
    /// The other differences.
    var others: [String] = []
  }

  private static func view(
    _ shape: [Int], _ strides: [Int]? = nil, _ type: String = "FloatStorage", _ count: Int = 6
  ) -> PickledValue {
    .tensor(.storage(type, .int(count)), shape, strides: strides)
  }

  private static let six = floats([1, 2, 3, 4, 5, 6])

  static let cases = [
    Case(
      testDescription: "equal", first: view([2, 3]), second: view([2, 3]), bytes: six,
      otherBytes: six),
    Case(
      testDescription: "one element", first: view([2, 3]), second: view([2, 3]), bytes: six,
      otherBytes: floats([1, 2, 3, 4, 4, 6]),
      row: "1 of 6, abs 1.0 at [1, 1], rel 0.2 at [1, 1]"),
    Case(
      testDescription: "the largest and the relatively largest", first: view([3], nil),
      second: view([3], nil), bytes: floats([100, 1, 0, 0, 0, 0]),
      otherBytes: floats([104, 2, 0, 0, 0, 0]),
      row: "2 of 3, abs 4.0 at [0], rel 0.5 at [1]"),
    Case(
      testDescription: "NaN on one side", first: view([3]), second: view([3]),
      bytes: floats([.nan, .nan, 1, 0, 0, 0]), otherBytes: floats([.nan, 1, 3, 0, 0, 0]),
      row: "2 of 3, 1 NaN, abs 2.0 at [2], rel \(2.0 / 3.0) at [2]"),
    Case(
      testDescription: "signs of zeros", first: view([2]), second: view([2]),
      bytes: floats([0, 1, 0, 0, 0, 0]), otherBytes: floats([-0.0, 1, 0, 0, 0, 0]),
      row: "0 of 2, 1 in bits"),
    Case(
      testDescription: "an infinity", first: view([1]), second: view([1]),
      bytes: floats([.infinity, 0, 0, 0, 0, 0]), otherBytes: floats([1, 0, 0, 0, 0, 0]),
      row: "1 of 1, abs inf at [0], rel inf at [0]"),
    Case(
      testDescription: "another type with the same numbers", first: view([2]),
      second: view([2], nil, "DoubleStorage", 2), bytes: six,
      otherBytes: [1.0, 2.0].flatMap { littleEndian($0.bitPattern) },
      row: "float32 float64: 0 of 2"),
    Case(
      testDescription: "another type", first: view([2], nil, "LongStorage", 2), second: view([2]),
      bytes: [Int64(1), 2].flatMap { littleEndian($0) }, otherBytes: floats([1, 4, 0, 0, 0, 0]),
      row: "int64 float32: 1 of 2, abs 2.0 at [1], rel 0.5 at [1]"),
    Case(
      testDescription: "another shape", first: view([2, 3]), second: view([6]), bytes: six,
      otherBytes: six, others: ["x: shape: [2, 3] / [6]"]),
    Case(
      testDescription: "transposed on one side", first: view([3, 2], [1, 3]), second: view([3, 2]),
      bytes: six, otherBytes: floats([1, 4, 2, 5, 3, 8]),
      row: "1 of 6, abs 2.0 at [2, 1], rel 0.25 at [2, 1]"),
    Case(
      testDescription: "transposed on the other side", first: view([3, 2]),
      second: view([3, 2], [1, 3]), bytes: floats([1, 4, 2, 5, 3, 8]), otherBytes: six,
      row: "1 of 6, abs 2.0 at [2, 1], rel 0.25 at [2, 1]"),
    Case(
      testDescription: "transposed on both sides, in two types", first: view([3, 2], [1, 3]),
      second: view([3, 2], [1, 3], "DoubleStorage", 6), bytes: six,
      otherBytes: [1.0, 2, 3, 4, 5, 8].flatMap { littleEndian($0.bitPattern) },
      row: "float32 float64: 1 of 6, abs 2.0 at [2, 1], rel 0.25 at [2, 1]"),
    Case(
      testDescription: "repeated elements count each time", first: view([100, 3], [0, 1]),
      second: view([100, 3], [0, 1]), bytes: six, otherBytes: floats([1, 2, 4, 0, 0, 0]),
      row: "100 of 300, abs 1.0 at [0, 2], rel 0.25 at [0, 2]"),
    Case(
      testDescription: "one element repeated, and as many of their own",
      first: view([5000], [0], "FloatStorage", 1),
      second: view([5000], nil, "FloatStorage", 5000), bytes: floats([1]),
      otherBytes: floats([Float](repeating: 1, count: 4999) + [2]),
      row: "1 of 5000, abs 1.0 at [4999], rel 0.5 at [4999]"),
    Case(
      testDescription: "a tensor and a number", first: view([1]), second: 1, bytes: six,
      otherBytes: six, others: ["x: type: tensor(float32, [1]) / int 1"]),
    Case(
      testDescription: "numbers", first: 0.5, second: 0.25, bytes: six, otherBytes: six,
      others: ["x: value: 0.5 / 0.25"]),
  ]

  @Test("Elements are compared as numbers, however tensors lie", arguments: cases, [1, 3])
  func elements(_ test: Case, threads: Int) throws {
    let folder = try CheckpointFolder()
    let first = try folder.torch("a.pt", ["x": test.first], [test.bytes])
    let second = try folder.torch("b.pt", ["x": test.second], [test.otherBytes])
    let finding = try DiffFinding(of: pair(first, second), budget: CopyBudget(threads: threads))
    #expect(finding.tensors.map(\.line) == (test.row.map { [$0] } ?? []))
    #expect(finding.others.map(\.line) == test.others)
    #expect(finding.unpaired.isEmpty && finding.renamed.isEmpty)
    #expect(finding.isEmpty == (test.row == nil && test.others.isEmpty))
  }

  // MARK: Names

  private static func tensor(_ key: Int) -> PickledValue {
    .tensor(.storage("ByteStorage", 2, key: .str("\(key)")), [2])
  }

  @Test("Names on one side only, and tensors that certainly have another name now")
  func names() throws {
    let folder = try CheckpointFolder()
    let first = try folder.torch(
      "a.pt",
      [
        "kept": Self.tensor(0), "old": Self.tensor(1), "gone": Self.tensor(2),
        "twin": Self.tensor(3), "n": 1,
      ], [[0, 0], [1, 1], [2, 2], [3, 3]])
    let second = try folder.torch(
      "b.pt",
      [
        "kept": Self.tensor(0), "new": Self.tensor(1), "more": Self.tensor(2),
        "twin1": Self.tensor(3), "twin2": Self.tensor(3), "m": 1,
      ], [[0, 0], [1, 1], [4, 4], [3, 3]])
    let finding = try DiffFinding(of: pair(first, second))
    #expect(finding.comparedCount == 1)
    #expect(finding.tensors.isEmpty)
    #expect(finding.renamed.map { [$0.first, $0.second] } == [["old", "new"]])
    #expect(
      finding.unpaired.map(\.line) == [
        "gone: missing: tensor(uint8, [2]) / -", "twin: missing: tensor(uint8, [2]) / -",
        "n: missing: 1 / -", "more: extra: - / tensor(uint8, [2])",
        "twin1: extra: - / tensor(uint8, [2])", "twin2: extra: - / tensor(uint8, [2])",
        "m: extra: - / 1",
      ])
  }

  @Test("The largest difference comes first, and NaN before all numbers")
  func order() throws {
    let folder = try CheckpointFolder()
    let object = PickledValue.dict(
      (0..<4).flatMap { number -> [PickledValue] in
        [
          .str("t\(number)"),
          .tensor(.storage("FloatStorage", 1, key: .str("\(number)")), [1]),
        ]
      })
    let first = try folder.torch("a.pt", object, [Float(1), 1, 1, 1].map { floats([$0]) })
    let second = try folder.torch("b.pt", object, [Float(2), 9, .nan, 1].map { floats([$0]) })
    let finding = try DiffFinding(of: pair(first, second))
    #expect(finding.tensors.map(\.name) == ["t2", "t1", "t0"])
    #expect(finding.comparedCount == 4)
  }

  @Test("A checkpoint in another format, or in shards, is equal", arguments: VerifyTests.forms)
  func formats(_ form: VerifyTests.Form) throws {
    let folder = try CheckpointFolder()
    let first = try folder.torch("a.pt", VerifyTests.weights, VerifyTests.storages)
    let second = try form.make(folder, first)
    #expect(try DiffFinding(of: pair(first, second)).isEmpty)
    #expect(try DiffFinding(of: pair(second, first)).isEmpty)
  }

  // MARK: Reports

  @Test("Differences within a tolerance do not count, but NaN does")
  func tolerance() throws {
    let folder = try CheckpointFolder()
    let object: PickledValue = ["x": Self.view([2], nil, "FloatStorage", 2)]
    let first = try folder.torch("a.pt", object, [floats([1, 100])])
    let second = try folder.torch("b.pt", object, [floats([1.5, 101])])
    let third = try folder.torch("c.pt", object, [floats([1, .nan])])
    func report(_ path: String, _ absolute: Double?, _ relative: Double?) throws -> DiffReport {
      var tolerance = DiffReport.Tolerance()
      (tolerance.absolute, tolerance.relative) = (absolute, relative)
      var report = DiffReport(first: first, second: path, tolerance: tolerance)
      report.files = [try DiffFinding(of: pair(first, path))]
      return report
    }
    #expect(try !report(second, nil, nil).isEqual)
    #expect(try report(second, 1, nil).isEqual)
    #expect(try !report(second, 0.9, nil).isEqual)
    #expect(try report(second, nil, 0.4).isEqual)
    #expect(try !report(second, nil, 0.3).isEqual)
    #expect(try !report(third, 1000, 1000).isEqual)
    #expect(try report(first, nil, nil).isEqual)
    let json = try report(second, 1, nil).json { $0.text ?? "" }
    #expect(json.contains(#""equal":true"#))
    #expect(json.contains(#""max_abs":{"value":1.0,"at":[1]}"#))
    #expect(json.contains(#""within_tolerance":true"#))
  }
}

extension DiffFinding.TensorRow {
  /// `types: count of all, NaN, bits, largest differences`, what is zero left out.
  fileprivate var line: String {
    guard let elements else { return "no numbers" }
    var parts = ["\(elements.count) of \(elementCount)"]
    if elements.bitCount > 0 { parts.append("\(elements.bitCount) in bits") }
    if elements.nanCount > 0 { parts.append("\(elements.nanCount) NaN") }
    for (name, maximum) in [("abs", elements.absolute), ("rel", elements.relative)] {
      if let maximum { parts.append("\(name) \(maximum.value) at \(indices(of: maximum))") }
    }
    return (firstType == secondType ? "" : "\(firstType) \(secondType): ")
      + parts.joined(separator: ", ")
  }
}
