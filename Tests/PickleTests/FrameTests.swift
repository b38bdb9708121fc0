import CkptBase
import CkptPickle
import Testing

@Suite("A pickle that crosses the end of a frame is two programs")
struct FrameTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let program: [UInt8]
    /// The place of the operation that crosses, in bytes; `nil` for an honest pickle.
    let crossing: Int?

    /// Pieces of a pickle of protocol 4.
    init(_ name: String, crossingAt crossing: Int? = nil, _ pieces: [UInt8]...) {
      testDescription = name
      program = [0x80, 4] + pieces.flatMap(\.self)
      self.crossing = crossing
    }
  }

  /// FRAME and its length.
  private static func frame(_ count: UInt8) -> [UInt8] { [0x95, count, 0, 0, 0, 0, 0, 0, 0] }

  static let cases = [
    Case("one frame", frame(3), [0x4b, 1, 0x2e]),
    Case("a frame that ends before STOP", frame(2), [0x4b, 1, 0x2e]),
    Case("two frames", frame(3), [0x4b, 1, 0x30], frame(2), [0x4e, 0x2e]),
    Case("an empty frame", frame(0), [0x4e, 0x2e]),
    Case(
      "an operation between two frames", frame(1), [0x28, 0x4e, 0x30], frame(3), [0x31, 0x4e, 0x2e]),
    Case("an operand behind the frame", crossingAt: 11, frame(1), [0x4b, 1, 0x2e]),
    Case(
      "bytes that reach out of the frame", crossingAt: 11, frame(6),
      [0x42, 2, 0, 0, 0, 0x61, 0x62, 0x2e]),
    Case("a line that reaches out of the frame", crossingAt: 11, frame(2), Array("Vab\n.".utf8)),
    Case("a name that reaches out of the frame", crossingAt: 11, frame(3), Array("ca\nb\n.".utf8)),
    Case("a frame in a frame", crossingAt: 12, frame(12), [0x4e], frame(1), [0x30, 0x4e, 0x2e]),
    Case("a frame across the end of a frame", crossingAt: 12, frame(5), [0x4e], frame(1), [0x2e]),
    Case("STOP before the end of its frame", crossingAt: 12, frame(3), [0x4e, 0x2e, 0x4e]),
  ]

  @Test("The reader refuses it, with its place", arguments: cases)
  func reads(_ test: Case) {
    do throws(CheckpointError) {
      _ = try PickleProgram(test.program).load()
      #expect(test.crossing == nil)
    } catch {
      #expect(error.code == .malformed && error.message.contains("frame"), "\(error)")
      #expect(error.offset == test.crossing)
    }
  }

  @Test("A scan says where, and goes on", arguments: cases)
  func scans(_ test: Case) {
    let scan = PickleScan(test.program.span)
    #expect(scan.frameCrossing == test.crossing)
    #expect(scan.isComplete)
  }

  @Test("A crossing counts where the opcode cannot be read, and not in a frame beyond the end")
  func unreadable() {
    // GLOBAL reads a name that is no UTF-8, BINBYTES a length beyond the end.
    for pieces in [[0x63, 0xff, 0x0a, 0x61, 0x0a], [0x42, 0xff, 0xff, 0xff, 0x0f, 0x2e]]
      as [[UInt8]]
    {
      let scan = PickleScan(([0x4e] + Self.frame(2) + pieces).span, stopsAtFault: true)
      #expect(scan.frameCrossing == 10 && scan.isConvincing)
    }
    let beyond = [0x4e] + Self.frame(200) + [0x4e] + Self.frame(1) + [0x4e, 0x2e]
    let scan = PickleScan(beyond.span, stopsAtFault: true)
    #expect(scan.frameCrossing == nil && !scan.isConvincing)
  }

  @Test("Each pickle of a stack has frames of its own")
  func stacked() throws {
    let first = [0x80, 4] + Self.frame(2) + [0x4e, 0x2e]
    let bytes = first + first
    var machine = Unpickler()
    var reader = ByteReader(bytes.span)
    _ = try machine.load(&reader)
    _ = try machine.load(&reader)
    #expect(reader.remaining == 0)
  }
}
