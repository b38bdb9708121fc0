import CkptBase
import CkptCheckpoints
import CkptCopy
import CkptTestSupport
import Testing

@testable import CkptStats

@Suite("Statistics are written as JSON and read again")
struct StoredStatisticsTests {
  @Test("All numbers return, NaN and infinities too")
  func returns() throws {
    let checkpoint = CheckpointStatistics.sample(step: 7) {
      $0.optimizer = "adamw"
      $0.files = [FileIdentity(path: "a \"name\"\u{1}", byteCount: 3, modified: -4)]
      $0.tensors[0].statistics.kurtosis = .nan
      $0.tensors[0].statistics.norm = .infinity
      $0.tensors[0].statistics.minimum = -0.1
      $0.tensors[0].statistics.histogram = MagnitudeHistogram(first: -1074, counts: [1, 0, 5])
      $0.tensors[0].statistics.firstNotFinite = 12
      $0.tensors[1].statistics.sketch = Sketch(sums: (0..<256).map { Double($0) / 3 })
      $0.tensors[1].statistics.rows = AxisNorms(
        count: 100, zero: 1, minimum: 0, median: 0.1, maximum: 3, rootMeanSquare: 0.2,
        minimumPlace: 5, maximumPlace: 99)
      $0.parameters[0].statistics.rowRangesWithoutUpdate = [3...3, 5...9]
      $0.parameters[1].statistics.overBound = nil
      $0.tensors[1].name = "\u{2028}<script>&\"'é"
    }
    let read = try CheckpointStatistics(reading: Array(checkpoint.json.utf8).span)
    // NaN is not equal to itself, and its text is.
    #expect(read.json == checkpoint.json)
    #expect(read.tensors[1] == checkpoint.tensors[1])
    #expect(read.parameters == checkpoint.parameters)
    #expect(read.files == checkpoint.files)
  }

  struct Hostile: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    let code: CheckpointError.Code
    var testDescription: String { name }
  }

  static let hostile = [
    Hostile(name: "nothing", text: "", code: .malformed),
    Hostile(name: "another object", text: #"{"kind":"run"}"#, code: .malformed),
    Hostile(name: "an array", text: "[]", code: .malformed),
    Hostile(
      name: "a later version", text: #"{"kind":"checkpoint","version":2}"#, code: .unsupported),
    Hostile(
      name: "a role that is none",
      text: #"{"kind":"checkpoint","version":1,"tensors":[{"role":"king"}]}"#, code: .malformed),
    Hostile(
      name: "a sketch that is too short",
      text: #"{"kind":"checkpoint","version":1,"tensors":[{"sketch":"AAAA"}]}"#, code: .malformed),
    Hostile(
      name: "a histogram without end",
      text:
        #"{"kind":"checkpoint","tensors":[{"histogram":{"first":9223372036854775807,"counts":[1]}}]}"#,
      code: .malformed),
    Hostile(
      name: "a range that goes backward",
      text: #"{"kind":"checkpoint","adam":[{"rows_without_update_ranges":[[3,2]]}]}"#,
      code: .malformed),
    Hostile(
      name: "a number that is a word",
      text: #"{"kind":"checkpoint","tensors":[{"rms":"large"}]}"#, code: .malformed),
    Hostile(
      name: "an end in the middle", text: #"{"kind":"checkpoint","tensors":[{"name":"w""#,
      code: .malformed),
  ]

  @Test("What is no statistics is refused", arguments: hostile)
  func refuses(_ test: Hostile) {
    let error = #expect(throws: CheckpointError.self) {
      try CheckpointStatistics(reading: Array(test.text.utf8).span)
    }
    #expect(error?.code == test.code)
  }
}

@Suite("Names of tensors and checkpoints")
struct StatisticsNameTests {
  struct Role: Sendable, CustomTestStringConvertible {
    let name: String
    let role: ParameterRole
    var testDescription: String { name }
  }

  static let roles = [
    Role(name: "transformer.wte.weight", role: .embedding),
    Role(name: "model.embed_tokens.weight", role: .embedding),
    Role(name: "transformer.ff_out.weight", role: .head),
    Role(name: "lm_head.weight", role: .head),
    Role(name: "embeddings.weight", role: .embedding),
    Role(name: "lm_head.w_out.weight", role: .head),
    Role(name: "lm_head.norm.weight", role: .norm),
    Role(name: "blocks.3.attention.w_q.weight", role: .attention),
    Role(name: "blocks.3.attention_norm.weight", role: .norm),
    Role(name: "blocks.3.feed_forward.w1.weight", role: .mlp),
    Role(name: "transformer.blocks.3.ff_out.weight", role: .mlp),
    Role(name: "transformer.blocks.3.ff_norm.weight", role: .norm),
    Role(name: "transformer.blocks.3.attn_norm.weight", role: .norm),
    Role(name: "transformer.ln_f.weight", role: .norm),
    Role(name: "transformer.blocks.3.att_proj.weight", role: .attention),
    Role(name: "model.layers.3.self_attn.q_proj.weight", role: .attention),
    Role(name: "model.layers.3.self_attn.q_norm.weight", role: .norm),
    Role(name: "model.layers.3.mlp.gate_proj.weight", role: .mlp),
    Role(name: "anything", role: .other),
  ]

  @Test("Names tell what tensors do", arguments: roles)
  func knowsRoles(_ test: Role) {
    #expect(ParameterRole(ofTensorNamed: test.name) == test.role)
  }

  @Test(
    "Names of checkpoints tell their step",
    arguments: [
      ("step1000-unsharded", 1000), ("step1000-unsharded.stats.json", 1000),
      ("checkpoint-250", 250), ("global_step12", 12), ("iter_0000030", 30), ("step", nil),
      ("model.pt", nil), ("step99999999999999999999", nil),
    ] as [(String, Int?)])
  func knowsSteps(_ name: String, _ step: Int?) {
    #expect(CheckpointStatistics.step(inNameOf: name) == step)
  }
}

@Suite("Tables of statistics")
struct StatisticsTableTests {
  @Test("Rows are ordered by number, NaN first and nothing last")
  func sorts() {
    let checkpoint = CheckpointStatistics.sample(step: 1) {
      for (index, kurtosis) in [3, nil, Double.nan, 9].enumerated() {
        var tensor = $0.tensors[0]
        tensor.name = "t\(index)"
        tensor.statistics.kurtosis = kurtosis
        $0.tensors.append(tensor)
      }
      $0.tensors.removeFirst(2)
    }
    var table = StatisticsTable(tensorsOf: checkpoint)
    table.sort(by: "kurtosis")
    #expect(table.rows.map { $0.values[0] } == ["t2", "t3", "t0", "t1"])
    table.truncate(to: 2)
    table.select(["kurtosis", "name"])
    #expect(table.rows.map(\.cells) == [["nan", "t2"], ["9", "t3"]])
  }

  @Test("CSV quotes what needs it")
  func writesCSV() {
    let checkpoint = CheckpointStatistics.sample(step: 1) {
      $0.tensors.removeLast()
      $0.tensors[0].name = "a,\"b\"\n"
    }
    var table = StatisticsTable(tensorsOf: checkpoint)
    table.select(["name", "shape", "mean", "zeros", "nan"])
    #expect(
      table.csv(header: true, behind: [("step", "1")])
        == "step,name,shape,mean,zeros,nan\n1,\"a,\"\"b\"\"\n\",\"[100, 32]\",0.0,0,0\n")
  }

  @Test("Every usual column exists")
  func knowsColumns() {
    let all = Set(StatisticsTable.allColumns)
    #expect(all.isSuperset(of: StatisticsTable.usualTensorColumns))
    #expect(all.isSuperset(of: StatisticsTable.usualStepColumns))
    #expect(all.count == StatisticsTable.allColumns.count)
  }
}
