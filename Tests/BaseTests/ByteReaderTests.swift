import CkptBase
import Testing

@Suite("A reader of bytes reads what is there and never runs past the end")
struct ByteReaderTests {
  private static let bytes = (1...16).map { UInt8($0) }

  /// One way to read, and what it makes of the bytes 1, 2, 3, ...
  struct Read: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let byteCount: Int
    let value: String
    let read: @Sendable (inout ByteReader) throws(CheckpointError) -> String
  }

  static let reads = [
    Read(testDescription: "UInt8", byteCount: 1, value: "1") { reader throws(CheckpointError) in
      String(try reader.readInteger(as: UInt8.self), radix: 16)
    },
    Read(testDescription: "UInt16", byteCount: 2, value: "201") { reader throws(CheckpointError) in
      String(try reader.readInteger(as: UInt16.self), radix: 16)
    },
    Read(testDescription: "UInt32", byteCount: 4, value: "4030201") {
      reader throws(CheckpointError) in
      String(try reader.readInteger(as: UInt32.self), radix: 16)
    },
    Read(testDescription: "Int32", byteCount: 4, value: "4030201") {
      reader throws(CheckpointError) in
      String(try reader.readInteger(as: Int32.self), radix: 16)
    },
    Read(testDescription: "UInt64", byteCount: 8, value: "807060504030201") {
      reader throws(CheckpointError) in
      String(try reader.readInteger(as: UInt64.self), radix: 16)
    },
    Read(testDescription: "Int64", byteCount: 8, value: "807060504030201") {
      reader throws(CheckpointError) in
      String(try reader.readInteger(as: Int64.self), radix: 16)
    },
    Read(
      testDescription: "UInt64, most significant byte first", byteCount: 8, value: "102030405060708"
    ) { reader throws(CheckpointError) in
      String(try reader.readBigEndianInteger(as: UInt64.self), radix: 16)
    },
    Read(testDescription: "bytes", byteCount: 3, value: "[1, 2, 3]") {
      reader throws(CheckpointError) in
      let view = try reader.readBytes(count: 3)
      return "\(view.indices.map { view[$0] })"
    },
    Read(testDescription: "a step", byteCount: 5, value: "") { reader throws(CheckpointError) in
      try reader.skip(5)
      return ""
    },
  ]

  @Test("Each read takes its bytes, wherever it begins", arguments: reads, [0, 1, 7])
  func takesItsBytes(_ test: Read, from start: Int) throws {
    let bytes = [UInt8](repeating: 0xff, count: start) + Self.bytes
    var reader = ByteReader(bytes.span, base: 1000)
    try reader.skip(start)
    let value = try test.read(&reader)
    #expect(value == test.value)
    #expect(reader.position == start + test.byteCount)
    #expect(reader.offset == 1000 + start + test.byteCount)
    #expect(reader.remaining == Self.bytes.count - test.byteCount)
  }

  @Test("A read of more than there is takes nothing and tells where", arguments: reads)
  func refuses(_ test: Read) throws {
    for count in 0..<test.byteCount {
      let bytes = Array(Self.bytes.prefix(count))
      var reader = ByteReader(bytes.span, base: 0x100)
      do throws(CheckpointError) {
        _ = try test.read(&reader)
        Issue.record("read \(test.byteCount) bytes of \(count)")
      } catch {
        #expect(error.code == .truncated)
        #expect(error.offset == 0x100)
        #expect(error.message == "\(test.byteCount) bytes are needed, but only \(count) are left")
      }
      #expect(reader.position == 0)
    }
    let exact = Array(Self.bytes.prefix(test.byteCount))
    var reader = ByteReader(exact.span)
    let value = try test.read(&reader)
    #expect(value == test.value)
    #expect(reader.remaining == 0)
  }

  @Test("A count that no file has is refused", arguments: [-1, Int.min, Int.max, 17])
  func refusesCount(_ count: Int) throws {
    var reader = ByteReader(Self.bytes.span)
    do throws(CheckpointError) {
      try reader.skip(count)
      Issue.record("skipped \(count)")
    } catch {
      #expect(error.code == .truncated)
    }
    do throws(CheckpointError) {
      _ = try reader.readBytes(count: count)
      Issue.record("read \(count)")
    } catch {
      #expect(error.code == .truncated)
    }
    #expect(reader.position == 0)
  }

  @Test("A negative number keeps its sign")
  func signs() throws {
    let bytes = [UInt8](repeating: 0xfe, count: 1) + [UInt8](repeating: 0xff, count: 11)
    var reader = ByteReader(bytes.span)
    let small = try reader.readInteger(as: Int32.self)
    let large = try reader.readInteger(as: Int64.self)
    #expect(small == -2)
    #expect(large == -1)
  }

  @Test("A line ends at its line feed, which is taken and not returned")
  func lines() throws {
    let bytes = Array("one\n\nlast".utf8)
    var reader = ByteReader(bytes.span, base: 10)
    let first = try reader.readLine()
    #expect(first.indices.map { first[$0] } == Array("one".utf8))
    #expect(reader.offset == 14)
    let empty = try reader.readLine()
    #expect(empty.count == 0)
    do throws(CheckpointError) {
      _ = try reader.readLine()
      Issue.record("the last line has no end")
    } catch {
      #expect(error.code == .truncated)
      #expect(error.offset == 15)
    }
    #expect(reader.remaining == 4)
  }

  @Test("A view of bytes outlives the step behind it, and a reader of it counts on from its place")
  func views() throws {
    var reader = ByteReader(Self.bytes.span, base: 100)
    try reader.skip(4)
    let offset = reader.offset
    let view = try reader.readBytes(count: 4)
    try reader.skip(8)
    #expect(reader.remaining == 0)
    var inner = ByteReader(view, base: offset)
    try inner.skip(1)
    let value = try inner.readInteger(as: UInt16.self)
    #expect(value == 0x0706)
    #expect(inner.offset == 107)
    do throws(CheckpointError) {
      _ = try inner.readInteger(as: UInt16.self)
      Issue.record("read behind the view")
    } catch {
      #expect(error.offset == 107)
    }
  }
}
