import CkptBase
import Testing

@Suite("Working memory is zeroed, and written within its bounds")
struct PageBufferTests {
  private static func contents(_ buffer: borrowing PageBuffer) -> [UInt8] {
    let bytes = buffer.bytes
    return (0..<bytes.byteCount).map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
  }

  @Test("A new buffer is zeros, also one of no bytes", arguments: [0, 1, 4095, 4097])
  func isZeroed(_ byteCount: Int) throws {
    let buffer = try PageBuffer(byteCount: byteCount)
    #expect(buffer.byteCount == byteCount)
    #expect(Self.contents(buffer) == [UInt8](repeating: 0, count: byteCount))
  }

  @Test("Bytes are copied to their place, and cleared")
  func copies() throws {
    var buffer = try PageBuffer(byteCount: 6)
    let source: [UInt8] = [1, 2, 3]
    var bytes = buffer.mutableBytes
    bytes.copy(source.span.raw, to: 3)
    bytes.copy([UInt8]().span.raw, to: 6)
    #expect(Self.contents(buffer) == [0, 0, 0, 1, 2, 3])
    var all = buffer.mutableBytes
    all.clear()
    #expect(Self.contents(buffer) == [0, 0, 0, 0, 0, 0])
  }

  @Test("Memory that the machine does not have is an error")
  func refuses() {
    let error = #expect(throws: CheckpointError.self) {
      _ = try PageBuffer(byteCount: .max / 2)
    }
    #expect(error?.code == .inputOutput)
  }

  @Test("A copy that does not fit ends the program before it writes")
  func traps() async {
    await #expect(processExitsWith: .failure) {
      var buffer = try PageBuffer(byteCount: 4)
      let source: [UInt8] = [1, 2]
      var bytes = buffer.mutableBytes
      bytes.copy(source.span.raw, to: 3)
    }
  }
}
