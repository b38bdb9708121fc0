internal import CkptBase
internal import CkptGraph
internal import CkptJSON
internal import CkptTorch

/// Consecutive storages of an archive whose keys are consecutive numbers.
///
/// A skeleton has `[FIRST,COUNT]` for them, or `[0,COUNT,"text"]` if the numbers are sorted as text.
///
/// `torch.save` of PyTorch 1.6 to 2.4 sorted the keys as text (`torch/serialization.py`, `_save`); 2.13 does
/// not.
struct StorageRun {
  private static let textOrder = "text"
  /// The fewest storages that are written as a run.
  private static let leastCount = 3

  /// The lowest number.
  let first: Int
  /// The number of storages.
  let count: Int
  /// Whether the numbers are sorted as text.
  let isSortedAsText: Bool

  private init(first: Int, count: Int, isSortedAsText: Bool) {
    self.first = first
    self.count = count
    self.isSortedAsText = isSortedAsText
  }

  /// Reads the parts of a run, after its opening bracket.
  ///
  /// - Throws: `malformed` for an invalid run.
  init(reading json: inout JSONReader) throws(CheckpointError) {
    let start = json.offset
    first = try json.count()
    guard try json.nextElement() else {
      throw CheckpointError(.malformed, "a run of storages has no length", at: json.offset)
    }
    count = try json.count()
    isSortedAsText = try json.nextElement()
    var isWhole = true
    if isSortedAsText {
      isWhole = try json.string() == Self.textOrder
      if try json.nextElement() { isWhole = false }
    }
    guard isWhole, first == 0 || !isSortedAsText else {
      throw CheckpointError(
        .malformed, "a run of storages is [first,count] or [0,count,\"\(Self.textOrder)\"]",
        at: start)
    }
  }

  /// Finds the longest run at the start of `records`.
  ///
  /// `sizes` has the sizes that tensors need, by the numbers of the storages. Returns `nil` if there is
  /// no run.
  init?(in records: ArraySlice<TorchArchiveDescription.Record>, sizes: [Int?]) {
    func number(_ record: TorchArchiveDescription.Record) -> Int? {
      guard case .storage(let name, let byteCount) = record,
        name.begins(with: TorchArchiveDescription.storagePrefix),
        let number = DecimalKey.number(
          name.utf8.dropFirst(TorchArchiveDescription.storagePrefix.utf8.count)),
        number < sizes.count, sizes[number] == byteCount
      else { return nil }
      return number
    }
    guard let first = records.first.flatMap(number) else { return nil }
    var numbers = [first]
    var isAscending = true
    for record in records.dropFirst() {
      guard let next = number(record) else { break }
      // A run that is sorted as text begins at zero.
      isAscending = isAscending && next == first + numbers.count
      guard isAscending || first == 0 else { break }
      numbers.append(next)
    }
    let ascendingCount = zip(numbers, first...).prefix { $0 == $1 }.count
    let text = StorageRun(first: 0, count: numbers.count, isSortedAsText: true)
    let run =
      ascendingCount < numbers.count && text.numbers.elementsEqual(numbers)
      ? text : StorageRun(first: first, count: ascendingCount, isSortedAsText: false)
    guard run.count >= Self.leastCount else { return nil }
    self = run
  }

  /// Writes the run as an entry of the list of records.
  func write(to json: inout JSONWriter) {
    json.beginArray()
    json.integer(first)
    json.integer(count)
    if isSortedAsText { json.string(Self.textOrder) }
    json.endArray()
  }

  /// The numbers, in the order of the archive.
  var numbers: some Sequence<Int> {
    sequence(first: first) { follower(of: $0) }.prefix(count)
  }

  private func follower(of number: Int) -> Int {
    guard isSortedAsText else { return number + 1 }
    if number > 0, 10 * number < count { return 10 * number }
    var number = number
    while number % 10 == 9 || number + 1 >= count, number > 0 { number /= 10 }
    return number + 1
  }
}

/// The storages that a skeleton names.
///
/// Their bytes are in the entries of the tensors.
struct SkeletonStorages: StorageSource {
  private let isBigEndian: Bool
  private var byteCounts: [ExactString: Int] = [:]
  /// Whether a run has the storage, by its number.
  private var isInRun: [Bool]

  /// Creates the storages of the archive that an object with `tensorCount` tensors was made from.
  ///
  /// - Throws: `malformed` for runs with more storages than there are tensors.
  init(_ source: SkeletonSource?, tensorCount: Int) throws(CheckpointError) {
    isBigEndian = source?.isBigEndian ?? false
    for (name, byteCount) in source?.storages ?? [] { byteCounts[ExactString(name)] = byteCount }
    isInRun = [Bool](repeating: false, count: tensorCount)
    for run in source?.runs ?? [] {
      guard run.first <= tensorCount, run.count <= tensorCount - run.first else {
        throw CheckpointError(
          .malformed,
          "a run of \(run.count) storages from number \(run.first) on, but \(tensorCount) tensors")
      }
      for number in run.first..<run.first + run.count {
        guard !isInRun[number] else {
          throw CheckpointError(.malformed, "storage '\(number)' is in two runs")
        }
        isInRun[number] = true
      }
    }
  }

  func storage(_ announced: PersistentStorage) throws(CheckpointError) -> Storage {
    Storage(
      key: announced.key, dtype: announced.dtype, location: announced.location,
      byteCount: try byteCount(of: announced), region: nil, isBigEndian: isBigEndian)
  }

  private func byteCount(of announced: PersistentStorage) throws(CheckpointError) -> Int {
    if let number = DecimalKey.number(announced.key.utf8), number < isInRun.count, isInRun[number] {
      return try announced.byteCount()
    }
    guard let byteCount = byteCounts[ExactString(announced.recordName)] else {
      throw CheckpointError(
        .malformed, "storage '\(announced.key)' is not among the skeleton's records")
    }
    return byteCount
  }

  /// Returns the sizes of the storages that tensors refer to, by their keys, if those are numbers below
  /// `limit`.
  static func sizes(
    of graph: TensorGraph, limit: Int, isReached: (NodeID) -> Bool = { _ in true }
  ) -> [Int?] {
    var sizes = [Int?](repeating: nil, count: limit)
    for tensor in graph.tensors where isReached(tensor.node) {
      if case .plain = tensor.origin { continue }
      guard let storage = tensor.storage.map({ graph[$0] }),
        let number = DecimalKey.number(storage.key.utf8), number < limit
      else { continue }
      sizes[number] = storage.byteCount
    }
    return sizes
  }
}
