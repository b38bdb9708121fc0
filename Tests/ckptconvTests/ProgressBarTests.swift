import Testing

@testable import ckptconv

@Suite("Progress is one line that says how much, how fast and how long")
struct ProgressBarTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let bar: ProgressBar
    let width: Int
    let line: String
    var testDescription: String { line }

    init(_ done: Int, of total: Int, after elapsed: Duration, _ width: Int, _ line: String) {
      bar = ProgressBar(done: done, total: total, elapsed: elapsed)
      self.width = width
      self.line = line
    }
  }

  static let cases = [
    Case(
      0, of: 5_940_000_000, after: .zero, 79,
      "[>                             ]   0%  0 B/5.94 GB"),
    Case(
      1_485_000_000, of: 5_940_000_000, after: .seconds(2), 79,
      "[=======>                      ]  25%  1.49 GB/5.94 GB  743 MB/s  0:06 left"),
    Case(
      5_940_000_000, of: 5_940_000_000, after: .seconds(8), 79,
      "[==============================] 100%  5.94 GB/5.94 GB  743 MB/s  0:00 left"),
    Case(
      1_000_000, of: 10_000_000_000, after: .seconds(1), 70,
      "[>                    ]   0%  1.00 MB/10.0 GB  1.00 MB/s  2:46:39 left"),
    Case(
      1_485_000_000, of: 5_940_000_000, after: .seconds(2), 54,
      "[=====>              ]  25%  1.49 GB/5.94 GB  743 MB/s"),
    Case(
      1_485_000_000, of: 5_940_000_000, after: .seconds(2), 40,
      "[====>           ]  25%  1.49 GB/5.94 GB"),
    Case(1_485_000_000, of: 5_940_000_000, after: .seconds(2), 20, "[===>         ]  25%"),
    Case(1, of: 4, after: .seconds(2), 10, " 25%"),
    Case(1, of: 4, after: .seconds(2), 2, " …"),
    Case(0, of: 0, after: .zero, 20, "[=============] 100%"),
    Case(7, of: 4, after: .seconds(1), 40, "[=================] 100%  7 B/4 B  7 B/s"),
  ]

  @Test("The line fits the terminal and leaves out what matters least", arguments: cases)
  func rendersLine(_ test: Case) {
    #expect(test.bar.line(width: test.width) == test.line)
  }

  @Test("No width and no amount makes it too wide")
  func neverTooWide() {
    for width in 0...120 {
      for done in [0, 1, 999, 1000, 999_999, .max / 2, .max] {
        for elapsed in [Duration.zero, .milliseconds(1), .seconds(1), .seconds(1_000_000)] {
          let bar = ProgressBar(done: done, total: .max, elapsed: elapsed)
          #expect(bar.line(width: width).count <= width)
        }
      }
    }
  }
}
