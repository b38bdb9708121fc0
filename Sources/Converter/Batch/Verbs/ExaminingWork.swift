internal import Bytes

/// Work that writes nothing.
protocol ExaminingWork: BatchWork {}

extension ExaminingWork {
  var writes: [String] { [] }

  func measure() throws(FormatError) -> Int { 0 }
}
