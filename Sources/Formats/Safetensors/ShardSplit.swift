/// How tensors are distributed over files.
///
/// This is `split_state_dict_into_shards_factory` of `huggingface_hub/serialization/_base.py`: files
/// are filled in the order of the tensors, and one that is too large for any gets a file of its own.
struct ShardSplit {
  /// The numbers of the tensors in each file.
  private(set) var shards: [[Int]] = []

  /// Distributes tensors of these sizes in bytes over files of up to `maximum` bytes of tensors.
  ///
  /// PyTorch gives all tensors without elements one storage, and a storage is not torn: they are
  /// where the first of them is.
  init(byteCounts: [Int], maximum: Int) {
    var current: [Int] = []
    var size = 0
    var empty: [Int] = []
    for (number, byteCount) in byteCounts.enumerated() {
      if byteCount == 0 {
        empty.append(number)
        guard empty.count == 1 else { continue }
      }
      if byteCount > maximum {
        shards.append([number])
        continue
      }
      // Both are at most the maximum, so the sum does not overflow before it is compared.
      if byteCount > maximum - size {
        shards.append(current)
        (current, size) = ([], 0)
      }
      current.append(number)
      size += byteCount
    }
    if !current.isEmpty { shards.append(current) }
    guard let first = empty.first,
      let home = shards.firstIndex(where: { $0.contains(first) })
    else { return }
    shards[home] += empty.dropFirst()
  }
}
