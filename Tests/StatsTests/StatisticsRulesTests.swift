import CkptCheck
import CkptCopy
import Testing

@testable import CkptStats

@Suite("Rules judge checkpoints")
struct StatisticsRulesTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// The findings, as severity, rule and tensor.
    let found: [String]
    let change: @Sendable (inout CheckpointStatistics) -> Void
    var testDescription: String { name }

    init(
      _ name: String, _ found: String...,
      change: @escaping @Sendable (inout CheckpointStatistics) -> Void
    ) {
      self.name = name
      self.found = found
      self.change = change
    }
  }

  static let block = "transformer.blocks.0.ff_proj.weight"
  static let embedding = "transformer.wte.weight"

  /// The second of two checkpoints, of step 200.
  static let cases = [
    Case("nothing") { _ in },
    Case("a NaN", "problem not-finite \(block)") { $0.tensors[1].statistics.nan = 1 },
    Case("an infinity", "problem not-finite \(embedding)") {
      $0.tensors[0].statistics.infinite = 2
    },
    Case("as large as float16 can be", "warning saturated \(block)") {
      $0.tensors[1].dtype = "float16"
      $0.tensors[1].statistics.atLimit = 1
    },
    Case("as large as float32 can be") { $0.tensors[1].statistics.atLimit = 1 },
    Case("kurtosis 10") { $0.tensors[1].statistics.kurtosis = 10 },
    Case("kurtosis above 10", "note outliers \(block)") { $0.tensors[1].statistics.kurtosis = 11 },
    Case("kurtosis above 30", "warning outliers \(block)") {
      $0.tensors[1].statistics.kurtosis = 31
    },
    Case("kurtosis of a small matrix") {
      $0.tensors[1].shape = [5, 51]
      $0.tensors[1].statistics.kurtosis = 31
    },
    Case("kurtosis of a vector") {
      $0.tensors[1].shape = [3200]
      $0.tensors[1].statistics.kurtosis = 31
    },
    Case("a column nine times as long as others", "note outliers \(block)") {
      $0.tensors[1].statistics.columns = .of(maximum: 9, rootMeanSquare: 1)
    },
    Case("a row eight times as long as others") {
      $0.tensors[1].statistics.rows = .of(maximum: 8, rootMeanSquare: 1)
    },
    Case("the same bytes as before", "warning frozen \(block)") {
      $0.tensors[1].statistics.crc32 = 100_001
    },
    Case("the same bytes, and no learning rate") {
      $0.tensors[1].statistics.crc32 = 100_001
      $0.groups[0].learningRate = 0
    },
    Case("the same checksum of another type") {
      $0.tensors[1].statistics.crc32 = 100_001
      $0.tensors[1].dtype = "bfloat16"
    },
    Case("moments over their bound", "problem moments-disagree \(block)") {
      $0.parameters[1].statistics.overBound = 3
    },
    Case("a negative second moment", "problem moments-disagree \(block)") {
      $0.parameters[1].statistics.secondNegative = 1
      $0.parameters[1].statistics.overBound = nil
    },
    Case("moments over their bound after a change of decay", "warning moments-disagree \(block)") {
      $0.parameters[1].statistics.overBound = 3
      $0.groups[0].beta2 = 0.999
    },
    Case("squares that have underflowed", "warning second-moment-vanished \(block)") {
      $0.parameters[1].statistics.secondZeroFirstNonzero = 1
    },
    Case("a tenth below epsilon", "warning epsilon \(block)") {
      $0.parameters[1].statistics.belowEpsilon = 320
    },
    Case("less than a tenth below epsilon") { $0.parameters[1].statistics.belowEpsilon = 319 },
    Case("below epsilon only in rows without update") {
      $0.parameters[1].statistics.belowEpsilon = 640
      $0.parameters[1].statistics.rowsWithoutUpdate = 20
    },
    Case("small updates", "warning update-size \(block)") {
      $0.parameters[1].statistics.updateRootMeanSquare = 0.0458
    },
    Case("large updates", "warning update-size \(block)") {
      $0.parameters[1].statistics.updateRootMeanSquare = 0.689
    },
    Case("small updates of the embedding") {
      $0.parameters[0].statistics.updateRootMeanSquare = 0.01
    },
    Case("small updates after nineteen steps") {
      $0.parameters[1].statistics.updateRootMeanSquare = 0.01
      $0.parameters[1].settings.step = 19
    },
    Case("a large part of the weights", "warning relative-update \(block)") {
      $0.parameters[1].relativeUpdate = 0.11
    },
    Case("rows of padding", "note rows \(embedding)") {
      $0.parameters[0].statistics.rowsWithoutUpdate = 10
      $0.parameters[0].statistics.rowRangesWithoutUpdate = [90...99]
    },
    Case("rows of tokens", "warning rows \(embedding)") {
      $0.parameters[0].statistics.rowsWithoutUpdate = 10
      $0.parameters[0].statistics.rowRangesWithoutUpdate = [89...98]
    },
    Case("rows of a vocabulary that is not known", "note rows \(embedding)") {
      $0.vocabularySize = nil
      $0.parameters[0].statistics.rowsWithoutUpdate = 10
      $0.parameters[0].statistics.rowRangesWithoutUpdate = [0...9]
    },
    Case("rows of another matrix") {
      $0.parameters[1].statistics.rowsWithoutUpdate = 1
      $0.parameters[1].statistics.rowRangesWithoutUpdate = [0...0]
    },
    Case("gradients three times as large", "warning gradient-jump model") {
      for index in 0..<2 { $0.parameters[index].statistics.gradientNorm = 0.3 }
    },
    Case("gradients at the limit", "note always-clipped model", "warning gradient-jump model") {
      for index in 0..<2 { $0.parameters[index].statistics.gradientNorm = 0.65 }
    },
    Case("gradients at no limit", "warning gradient-jump model") {
      $0.gradientLimit = nil
      for index in 0..<2 { $0.parameters[index].statistics.gradientNorm = 0.65 }
    },
    Case("weights three times as large", "warning weights-jump mlp") {
      $0.tensors[1].statistics.norm *= 3
    },
  ]

  @Test("One thing wrong is found, and nothing else", arguments: cases)
  func judges(_ test: Case) {
    var rules = StatisticsRules()
    rules.judge(.sample(step: 100))
    rules.judge(.sample(step: 200, change: test.change))
    let found = rules.findings.map {
      "\($0.severity.rawValue) \($0.rule.rawValue) \($0.tensor ?? "model")"
    }
    #expect(found.sorted() == test.found.sorted())
    #expect(rules.findings.allSatisfy { $0.step == 200 && $0.path == "step200" })
  }

  @Test("A finding is told once, with its first step")
  func tellsOnce() {
    var rules = StatisticsRules()
    for step in [10, 20, 30] {
      rules.judge(.sample(step: step) { $0.tensors[1].statistics.kurtosis = Double(step) + 1 })
    }
    #expect(rules.findings.map(\.severity) == [.note, .warning])
    #expect(rules.findings.map(\.step) == [10, 30])
  }

  @Test("The first steps and the initial weights are no measure")
  func knowsBeginnings() {
    var rules = StatisticsRules()
    rules.judge(.sample(step: 0))
    rules.judge(
      .sample(step: 100) { for index in 0..<2 { $0.tensors[index].statistics.norm *= 50 } })
    #expect(rules.findings.isEmpty)
  }

  @Test("Gradients are held against the median of eight checkpoints")
  func remembersGradients() {
    var rules = StatisticsRules()
    for step in 1...12 {
      rules.judge(
        .sample(step: step) {
          let norm = step <= 4 ? 0.001 : 0.1
          for index in 0..<2 { $0.parameters[index].statistics.gradientNorm = norm }
        })
    }
    #expect(rules.findings.map(\.rule) == [.gradientJump])
    #expect(rules.findings.map(\.step) == [5])
  }
}

extension AxisNorms {
  fileprivate static func of(maximum: Double, rootMeanSquare: Double) -> AxisNorms {
    AxisNorms(
      count: 32, zero: 0, minimum: 0, median: 1, maximum: maximum,
      rootMeanSquare: rootMeanSquare, minimumPlace: 0, maximumPlace: 3)
  }
}
