internal import CkptBase

/// The frames of protocol 4 and later, which are honest: every opcode ends inside its frame.
///
/// A frame announces how many bytes to read at once. CPython before 3.13.15 and 3.14.7 throws away
/// what is left of a frame when an opcode crosses its end, if it reads a file, and takes it for
/// part of the opcode, if it reads bytes: one pickle is two programs (`Modules/_pickle.c`,
/// `load_frame`, `_Unpickler_ReadFromFile`). `Lib/pickle.py` refuses such a pickle, and a frame in a
/// frame (`_Unframer`).
extension Unpickler {
  mutating func enterFrame(_ reader: inout ByteReader) throws(CheckpointError) {
    let count = try reader.readInteger(as: UInt64.self)
    let remaining = reader.remaining.addingClamped(followingByteCount)
    // `Lib/pickle.py` takes as much of a frame as there is, up to `sys.maxsize`.
    guard count <= (unsafeGlobals == .report ? UInt64(Int.max) : UInt64(remaining)) else {
      throw CheckpointError(
        .truncated, "a frame of \(count) bytes begins, but only \(remaining) are left")
    }
    if frameEnd != .max, reader.position != frameEnd {
      try noteCrossing(
        reader.position < frameEnd ? "a frame begins inside another frame" : Self.crossing)
    }
    frameEnd = reader.position.addingClamped(Int(count))
    isFrameWhole = count <= UInt64(remaining)
  }

  /// Leaves the current frame, at whose end or behind it an opcode has ended.
  mutating func leaveFrame(at position: Int) throws(CheckpointError) {
    if position > frameEnd { try noteCrossing(Self.crossing) }
    frameEnd = .max
  }

  /// Holds the end of the pickle against that of its frame: readers of a stack of pickles go on
  /// behind the frame.
  mutating func requireEndOfFrame(at position: Int) throws(CheckpointError) {
    guard frameEnd != .max, position != frameEnd else { return }
    // `Lib/pickle.py` reads such a pickle, and has nothing to go on with.
    guard isFrameWhole || unsafeGlobals != .report else { return }
    try noteCrossing("the pickle ends \(frameEnd - position) bytes before its frame")
  }

  private mutating func noteCrossing(_ message: String) throws(CheckpointError) {
    // No version of Python goes on where a frame is longer than the file, but to the file's end.
    guard unsafeGlobals == .report, isFrameWhole else {
      throw CheckpointError(
        .malformed, message,
        remedy: "do not load this file with Python: which program it runs depends on the version")
    }
    crossesFrame = true
  }

  private static let crossing = "an opcode crosses the end of its frame"
}
