import CkptBase
import CkptFormats
import CkptTestSupport

/// A folder with shards and their index.
struct ShardFolder {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// Adds a safetensors file in which each of `names` is a tensor of two bytes.
  func addSafetensors(_ file: String, _ names: [String], metadata: String? = nil) throws {
    var members = metadata.map { ["\"__metadata__\":\($0)"] } ?? []
    for (index, name) in names.enumerated() {
      members.append(
        "\"\(name)\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[\(2 * index),\(2 * index + 2)]}"
      )
    }
    let header = "{\(members.joined(separator: ","))}"
    let data = names.indices.flatMap { index -> [UInt8] in [UInt8(index), 0xff] }
    try directory.write(SafetensorsFile(header, data: data).bytes, to: file)
  }

  /// Adds a file of `torch.save` with this object and these storages.
  func addTorch(_ file: String, _ object: PickledValue, storages: [[UInt8]]) throws {
    let archive = ZipBuilder.torch(pickle: object.pickle(), storages: storages)
    try directory.write(archive.bytes(), to: file)
  }

  /// Adds an index with these members.
  func addIndex(
    _ map: String, metadata: String = "{}", named name: String = "model.safetensors.index.json"
  ) throws {
    let text = "{\"metadata\":\(metadata),\"weight_map\":\(map)}"
    try directory.write(Array(text.utf8), to: name)
  }

  /// Reads the folder, or a file in it.
  func read(_ name: String? = nil) throws(CheckpointError) -> Checkpoint {
    try CheckpointFile.read(name.map { directory / $0 } ?? directory.path)
  }

  /// The error that reading the folder ends with, with the folder left out of its places.
  func error(_ name: String? = nil) -> CheckpointError? {
    do {
      _ = try read(name)
      return nil
    } catch {
      var error = error
      error.path = error.path.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
      return error
    }
  }
}
