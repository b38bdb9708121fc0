internal import CkptGraph
internal import CkptPlan

/// The tasks of a plan, in output order.
struct CopySchedule: Sendable {
  /// The plan.
  let plan: FilePlan
  /// The tasks.
  private(set) var work: [CopyTask] = []
  /// The computed segments, which are written last, with their offsets.
  private(set) var openFields: [(segment: Int, outputOffset: Int)] = []
  /// The number of pieces of each of the plan's records.
  private(set) var recordPieceCounts: [Int32] = []

  private let slots: [ChecksumCombiner.Slot?]
  private let spool: Spool
  private let memory: WorkerMemory
  private let isSequential: Bool
  /// For each segment, the slot of its record; empty without records.
  private var recordSlots: [ChecksumCombiner.Slot?] = []

  /// Divides `plan` into tasks for workers with `memory` each.
  ///
  /// With `isSequential`, jobs that run in order write the output in order.
  init(
    _ plan: FilePlan, _ survey: ChecksumSchedule, spool: Spool, memory: WorkerMemory,
    isSequential: Bool
  ) {
    self.plan = plan
    self.slots = survey.slots
    self.spool = spool
    self.memory = memory
    self.isSequential = isSequential
    markRecords()

    var inspections = survey.inspections[...]
    var pack = Pack()
    var offset = 0
    for (index, segment) in plan.segments.enumerated() {
      while let inspection = inspections.first, inspection.segment == index {
        append(inspections.removeFirst())
      }
      let source = source(of: index)
      countPieces(of: index, source)
      if segment.byteCount <= memory.smallSegment, source.fitsPack(memory) {
        if pack.byteCount + segment.byteCount > memory.transfer { close(&pack) }
        pack.append(index, segment.byteCount, at: offset)
        if case .computed = source, !isSequential { openFields.append((index, offset)) }
      } else {
        close(&pack)
        if case .computed = source, !isSequential {
          openFields.append((index, offset))
        } else {
          let task = CopyTask.Task.write(source, record: recordSlot(of: index))
          work.append(CopyTask(task: task, outputOffset: offset, jobCount: source.jobCount(memory)))
        }
      }
      offset += segment.byteCount
    }
    close(&pack)
    for inspection in inspections { append(inspection) }
  }

  /// Returns the source of a segment's bytes.
  func source(of index: Int) -> CopyTask.Source {
    switch plan.segments[index] {
    case .literal(let bytes): return .bytes(bytes)
    case .zeros(let byteCount): return .zeros(byteCount)
    case .assembly(let assembly):
      return .assembly(AssemblyWindows(assembly, spool: spool, memory: memory))
    case .computed: return .computed(index)
    case .copy(let region, let range):
      guard !range.isEmpty || region.byteCount == 0 else { return .bytes([]) }
      guard let place = spool.place(of: region) else { return .deflated(region) }
      let start = place.offset + range.lowerBound
      return .stretch(
        CopyTask.Stretch(file: place.file, range: start..<start + range.count, slot: slots[index]))
    case .gather(let region, let elements): return source(of: index, region, elements, nil)
    case .cast(let region, let elements, let cast):
      return source(of: index, region, elements, cast)
    }
  }

  private func source(
    of index: Int, _ region: FileRegion, _ elements: StridedElements, _ cast: ElementCast?
  ) -> CopyTask.Source {
    guard !elements.isEmpty, let place = spool.place(of: region) else { return .bytes([]) }
    let start = place.offset + elements.byteOffset
    let layout = elements.layout
    let change = ElementChange(elements)
    guard !layout.isContiguous else {
      return .stretch(
        CopyTask.Stretch(
          file: place.file, range: start..<start + layout.byteCount, change: change, cast: cast,
          slot: slots[index]))
    }
    let inOrder = isSequential || isInRecord(index)
    return .elements(
      CopyTask.PickedElements(
        file: place.file, offset: start,
        tiling: Tiling(
          layout, budget: memory.box, readLimit: memory.inputByteCount, inOrder: inOrder),
        change: change, cast: cast))
  }

  /// Returns the slot for the checksums of a segment's pieces, if it is in a record.
  func recordSlot(of index: Int) -> ChecksumCombiner.Slot? {
    recordSlots.isEmpty ? nil : recordSlots[index]
  }

  private func isInRecord(_ index: Int) -> Bool { recordSlot(of: index) != nil }

  private mutating func markRecords() {
    guard !plan.records.isEmpty else { return }
    recordSlots = Array(repeating: nil, count: plan.segments.count)
    for (number, segments) in plan.records.enumerated() {
      for index in segments {
        recordSlots[index] = ChecksumCombiner.Slot(entry: Int32(number), piece: 0)
      }
    }
    recordPieceCounts = Array(repeating: 0, count: plan.records.count)
  }

  private mutating func countPieces(of index: Int, _ source: CopyTask.Source) {
    guard let record = recordSlot(of: index).map({ Int($0.entry) }) else { return }
    recordSlots[index]?.piece = recordPieceCounts[record]
    guard plan.segments[index].byteCount > 0 else { return }
    recordPieceCounts[record] += Int32(source.jobCount(memory))
  }

  private mutating func append(_ inspection: ChecksumSchedule.Inspection) {
    let region = inspection.region
    let source: CopyTask.Source =
      switch region.encoding {
      case .deflated: .deflated(region)
      case .stored:
        .stretch(CopyTask.Stretch(file: region.source, range: region.range, slot: inspection.slot))
      }
    work.append(
      CopyTask(task: .inspect(source), outputOffset: 0, jobCount: source.jobCount(memory)))
  }

  /// Small segments that are written together.
  private struct Pack {
    var segments = 0..<0
    var byteCount = 0
    var outputOffset = 0

    mutating func append(_ index: Int, _ count: Int, at offset: Int) {
      if segments.isEmpty { (segments, byteCount, outputOffset) = (index..<index, 0, offset) }
      segments = segments.lowerBound..<index + 1
      byteCount += count
    }
  }

  private mutating func close(_ pack: inout Pack) {
    if pack.byteCount > 0 {
      work.append(
        CopyTask(task: .pack(pack.segments), outputOffset: pack.outputOffset, jobCount: 1))
    }
    pack = Pack()
  }
}

extension CopyTask.Source {
  /// Whether a small segment can be read at once.
  fileprivate func fitsPack(_ memory: WorkerMemory) -> Bool {
    switch self {
    case .bytes, .zeros, .computed: true
    case .stretch(let stretch):
      stretch.cast == nil || stretch.change == nil && stretch.range.count <= memory.smallSegment
    case .elements(let elements): elements.cast == nil && elements.tiling.count == 1
    case .assembly, .deflated: false
    }
  }
}
