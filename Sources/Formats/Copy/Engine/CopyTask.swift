internal import CkptBase
internal import CkptGraph

/// A task of a plan, done by one or several threads.
struct CopyTask: Sendable {
  /// An action.
  enum Task: Sendable {
    /// Joins several small segments and writes them at once.
    case pack(Range<Int>)
    /// Writes the bytes of a source.
    case write(Source, record: ChecksumCombiner.Slot?)
    /// Reads the bytes of a source only to check them.
    case inspect(Source)
  }

  /// The source of a segment's bytes, with the file that has them.
  enum Source: Sendable {
    /// Bytes in memory.
    case bytes([UInt8])
    /// A number of zero bytes.
    case zeros(Int)
    /// A range of a file.
    case stretch(Stretch)
    /// Elements of a file.
    case elements(PickedElements)
    /// Elements of several files, each at its position.
    case assembly(AssemblyWindows)
    /// A deflated region.
    case deflated(FileRegion)
    /// A computed segment, by number.
    case computed(Int)
  }

  /// Consecutive bytes of a file.
  struct Stretch: Sendable {
    /// The file.
    let file: any ByteSource
    /// The range in the file, in bytes.
    let range: Range<Int>
    /// The change to the bytes after the check.
    var change: ElementChange?
    /// The cast after the change.
    var cast: ElementCast?
    /// The slot for the checksums of their chunks.
    var slot: ChecksumCombiner.Slot?
  }

  /// Scattered elements of a file.
  struct PickedElements: Sendable {
    /// The file.
    let file: any ByteSource
    /// The offset of the first element in the file, in bytes.
    let offset: Int
    /// The boxes to read.
    let tiling: Tiling
    /// The change to the bytes.
    let change: ElementChange?
    /// The cast after the change.
    let cast: ElementCast?
  }

  /// The action.
  let task: Task
  /// The offset of the first byte in the output, in bytes.
  let outputOffset: Int
  /// The number of parts that threads can do in parallel.
  let jobCount: Int
}

extension CopyTask.Source {
  /// Returns the number of parts for workers with `memory`; each is one piece for the checksum
  /// combiners.
  func jobCount(_ memory: WorkerMemory) -> Int {
    switch self {
    case .bytes(let bytes): memory.chunkCount(bytes.count)
    case .zeros(let byteCount): memory.chunkCount(byteCount)
    case .stretch(let stretch): memory.chunkCount(stretch.range.count)
    case .elements(let elements): elements.tiling.count
    case .assembly(let windows): windows.count
    case .deflated, .computed: 1
    }
  }
}

/// Hands out jobs in output order and records errors.
final class TaskQueue: Sendable {
  /// A part of a task.
  struct Job {
    /// The task.
    let work: CopyTask
    /// The number of the part.
    let part: Int
    /// The number of jobs handed out before.
    let rank: Int
  }

  private struct State {
    var next = 0
    var part = 0
    var rank = 0
    var failure: (rank: Int, error: CheckpointError)?
  }

  private let work: [CopyTask]
  private let cancellation: Cancellation?
  private let state = Locked(State())

  /// Creates a queue that stops after a cancellation.
  init(_ work: [CopyTask], until cancellation: Cancellation?) {
    self.work = work
    self.cancellation = cancellation
  }

  /// Returns the number of jobs, counted up to `limit`.
  func jobCount(upTo limit: Int) -> Int {
    var count = 0
    for work in work where count < limit { count += min(work.jobCount, limit) }
    return min(count, limit)
  }

  /// Returns the next job; `nil` if there are none, after an error and after a cancellation.
  func next() -> Job? {
    state.withLock { state in
      guard state.failure == nil else { return nil }
      do throws(CheckpointError) {
        try cancellation?.check()
      } catch {
        state.failure = (.max, error)
        return nil
      }
      while state.next < work.count, state.part >= work[state.next].jobCount {
        state.next += 1
        state.part = 0
      }
      guard state.next < work.count else { return nil }
      defer {
        state.part += 1
        state.rank += 1
      }
      return Job(work: work[state.next], part: state.part, rank: state.rank)
    }
  }

  /// Records an error, unless an earlier job had one.
  ///
  /// Jobs that were handed out are finished. So the first of several faults in a file is reported,
  /// for any number of threads.
  func fail(_ error: CheckpointError, rank: Int) {
    state.withLock { state in
      if let failure = state.failure, failure.rank <= rank { return }
      state.failure = (rank, error)
    }
  }

  /// The error of the earliest failed job.
  var failure: CheckpointError? { state.withLock { $0.failure?.error } }
}

/// The memory of each thread of a run, and the sizes of work that follow from it.
///
/// The total is fixed: more threads do not use more memory.
struct WorkerMemory: Sendable {
  /// The memory of all threads together, in bytes.
  static let total = 20 << 20
  /// The maximum number of threads that share the total.
  static let maximumThreads = 64
  /// The maximum number of bytes of one read and write with only a checksum in between.
  ///
  /// The bytes should still be in the second-level cache for the write. Linux also takes the pages
  /// for one write from one block of free memory, and large blocks become scarce over time: with 1
  /// MiB, copying was sometimes five times slower.
  private static let maximumTransfer = 256 << 10
  /// The maximum size of a box of picked elements in bytes.
  ///
  /// A larger box has longer runs for reading and writing a transposed tensor.
  private static let maximumBox = 8 << 20

  /// The number of bytes of one read and write, a power of two.
  let transfer: Int
  /// The size of a box of picked elements in bytes, a power of two.
  let box: Int
  /// The size of the buffer for bytes that still need a change, in bytes.
  let inputByteCount: Int

  /// Creates the share of each of `threadCount` threads in `total` bytes.
  init(threadCount: Int, total: Int = WorkerMemory.total) {
    var box = WorkerMemory.maximumBox
    while box > 64, box + WorkerMemory.input(box) > total / threadCount { box /= 2 }
    self.box = box
    inputByteCount = WorkerMemory.input(box)
    transfer = min(WorkerMemory.maximumTransfer, box)
  }

  /// Returns the size of the input buffer for a box; it should stay in the second-level cache.
  private static func input(_ box: Int) -> Int { min(box, max(box / 16, 64 << 10)) }

  /// The size of the buffer for bytes to write, in bytes.
  var outputByteCount: Int { box }
  /// The size up to which segments are joined and written at once, in bytes.
  var smallSegment: Int { transfer / 4 }
  /// The number of bytes that a thread takes at a time: enough that taking costs nothing, and few
  /// enough that all threads end at about the same time.
  private var chunk: Int { 4 * transfer }

  /// Returns the number of chunks of `byteCount` bytes.
  func chunkCount(_ byteCount: Int) -> Int { (byteCount + chunk - 1) / chunk }

  /// Returns the bytes of a chunk, counted from the start.
  func chunk(_ number: Int, of byteCount: Int) -> Range<Int> {
    number * chunk..<min((number + 1) * chunk, byteCount)
  }
}
