import CkptBase
import CkptTestSupport

/// A distributed checkpoint of one tensor and one value, put down byte by byte, with everything that can
/// be wrong with it.
struct DistributedFolder {
  /// A chunk in the metadata, and the item that is stored for it.
  struct Chunk {
    var offsets: [Int]
    var sizes: [Int]
    /// The shape of the stored tensor; `nil` for that of the chunk.
    var storedShape: [Int]?
    var storage = "ByteStorage"
  }

  /// Rows 0 and 1, and row 2, of a tensor with three rows of two bytes.
  var chunks = [
    Chunk(offsets: [0, 0], sizes: [2, 2]), Chunk(offsets: [2, 0], sizes: [1, 2]),
  ]
  var shape = [3, 2]
  var dtype = "uint8"
  var value: PickledValue = 7
  /// The path of the tensor and of the value; `nil` for a metadata without paths.
  var paths: (PickledValue, PickledValue)? = (
    .tuple(["model", "w"]), .tuple(["steps", 0])
  )
  /// A change of where an item is said to be: the path, the offset, the length.
  var changePlace:
    (inout (path: PickledValue, offset: PickledValue, byteCount: PickledValue)) -> Void =
      { _ in }
  /// A change of the bytes of the metadata.
  var changeMetadata: (inout [UInt8]) -> Void = { _ in }
  /// A change of the bytes of the file of rank 0.
  var changeFile: (inout [UInt8]) -> Void = { _ in }

  private static let module = "torch.distributed.checkpoint.metadata"

  private static func object(
    _ name: String, _ state: PickledValue, module: String = module
  ) -> PickledValue {
    .built(.new(.global(module, name), []), state: state)
  }

  private static func size(_ sizes: [Int]) -> PickledValue {
    .call(.global("torch", "Size"), [.ints(sizes)])
  }

  /// Writes a directory of its own.
  func write() throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    try write(to: directory)
    return directory
  }

  /// Writes the files into `directory`, or into a new directory in it.
  func write(
    to directory: TemporaryDirectory, in folder: String? = nil, file name: String = "__0_0.distcp",
    metadata metadataName: String = ".metadata"
  ) throws {
    if let folder { try directory.makeDirectory(folder) }
    let prefix = folder.map { $0 + "/" } ?? ""
    var file: [UInt8] = []
    var places: [PickledValue] = []
    func store(_ index: PickledValue, _ item: [UInt8]) {
      var place = (
        path: PickledValue.str(name), offset: PickledValue.int(file.count),
        byteCount: PickledValue.int(item.count)
      )
      changePlace(&place)
      let info = Self.object(
        "_StorageInfo",
        ["relative_path": place.path, "offset": place.offset, "length": place.byteCount],
        module: "torch.distributed.checkpoint.filesystem")
      places += [index, info]
      file += item
    }
    var element: UInt8 = 0
    for chunk in chunks {
      let stored = chunk.storedShape ?? chunk.sizes
      let count = stored.reduce(1, *)
      let bytes = (0..<count).map { _ -> UInt8 in
        element += 1
        return element
      }
      let tensor = PickledValue.tensor(.storage(chunk.storage, .int(count)), stored)
      store(
        Self.object(
          "MetadataIndex", ["fqn": "model.w", "index": 0, "offset": Self.size(chunk.offsets)]),
        ZipBuilder.torch(pickle: tensor.pickle(), storages: [bytes]).bytes())
    }
    store(
      Self.object("MetadataIndex", ["fqn": "steps.0", "index": .none]),
      ZipBuilder.torch(pickle: value.pickle(), storages: []).bytes())
    changeFile(&file)
    try directory.write(file, to: prefix + name)
    var metadata = description(places).pickle()
    changeMetadata(&metadata)
    try directory.write(metadata, to: prefix + metadataName)
  }

  private func description(_ places: [PickledValue]) -> PickledValue {
    let tensor = Self.object(
      "TensorStorageMetadata",
      [
        "properties": Self.object(
          "TensorProperties", .tuple([.global("torch", dtype), .none, false, .none, false])),
        "size": Self.size(shape),
        "chunks": .list(
          chunks.map { chunk in
            Self.object(
              "ChunkStorageMetadata",
              ["offsets": Self.size(chunk.offsets), "sizes": Self.size(chunk.sizes)])
          }),
      ])
    return Self.object(
      "Metadata",
      [
        "state_dict_metadata": [
          "model.w": tensor, "steps.0": .new(.global(Self.module, "BytesStorageMetadata"), []),
        ],
        "planner_data": paths.map { ["model.w": $0.0, "steps.0": $0.1] } ?? .none,
        "storage_data": .dict(places),
      ])
  }
}
