package import Bytes
package import Graph

/// Where the storages are that a pickle, or a skeleton in its place, speaks of.
package protocol StorageSource {
  /// The storage that a persistent id announces, with the size it has there.
  ///
  /// - Throws: `malformed` when it is not there.
  func storage(_ announced: PersistentStorage) throws(FormatError) -> Storage
}

extension TorchArchive: StorageSource {
  /// The storage as a record of the archive.
  package func storage(_ announced: PersistentStorage) throws(FormatError) -> Storage {
    guard let region = storageRegion(key: announced.key) else {
      throw FormatError(
        .malformed, "storage '\(announced.key)' is not in the archive",
        hint: "the file is incomplete; fetch it again")
    }
    return Storage(
      key: announced.key, dtype: announced.dtype, location: announced.location,
      byteCount: region.byteCount, region: region, isBigEndian: isBigEndian)
  }
}
