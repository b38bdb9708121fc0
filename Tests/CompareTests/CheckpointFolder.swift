import CkptBase
import CkptCompare
import CkptCopy
import CkptFormats
import CkptGraph
import CkptPlan
import CkptSafetensors
import CkptSkeleton
import CkptTestSupport
import CkptTorch

/// A directory in which a test writes checkpoints.
struct CheckpointFolder {
  /// The directory.
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// Writes what `torch.save` would write for an object and returns the file's path.
  func torch(
    _ name: String, _ object: PickledValue, _ storages: [[UInt8]],
    edit: (inout ZipBuilder) -> Void = { _ in }
  ) throws -> String {
    var archive = ZipBuilder.torch(pickle: object.pickle(), storages: storages)
    edit(&archive)
    try directory.write(archive.bytes(), to: name)
    return directory / name
  }

  /// Writes a safetensors file with this header and returns its path.
  func safetensors(_ name: String, _ header: String, data: [UInt8]) throws -> String {
    try directory.write(SafetensorsFile(header, data: data).bytes, to: name)
    return directory / name
  }

  /// Converts a `.pt` file to safetensors and returns the path of the new file.
  func safetensors(
    _ name: String, from path: String, _ options: SafetensorsOptions
  ) throws -> String {
    try write(SafetensorsEncoder.encode(CheckpointFile.read(path), options: options).plan, to: name)
  }

  /// Converts a safetensors file to `.pt` and returns the path of the new file.
  func torch(_ name: String, from path: String) throws -> String {
    try write(
      TorchEncoder.encode(CheckpointFile.read(path), options: .init(prefix: "archive")).plan,
      to: name)
  }

  /// Converts a `.pt` file to shards and returns the path of their index.
  func shards(from path: String, maximumByteCount: Int) throws -> String {
    let shards = try SafetensorsEncoder.encodeShards(
      CheckpointFile.read(path), options: .init(), .limit(maximumByteCount))
    for file in shards.files { _ = try write(file.plan, to: file.name) }
    guard let index = shards.index else { return directory / shards.files[0].name }
    try directory.write(index.bytes, to: index.name)
    return directory / index.name
  }

  /// Flips a bit in the last place where these bytes stand in a file.
  func damage(_ name: String, at bytes: [UInt8]) throws {
    guard var content = directory.bytes(of: name),
      let place = content.indices.last(where: { content[$0...].starts(with: bytes) })
    else { throw CheckpointError(.malformed, "the bytes are not there") }
    content[place] ^= 1
    try directory.write(content, to: name)
  }

  private func write(_ plan: FilePlan, to name: String) throws -> String {
    try directory.write(
      TemporaryOutput.holding(plan).bytes(in: 0..<plan.byteCount), to: name)
    return directory / name
  }
}

/// The pairs of two files, of which there is one.
func pair(_ first: String, _ second: String) throws -> FilePairing.Pair {
  try FilePairing(of: first, and: second).pairs[0]
}

/// The bytes of numbers in single precision.
func floats(_ numbers: [Float]) -> [UInt8] { numbers.flatMap { littleEndian($0.bitPattern) } }
