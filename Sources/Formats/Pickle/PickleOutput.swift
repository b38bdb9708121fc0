internal import CkptBase

/// The bytes of a pickle under construction, in frames from protocol 4 on.
///
/// Follows `_Pickler_Write`, `_Pickler_OpcodeBoundary` and `_Pickler_CommitFrame` of CPython's
/// `Modules/_pickle.c`.
struct PickleOutput {
  /// The minimum length of a full frame in bytes; it closes at the next object boundary.
  private static let frameTarget = 64 << 10
  /// The minimum length of a frame that gets a header.
  private static let frameMinimum = 4
  private static let frameHeaderByteCount = 9

  private var writer = ByteWriter()
  private let version: Int
  private var hasFrames: Bool { version >= 4 }
  private var frameStart: Int?
  /// Whether the current bytes are between two frames.
  private var isOutsideOfFrames = false

  init(version: Int) {
    self.version = version
    if version >= 2 {
      writer.write(Opcode.proto.rawValue)
      writer.write(UInt8(version))
    }
  }

  mutating func write(_ byte: UInt8) {
    startFrameIfNeeded()
    writer.write(byte)
  }

  mutating func write(_ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    startFrameIfNeeded()
    writer.write(bytes)
  }

  mutating func write(integer: UInt16) {
    startFrameIfNeeded()
    writer.write(integer: integer)
  }

  mutating func write(integer: UInt32) {
    startFrameIfNeeded()
    writer.write(integer: integer)
  }

  mutating func write(integer: UInt64) {
    startFrameIfNeeded()
    writer.write(integer: integer)
  }

  mutating func write(bigEndian integer: UInt64) {
    startFrameIfNeeded()
    writer.write(bigEndian: integer)
  }

  /// Begins a str or bytes object.
  ///
  /// Its opcode, length and payload follow; a long one stays outside of frames.
  mutating func startPayload(byteCount: Int) {
    isOutsideOfFrames = hasFrames && byteCount >= Self.frameTarget
    if isOutsideOfFrames { closeFrame() }
  }

  /// Writes the payload of a str or bytes object, which ends the object.
  mutating func write(payload: ArraySlice<UInt8>) {
    if !isOutsideOfFrames { startFrameIfNeeded() }
    writer.write(payload)
    isOutsideOfFrames = false
  }

  /// Marks the start of an object, where a full frame closes.
  mutating func startObject() {
    guard let frameStart, writer.count - frameStart - Self.frameHeaderByteCount >= Self.frameTarget
    else { return }
    closeFrame()
  }

  /// Writes STOP, closes the last frame and returns the bytes.
  consuming func finish() -> [UInt8] {
    write(Opcode.stop.rawValue)
    closeFrame()
    return writer.bytes
  }

  private mutating func startFrameIfNeeded() {
    guard hasFrames, frameStart == nil, !isOutsideOfFrames else { return }
    frameStart = writer.count
    writer.write(Opcode.frame.rawValue)
    writer.write(integer: UInt64(0))
  }

  private mutating func closeFrame() {
    guard let start = frameStart else { return }
    let count = writer.count - start - Self.frameHeaderByteCount
    if count >= Self.frameMinimum {
      writer.patch(UInt64(count), at: start + 1)
    } else {
      writer.remove(start..<start + Self.frameHeaderByteCount)
    }
    frameStart = nil
  }
}

/// Numbers, text, and references.
extension PickleOutput {
  /// Writes a reference to the object that has this number in the memo.
  mutating func write(reference number: Int) {
    if number < 256 {
      write(Opcode.binGet.rawValue)
      write(UInt8(number))
    } else {
      write(Opcode.longBinGet.rawValue)
      write(integer: UInt32(number))
    }
  }

  /// Writes an int in the shortest form.
  mutating func write(int value: Int) {
    switch value {
    case 0...0xff:
      write(Opcode.binInt1.rawValue)
      write(UInt8(value))
    case 0x100...0xffff:
      write(Opcode.binInt2.rawValue)
      write(integer: UInt16(value))
    case Int(Int32.min)...Int(Int32.max):
      write(Opcode.binInt.rawValue)
      write(integer: UInt32(bitPattern: Int32(value)))
    default:
      var bytes = (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      while bytes[bytes.count - 1] == (bytes[bytes.count - 2] & 0x80 == 0 ? 0x00 : 0xff) {
        bytes.removeLast()
      }
      write(long: bytes[...])
    }
  }

  /// Writes an int as little-endian two's complement of minimal length.
  mutating func write(long bytes: ArraySlice<UInt8>) {
    if bytes.count < 256 {
      write(Opcode.long1.rawValue)
      write(UInt8(bytes.count))
    } else {
      write(Opcode.long4.rawValue)
      write(integer: UInt32(bytes.count))
    }
    write(Array(bytes))
  }

  /// Writes a str.
  mutating func write(text utf8: ArraySlice<UInt8>) {
    let count = utf8.count
    startPayload(byteCount: count)
    if version >= 4, count < 256 {
      write(Opcode.shortBinUnicode.rawValue)
      write(UInt8(count))
    } else {
      // Text in a graph is below 4 GiB, so BINUNICODE8 is never needed.
      write(Opcode.binUnicode.rawValue)
      write(integer: UInt32(count))
    }
    write(payload: utf8)
  }
}
