internal import Bytes
internal import Graph

/// What one or several threads do in one go: the steps that a plan is carried out in.
struct Work: Sendable {
  /// What is done.
  enum Task: Sendable {
    /// Several small segments are put together and written at once.
    case pack(Range<Int>)
    /// A source's bytes are written.
    case write(Source, record: ChecksumLedger.Slot?)
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
    let file: SourceFile
    /// Where they lie, in bytes from the file's start.
    let range: Range<Int>
    /// What happens to them after they were checked.
    var change: ElementChange?
    /// What their elements are cast to after that.
    var cast: ElementCast?
    /// Where the checksums of their chunks go.
    var slot: ChecksumLedger.Slot?
  }

  /// Elements that lie apart.
  struct PickedElements: Sendable {
    /// The file that has them.
    let file: SourceFile
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

extension Work.Source {
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
