/// How much memory each thread of a run may use.
///
/// The total is fixed, so that more threads do not mean more memory.
struct WorkerMemory: Sendable {
  /// The memory of all threads together, in bytes.
  private static let total = 16 << 20
  /// The most threads that get a share worth having.
  static let maximumThreads = 64
  /// The bytes one thread takes on at a time: enough that taking costs nothing, few enough that
  /// all threads end together.
  static let chunk = 1 << 20
  /// Segments up to this size are put together and written at once, in bytes.
  static let smallSegment = 64 << 10

  /// The bytes of one read and one write when nothing happens between them.
  ///
  /// A buffer has to stay in the second-level cache between the two, and Linux takes the pages of
  /// one write from one block of free memory: large blocks are scarce on a machine that has been
  /// running for a while. Measured with 4 GiB: 64 KiB 1.16 s, 128 KiB 0.96 s, 256 KiB 0.86 s,
  /// 512 KiB 1.19 s, 1 MiB 4.9 s, `cp` 1.85 s.
  let transfer: Int
  /// The bytes of a box of picked elements.
  let box: Int

  /// The shares of `threadCount` threads.
  init(threadCount: Int) {
    let share = WorkerMemory.total / threadCount
    var box = 2 << 20
    while box + Tiling.readingBudget(box) > share { box /= 2 }
    self.box = box
    transfer = min(256 << 10, box)
  }

  /// The size of the buffer that bytes are fetched into before they are packed.
  var inputByteCount: Int { Tiling.readingBudget(box) }
  /// The size of the buffer that bytes are written from.
  var outputByteCount: Int { max(box, transfer) }

  /// The bytes of a chunk, counted from the start of what is cut.
  static func chunk(_ number: Int, of byteCount: Int) -> Range<Int> {
    number * chunk..<min((number + 1) * chunk, byteCount)
  }

  /// The number of chunks that `byteCount` bytes are cut into.
  static func chunkCount(_ byteCount: Int) -> Int { (byteCount + chunk - 1) / chunk }
}
