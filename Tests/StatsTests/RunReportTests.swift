import CkptBase
import CkptCopy
import CkptTestSupport
import Testing

@testable import CkptStats

@Suite("Reports")
struct RunReportTests {
  /// Text that would be markup, end elements or attributes, or turn around what follows.
  static let hostile = "</script><img src=x onerror='alert(1)'>&\"\u{202e}\u{0}\n"

  private func run(_ steps: [Int], _ change: (inout CheckpointStatistics) -> Void = { _ in })
    -> RunStatistics
  {
    var run = RunStatistics()
    for step in steps { run.add(.sample(step: step, change: change)) }
    return run
  }

  @Test("Names are text wherever they stand")
  func escapesNames() {
    let run = run([10, 20]) { checkpoint in
      checkpoint.path += Self.hostile
      checkpoint.optimizer = Self.hostile
      for index in checkpoint.tensors.indices {
        checkpoint.tensors[index].name = "blocks.\(index)." + Self.hostile
        checkpoint.tensors[index].block = index
        checkpoint.tensors[index].statistics.nan = 1
      }
    }
    let html = RunReport(run, title: Self.hostile).html
    #expect(!html.contains("<img"))
    #expect(!html.contains("onerror='"))
    #expect(!html.contains("\u{202e}"))
    #expect(html.contains("&lt;/script&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;&quot;"))
    // One script of ours, and one element of data.
    #expect(html.parts(separatedBy: "<script") == 3)
    #expect(html.parts(separatedBy: "</script>") == 3)
  }

  @Test("A report is the same whenever it is made")
  func isDeterministic() {
    let run = run([1, 2, 3, 5])
    #expect(RunReport(run, title: "run").html == RunReport(run, title: "run").html)
  }

  @Test(
    "Runs of few checkpoints have reports",
    arguments: [[], [7], [7, 7], [3, 2], [1, 2]])
  func reportsSmallRuns(_ steps: [Int]) {
    let html = RunReport(run(steps), title: "run").html
    #expect(html.hasSuffix("</html>\n"))
    #expect(html.parts(separatedBy: "<tr id=\"t") == (steps.isEmpty ? 1 : 3))
    #expect(!html.contains("nan "))
  }

  @Test("Runs without optimizer, without blocks and without tensors have reports")
  func reportsPoorRuns() {
    let changes: [(inout CheckpointStatistics) -> Void] = [
      {
        $0.parameters = []
        $0.groups = []
      },
      { for index in $0.tensors.indices { $0.tensors[index].block = nil } },
      {
        $0.tensors = []
        $0.parameters = []
      },
      { for index in $0.tensors.indices { $0.tensors[index].statistics = ElementStatistics() } },
    ]
    for change in changes {
      let html = RunReport(run([1, 2, 3], change), title: "run").html
      #expect(html.hasSuffix("</html>\n"))
    }
  }

  @Test("A page allows nothing but itself")
  func forbidsRequests() {
    let html = RunReport(run([1, 2]), title: "run").html
    #expect(html.contains("default-src &#39;none&#39;"))
    let found = ["http:", "https:", "src=\"//", "href=\"//", "@import", "url("].filter {
      html.contains($0)
    }
    #expect(found == [])
  }
}

@Suite("Pieces of HTML")
struct HTMLTests {
  @Test("Text is escaped and markup is not")
  func escapes() {
    let name = "<a> & \"b\" 'c' é\u{200f}"
    let piece: HTML = "<b title=\"\(name)\">\(name)</b>"
    let text = "&lt;a&gt; &amp; &quot;b&quot; &#39;c&#39; é\\u{200f}"
    #expect(piece.text == "<b title=\"\(text)\">\(text)</b>")
  }

  @Test(
    "Coordinates have one digit",
    arguments: [
      (0.0, "0"), (1.25, "1.3"), (-0.04, "0"), (0.5, ".5"), (-12.34, "-12.3"), (100, "100"),
      (.nan, "0"), (.infinity, "0"),
    ] as [(Double, String)])
  func writesCoordinates(_ value: Double, _ text: String) {
    #expect(value.asCoordinate == text)
  }
}

@Suite("Scales of charts")
struct ChartScaleTests {
  @Test("Ticks are round numbers inside")
  func findsTicks() {
    #expect(ChartScale(95, 200).ticks(3) == [100, 125, 150, 175, 200])
    #expect(ChartScale(0, 1).ticks(4) == [0, 0.25, 0.5, 0.75, 1])
    #expect(ChartScale(1e-5, 1, isLogarithmic: true).ticks(4) == [1e-5, 1e-4, 1e-3, 0.01, 0.1, 1])
    #expect(ChartScale(1, 12, isLogarithmic: true).ticks(4) == [1, 3, 10])
    #expect(ChartScale(2, 2.2, isLogarithmic: true).ticks(4) == [2])
  }

  @Test("Values outside are moved to the edge, and equal ones have a scale")
  func places() throws {
    #expect(ChartScale(0, 10).place(-1) == 0)
    #expect(ChartScale(0, 10).place(5) == 0.5)
    #expect(ChartScale(1, 100, isLogarithmic: true).place(10) == 0.5)
    #expect(ChartScale(1, 100, isLogarithmic: true).place(0) == 0)
    let scale = try #require(ChartScale(covering: [3, 3, .nan], isLogarithmic: true))
    #expect(scale.low < 3 && 3 < scale.high)
    #expect(ChartScale(covering: [], isLogarithmic: false) == nil)
  }
}

@Suite("Pictures")
struct IndexedPNGTests {
  @Test("A picture of two by two pixels, byte by byte around the stream")
  func encodes() throws {
    let file = IndexedPNG.encode([[0, 253], [255, 1]])
    #expect(file.prefix(8) == [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    #expect(
      Array(file[8..<33]) == [0, 0, 0, 13] + Array("IHDR".utf8) + [0, 0, 0, 2, 0, 0, 0, 2]
        + [8, 3, 0, 0, 0] + Array(file[29..<33]))
    #expect(file.suffix(12) == [0, 0, 0, 0] + Array("IEND".utf8) + [0xae, 0x42, 0x60, 0x82])
    let start = try #require(file.firstRange(of: Array("IDAT".utf8))).upperBound
    let stream = Array(file[start..<file.count - 16])
    #expect(stream.prefix(2) == [0x78, 0xda])
    // Adler-32 of the rows, each behind the number of its filter.
    let (low, high) = [0, 0, 253, 0, 255, 1].reduce((1, 0)) { ($0.0 + $1, $0.1 + $0.0 + $1) }
    #expect(
      stream.suffix(4) == [UInt8(high >> 8), UInt8(high & 255), UInt8(low >> 8), UInt8(low & 255)])
  }
}

@Suite("Training logs")
struct RunMetricsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    let points: [String: [Int: Double]]
    var testDescription: String { name }
  }

  static let cases = [
    Case(
      name: "CSV", text: "step,train/CrossEntropyLoss,lr\n1,2.5,0.1\n2,2.25,0.1\n",
      points: ["train/CrossEntropyLoss": [1: 2.5, 2: 2.25]]),
    Case(
      name: "CSV of wandb, quoted and with gaps",
      text: "\"_step\",\"a, b loss\",\"val_loss\"\r\n\"10\",\"1\",\"\"\r\n\"5\",\"2\",\"3\"\r\n",
      points: ["a, b loss": [5: 2, 10: 1], "val_loss": [5: 3]]),
    Case(
      name: "JSON lines",
      text:
        "{\"_step\":1,\"loss\":4,\"text\":\"x\",\"more\":{\"loss\":9}}\n\n{\"step\":2,\"loss\":3.5}\n",
      points: ["loss": [1: 4, 2: 3.5]]),
    Case(
      name: "an array of JSON", text: "[{\"step\":1,\"loss\":4},{\"loss\":3}]",
      points: ["loss": [1: 4]]),
    Case(
      name: "NaN and words in the place of numbers", text: "step,loss\n1,nan\n2,x\n3,1\nx,1\n",
      points: ["loss": [3: 1]]),
  ]

  @Test("Losses are found by name", arguments: cases)
  func reads(_ test: Case) throws {
    let metrics = try RunMetrics(reading: Array(test.text.utf8))
    var found: [String: [Int: Double]] = [:]
    for series in metrics.series {
      #expect(series.points.map(\.step) == series.points.map(\.step).sorted())
      for point in series.points { found[series.name, default: [:]][point.step] = point.value }
    }
    #expect(found == test.points)
  }

  @Test(
    "Texts without losses are refused",
    arguments: ["", "a,b\n1,2\n", "step,lr\n1,2\n", "{\"step\":1}", "{\"step\":", "[1]"])
  func refuses(_ text: String) {
    let error = #expect(throws: CheckpointError.self) {
      try RunMetrics(reading: Array(text.utf8))
    }
    #expect(error?.code == .malformed)
  }

  @Test("Losses of a checkpoint replace those of the same steps")
  func joins() throws {
    var metrics = RunMetrics()
    for text in ["5,1\n6,2\n7,3\n", "2,9\n3,8\n", "6,4\n8,5\n"] {
      metrics.add(try RunMetrics(reading: Array("step,loss\n\(text)".utf8)))
    }
    let points = try #require(metrics.series.first).points
    #expect(points.map(\.step) == [2, 3, 5, 6, 8])
    #expect(points.map(\.value) == [9, 8, 1, 4, 5])
  }

  @Test("Spikes are counted against the thousand values before")
  func countsSpikes() throws {
    let lines = (0..<500).map { "\($0),\($0 == 400 ? 9 : 2 + Double($0 % 5) / 10)" }
    let text = "step,loss\n" + lines.joined(separator: "\n")
    let series = try #require(try RunMetrics(reading: Array(text.utf8)).series.first)
    let score = try #require(series.spikeScore)
    #expect(abs(score - 1.0 / 468) < 1e-9)
    #expect(series.thinned(to: 60).contains { $0.value == 9 })
    #expect(series.thinned(to: 60).count <= 60)
  }
}

@Suite("The path of a run")
struct WeightPathTests {
  @Test("Points of a plane keep their distances")
  func keepsDistances() throws {
    let points = [(0.0, 0.0), (3, 0), (3, 4), (0, 8), (-5, 2)]
    let products = points.map { one in points.map { one.0 * $0.0 + one.1 * $0.1 } }
    let path = try #require(WeightPath(products: products))
    #expect(abs(path.share - 1) < 1e-9)
    for (one, first) in zip(points, path.places) {
      for (other, second) in zip(points, path.places) {
        let expected = (one.0 - other.0) * (one.0 - other.0) + (one.1 - other.1) * (one.1 - other.1)
        let found =
          (first.x - second.x) * (first.x - second.x)
          + (first.y - second.y) * (first.y - second.y)
        #expect(abs(expected - found) < 1e-6)
      }
    }
  }

  @Test("No path of equal checkpoints, or of two")
  func refuses() {
    #expect(WeightPath(products: [[1, 1], [1, 1]]) == nil)
    #expect(WeightPath(products: Array(repeating: [1, 1, 1], count: 3)) == nil)
  }
}

extension String {
  /// The number of parts between occurrences of `mark`.
  fileprivate func parts(separatedBy mark: String) -> Int { ranges(of: mark).count + 1 }
}
