/// How much memory each thread of a run may use, and the sizes of work that follow from it.
///
/// The total is fixed, so that more threads do not mean more memory.
struct WorkerMemory: Sendable {
  /// The memory of all threads together, in bytes.
  static let total = 20 << 20
  /// The most threads among which the total is shared.
  static let maximumThreads = 64
  /// The most bytes of one read and one write when nothing happens between them but a checksum.
  ///
  /// The bytes should still be in the second-level cache when they are written. Linux, too, takes
  /// the pages for one write from one block of free memory, and large blocks are scarce on a
  /// machine that has been running for a while: with 1 MiB, copying was sometimes five times slower.
  private static let maximumTransfer = 256 << 10
  /// The most bytes of a box of picked elements.
  ///
  /// The larger a box, the longer the runs in which a transposed tensor is read and written.
  private static let maximumBox = 8 << 20

  /// The bytes of one read and one write, a power of two.
  let transfer: Int
  /// The bytes of a box of picked elements, a power of two.
  let box: Int
  /// The size of the buffer that takes bytes which are not yet as the output wants them.
  let inputByteCount: Int

  /// The share of each of `threadCount` threads in `total` bytes.
  init(threadCount: Int, total: Int = WorkerMemory.total) {
    var box = WorkerMemory.maximumBox
    while box > 64, box + WorkerMemory.input(box) > total / threadCount { box /= 2 }
    self.box = box
    inputByteCount = WorkerMemory.input(box)
    transfer = min(WorkerMemory.maximumTransfer, box)
  }

  /// The share of the input buffer beside a box: it should stay in the second-level cache.
  private static func input(_ box: Int) -> Int { min(box, max(box / 16, 64 << 10)) }

  /// The size of the buffer that bytes are written from.
  var outputByteCount: Int { box }
  /// The size up to which segments are put together and written at once, in bytes.
  var smallSegment: Int { transfer / 4 }
  /// The bytes one thread takes on at a time: enough that taking costs nothing, few enough that
  /// all threads end together.
  private var chunk: Int { 4 * transfer }

  /// The number of chunks that `byteCount` bytes are cut into.
  func chunkCount(_ byteCount: Int) -> Int { (byteCount + chunk - 1) / chunk }

  /// The bytes of a chunk, counted from the start of what is cut.
  func chunk(_ number: Int, of byteCount: Int) -> Range<Int> {
    number * chunk..<min((number + 1) * chunk, byteCount)
  }
}
