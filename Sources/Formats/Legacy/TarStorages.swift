internal import CkptBase
internal import CkptGraph
internal import CkptTorch

/// The storages of a tar archive of PyTorch 0.1, some of which are parts of others.
struct TarStorages: StorageSource {
  /// A storage that has bytes of its own.
  private struct Root {
    var key: ExactString
    var location: String
    var region: FileRegion
  }

  /// A storage, or a part of one.
  struct Place {
    /// The number of the storage that has the bytes.
    var root: Int
    var dtype: DType
    /// The elements of the whole that it has.
    var elements: Range<Int>
  }

  private var roots: [Root] = []
  private var places: [ExactString: Place] = [:]

  subscript(key: ExactString) -> Place? { places[key] }

  /// Adds a storage with bytes of its own; of several with one key the last counts.
  mutating func add(
    _ key: ExactString, _ dtype: DType, _ location: String, _ region: FileRegion
  ) {
    places[key] = Place(
      root: roots.count, dtype: dtype, elements: 0..<region.byteCount / dtype.byteCount)
    roots.append(Root(key: key, location: location, region: region))
  }

  /// Adds a part of another storage.
  ///
  /// - Throws: `malformed` when it is no part of it.
  mutating func addView(
    _ key: ExactString, of root: ExactString, offset: Int, count: Int
  ) throws(CheckpointError) {
    guard var place = places[root] else {
      throw CheckpointError(
        .malformed, "storage '\(key.text)' is a part of '\(root.text)', which is not in the archive"
      )
    }
    guard offset >= 0, count >= 0, offset <= place.elements.count,
      count <= place.elements.count - offset
    else {
      throw CheckpointError(
        .malformed,
        "storage '\(key.text)' has \(count) elements from number \(offset) on of storage "
          + "'\(root.text)', which has \(place.elements.count)")
    }
    let start = place.elements.lowerBound + offset
    place.elements = start..<start + count
    places[key] = place
  }

  /// The storage of that number, which has bytes of its own.
  func whole(_ root: Int) -> Storage {
    let (root, dtype) = (roots[root], places[roots[root].key]?.dtype)
    return Storage(
      key: root.key.text, dtype: dtype, location: root.location, byteCount: root.region.byteCount,
      region: root.region, isBigEndian: false)
  }

  func storage(_ announced: PersistentStorage) throws(CheckpointError) -> Storage {
    guard let place = places[ExactString(announced.key)] else {
      throw CheckpointError(
        .malformed, "storage '\(announced.key)' is not in the archive",
        remedy: "the file is incomplete; fetch it again")
    }
    return whole(place.root)
  }
}
