import CkptBase
import CkptGraph
import CkptPickle

/// Builds pickles by hand, so that a test shows the bytes it is about.
struct PickleProgram: ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
  var bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }
  init(stringLiteral text: String) { bytes = Array(text.utf8) }
  init(arrayLiteral bytes: UInt8...) { self.bytes = bytes }

  /// The object of the pickle, in its graph.
  func load(
    unsafeGlobals: Unpickler.UnsafeGlobals = .refuse
  ) throws(CheckpointError) -> TensorGraph {
    var machine = Unpickler(unsafeGlobals: unsafeGlobals)
    var reader = ByteReader(bytes.span)
    let root = try machine.load(&reader)
    var graph = machine.finish()
    graph.root = root
    return graph
  }
}

extension String {
  /// The bytes of hexadecimal text in which spaces do not count.
  var hexBytes: [UInt8] {
    var bytes: [UInt8] = []
    var high: Int?
    for digit in self where digit != " " && digit != "\n" {
      let value = digit.hexDigitValue ?? 0
      if let first = high {
        bytes.append(UInt8(first << 4 | value))
        high = nil
      } else {
        high = value
      }
    }
    return bytes
  }
}
