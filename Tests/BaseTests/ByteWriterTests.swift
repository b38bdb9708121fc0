import CkptBase
import Testing

@Suite("A writer of bytes writes what a reader reads")
struct ByteWriterTests {
  @Test("Integers are written least significant byte first")
  func integers() throws {
    var writer = ByteWriter(capacity: 4)
    writer.write(7)
    writer.write(integer: UInt16(0x0201))
    writer.write(integer: UInt32(0x0605_0403))
    writer.write(integer: UInt64(0x0e0d_0c0b_0a09_0807))
    writer.write(bigEndian: 0x0f10_1112_1314_1516)
    #expect(writer.count == 23)
    #expect(writer.bytes == [7] + (1...0x16).map { UInt8($0) })
    let bytes = writer.bytes
    var reader = ByteReader(bytes.span)
    try reader.skip(15)
    let last = try reader.readBigEndianInteger(as: UInt64.self)
    #expect(last == 0x0f10_1112_1314_1516)
  }

  @Test("Runs are appended, and places are filled in later")
  func runs() {
    var writer = ByteWriter()
    writer.write([1, 2])
    writer.write([0, 3, 4, 0][1...2])
    writer.write(9, count: 8)
    writer.patch(0x0102_0304_0506_0708, at: 4)
    #expect(writer.bytes == [1, 2, 3, 4, 8, 7, 6, 5, 4, 3, 2, 1])
    writer.remove(1..<11)
    #expect(writer.bytes == [1, 1])
  }
}
