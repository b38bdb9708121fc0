internal import Bytes

/// Work that writes nothing.
protocol ReadOnlyWork: BatchWork {}

extension ReadOnlyWork {
  var writes: [String] { [] }

  func measure() throws(FormatError) -> Int { 0 }
}
