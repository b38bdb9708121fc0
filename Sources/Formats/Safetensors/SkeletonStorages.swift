internal import Bytes
internal import Graph
internal import Torch

/// The storages that a skeleton speaks of: their bytes are where the tensors are.
struct SkeletonStorages: StorageSource {
  private let isBigEndian: Bool
  private var byteCounts: [ExactString: Int] = [:]

  /// The storages of the archive that a file was made from.
  init(_ archive: TorchArchiveDescription?) {
    isBigEndian = archive?.isBigEndian ?? false
    for case .storage(let name, let byteCount) in archive?.records ?? [] {
      byteCounts[ExactString(name)] = byteCount
    }
  }

  func storage(_ announced: PersistentStorage) throws(FormatError) -> Storage {
    guard let byteCount = byteCounts[ExactString(announced.recordName)] else {
      throw FormatError(
        .malformed, "storage '\(announced.key)' is not among the skeleton's records")
    }
    return Storage(
      key: announced.key, dtype: announced.dtype, location: announced.location,
      byteCount: byteCount, region: nil, isBigEndian: isBigEndian)
  }
}
