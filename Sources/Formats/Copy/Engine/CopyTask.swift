internal import CkptBase
internal import CkptGraph

/// What one or several threads do in one go: the steps that a plan is carried out in.
struct CopyTask: Sendable {
  /// What is done.
  enum Task: Sendable {
    /// Several small segments are put together and written at once.
    case pack(Range<Int>)
    /// A source's bytes are written.
    case write(Source, record: ChecksumCombiner.Slot?)
    /// A source's bytes are read, to be checked and nothing else.
    case inspect(Source)
  }

  /// Where the bytes of a segment come from, once it is known which file has them.
  enum Source: Sendable {
    /// Bytes in memory.
    case bytes([UInt8])
    /// This many bytes of zero.
    case zeros(Int)
    /// A stretch of a file.
    case stretch(Stretch)
    /// Elements of a file.
    case elements(PickedElements)
    /// Elements of several files, each put where it belongs.
    case assembly(AssemblyWindows)
    /// A deflated region.
    case deflated(FileRegion)
    /// The computed segment of this number.
    case computed(Int)
  }

  /// Bytes that lie one after the other.
  struct Stretch: Sendable {
    /// The file that has them.
    let file: any ByteSource
    /// Where they lie, in bytes from the file's start.
    let range: Range<Int>
    /// What happens to them after they were checked.
    var change: ElementChange?
    /// What their elements are cast to after that.
    var cast: ElementCast?
    /// Where the checksums of their chunks go.
    var slot: ChecksumCombiner.Slot?
  }

  /// Elements that lie apart.
  struct PickedElements: Sendable {
    /// The file that has them.
    let file: any ByteSource
    /// Where the first one lies, in bytes from the file's start.
    let offset: Int
    /// The boxes they are picked in.
    let tiling: Tiling
    /// What happens to them on the way.
    let change: ElementChange?
    /// What they are cast to after that.
    let cast: ElementCast?
  }

  /// What is done.
  let task: Task
  /// Where the first byte goes, in bytes from the output's start.
  let outputOffset: Int
  /// The number of parts that different threads can do at the same time.
  let jobCount: Int
}

extension CopyTask.Source {
  /// The number of parts that workers with `memory` cut it into; each is one piece for the ledgers.
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

/// Hands out work in the order of the output and remembers what went wrong.
final class TaskQueue: Sendable {
  /// One part of a piece of work.
  struct Job {
    /// The work it is part of.
    let work: CopyTask
    /// Which part it is.
    let part: Int
    /// How many jobs were handed out before.
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

  /// A queue that has not handed out anything and stops when it is told to.
  init(_ work: [CopyTask], until cancellation: Cancellation?) {
    self.work = work
    self.cancellation = cancellation
  }

  /// The number of jobs, counted only as far as it matters for so many threads.
  func jobCount(upTo limit: Int) -> Int {
    var count = 0
    for work in work where count < limit { count += min(work.jobCount, limit) }
    return min(count, limit)
  }

  /// The next job, or `nil` when there are none, something went wrong or the run was
  /// cancelled.
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

  /// Remembers an error unless an earlier job had one.
  ///
  /// Jobs that were handed out are finished, so of several faults in a file the first is the one
  /// reported, however many threads there are.
  func fail(_ error: CheckpointError, rank: Int) {
    state.withLock { state in
      if let failure = state.failure, failure.rank <= rank { return }
      state.failure = (rank, error)
    }
  }

  /// The error of the earliest job that had one.
  var failure: CheckpointError? { state.withLock { $0.failure?.error } }
}

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
