import CkptBase
import CkptTestSupport
import Testing

/// Sources of bytes: what is read from a file, a slice and memory.
struct ByteSourceTests {
  private static let bytes = [UInt8](0..<200)

  /// Sources that have the bytes 30 to 79 of 200.
  private static func sources() throws -> [any ByteSource] {
    let memory = MemorySource(bytes, name: "memory")
    let file = try TemporaryFile.holding(bytes)
    return try [
      MemorySource(Array(bytes[30..<80]), name: "memory"),
      TemporaryFile.holding(Array(bytes[30..<80])),
      SliceSource(30..<80, of: file),
      SliceSource(30..<80, of: memory),
      SliceSource(20..<70, of: SliceSource(10..<150, of: memory)),
      SliceSource(0..<50, of: SliceSource(30..<80, of: file)),
    ]
  }

  @Test("Every source gives the bytes that it has, at any offset and no further than its end")
  func reads() throws {
    let content = Array(Self.bytes[30..<80])
    for source in try Self.sources() {
      #expect(source.byteCount == 50)
      for range in [0..<50, 0..<1, 49..<50, 7..<23, 0..<0, 50..<50, 40..<90, 60..<70, 0..<1000] {
        let part = range.clamped(to: 0..<50)
        let expected = part.isEmpty ? [] : Array(content[part])
        #expect(try source.bytes(in: range) == expected, "\(source.name), \(range)")
      }
      #expect(try source.contents(of: "a list", atMost: 50) == content)
      try source.requireUnchanged()
    }
  }

  @Test("To fill a buffer beyond the end is an error with the place where the source ends")
  func truncated() throws {
    for source in try Self.sources() {
      for (offset, count) in [(0, 51), (49, 2), (50, 1), (500, 1)] {
        var buffer = [UInt8](repeating: 0xee, count: count)
        let error = #expect(throws: CheckpointError.self) {
          var span = buffer.mutableSpan
          var bytes = span.mutableBytes
          try source.readAll(at: offset, into: &bytes)
        }
        #expect(error?.code == .truncated)
        #expect(error?.offset == 50)
        #expect(error?.path == [source.name])
      }
      let error = #expect(throws: CheckpointError.self) {
        try source.contents(of: "a list", atMost: 49)
      }
      #expect(error?.code == .limitExceeded)
    }
  }

  @Test("A slice is named by what it is a part of and where it begins there")
  func names() throws {
    let memory = MemorySource(Self.bytes, name: "all.bin")
    let slice = try SliceSource(16..<100, of: memory)
    #expect(slice.name == "all.bin (from byte 0x10)")
    let error = #expect(throws: CheckpointError.self) { try SliceSource(50..<85, of: slice) }
    #expect(
      error?.description
        == "all.bin (from byte 0x10): bytes 50..<85 are outside of a file of 84 bytes")
  }

  @Test("Slices of one source are told to be the same bytes")
  func origins() throws {
    let memory = MemorySource(Self.bytes, name: "all.bin")
    let inner = try SliceSource(5..<9, of: SliceSource(10..<150, of: memory))
    #expect(inner.origin.source === memory)
    #expect(inner.origin.offset == 15)
    #expect(memory.origin.source === memory)
    #expect(memory.origin.offset == 0)
  }

  @Test("A slice of a file that shrinks is an error and not other bytes")
  func shrinks() throws {
    let slice = try TemporaryFile.shrinking(Self.bytes, to: 40) { file in
      try SliceSource(30..<80, of: file)
    }
    #expect(try slice.bytes(in: 0..<50) == Array(Self.bytes[30..<40]))
    let error = #expect(throws: CheckpointError.self) {
      var buffer = [UInt8](repeating: 0, count: 20)
      var span = buffer.mutableSpan
      var bytes = span.mutableBytes
      try slice.readAll(at: 0, into: &bytes)
    }
    #expect(error?.code == .inputOutput)
    #expect(error?.offset == 10)
    #expect(throws: CheckpointError.self) { try slice.requireUnchanged() }
  }
}
