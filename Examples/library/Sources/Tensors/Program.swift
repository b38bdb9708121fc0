import CkptConverter
import JSON
import Zip

/// Shows what the library does with a checkpoint: `Tensors CHECKPOINT NAME DIRECTORY`.
///
/// Lists the tensors of CHECKPOINT as JSON, reads the tensor NAME, and writes to DIRECTORY what
/// CHECKPOINT is converted to, a changed copy of it, and a new checkpoint.
@main
enum Program {
  static func main() throws {
    guard CommandLine.arguments.count == 4 else {
      print("usage: Tensors CHECKPOINT NAME DIRECTORY")
      return
    }
    let (path, name, directory) = (
      CommandLine.arguments[1], CommandLine.arguments[2], CommandLine.arguments[3]
    )
    print(try listing(of: path))
    try read(name, of: path)
    try convert(path, into: directory)
    try change(path, without: name, into: directory)
    try make(in: directory)
  }

  /// What a checkpoint holds.
  static func listing(of path: String) throws -> JSON.Value {
    let checkpoint = try Checkpoint(path: path)
    let rows = try checkpoint.tensors().map { tensor -> JSON.Value in
      .object([
        ("name", .text(tensor.name)), ("dtype", .text(tensor.dtype.name)),
        ("shape", .list(tensor.shape.map { .number($0) })),
      ])
    }
    return .object([
      ("bytes", .number(checkpoint.byteCount)), ("tensors", .list(rows)),
      ("values", .list(try checkpoint.values().map { .text($0.name) })),
    ])
  }

  /// Reads one tensor.
  static func read(_ name: String, of path: String) throws {
    let tensors = try Checkpoint(path: path).tensors()
    guard let floats = try tensors[name]?.floats() else { return print("there is no", name) }
    print(name, "has", floats.count, "elements, the largest is", floats.max() ?? 0)
  }

  /// Converts the checkpoint and proves that nothing is lost.
  static func convert(_ path: String, into directory: String) throws {
    let converted = "\(directory)/converted.safetensors"
    for output in try Conversion(to: .safetensors).convert(path, to: .path(converted)) {
      print("converted", output.tensorCount, "tensors")
    }
    print("the same:", try VerifyReport(of: path, and: converted).isSame)
  }

  /// Leaves out a tensor, gives the others new names and fewer bits.
  static func change(_ path: String, without name: String, into directory: String) throws {
    var checkpoint = try Checkpoint(path: path)
    try checkpoint.removeTensors { $0 == name }
    try checkpoint.renameTensors { "model." + $0 }
    try checkpoint.castTensors(to: .bfloat16)
    for warning in try checkpoint.save(to: "\(directory)/changed.pt") { print(warning) }
  }

  /// Makes a checkpoint of arrays and values.
  static func make(in directory: String) throws {
    var checkpoint = Checkpoint()
    try checkpoint.setTensor("weight", to: [1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    try checkpoint.setTensor("steps", to: [10, 20] as [Int64], shape: [2])
    try checkpoint.setTensor("half", toBytes: [0x80, 0x3f], dtype: .bfloat16, shape: [])
    try checkpoint.setValue("config", to: ["lr": 0.001, "betas": [0.9, 0.999], "name": "new"])
    try checkpoint.save(to: "\(directory)/new.pt")
    try checkpoint.save(to: "\(directory)/new.safetensors")
    let file = try FileSource(path: "\(directory)/new.pt")
    var head = [UInt8](repeating: 0, count: 4)
    var span = head.mutableSpan
    var bytes = span.mutableBytes
    _ = try file.read(at: 0, into: &bytes)
    print("a ZIP archive:", Zip.Archive.begins(with: head))
  }
}
