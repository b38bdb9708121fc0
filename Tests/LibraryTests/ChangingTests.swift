import CkptConverter
import CkptTestSupport
import Testing

@Suite("A program that uses the library can make and change checkpoints")
struct ChangingTests {
  private let directory: TemporaryDirectory
  init() throws { directory = try TemporaryDirectory() }

  /// A checkpoint with a tensor inside of a dict, beside two that are in none.
  private func nested() throws -> Checkpoint {
    let builder = TorchFileBuilder()
    let object = PickledValue.dict([
      .str("a.w"), builder.tensor([2], [1, 2]), .str("b.w"), builder.tensor([1], [3]),
      .str("optimizer"), .dict([.str("m"), builder.tensor([2], [4, 5]), .str("lr"), .float(0.5)]),
    ])
    return try Checkpoint(reading: MemorySource(builder.bytes(object), name: "model.pt"))
  }

  private func floats(_ checkpoint: Checkpoint) throws -> [String: [Float]] {
    try Dictionary(
      uniqueKeysWithValues: checkpoint.tensors().map { ($0.name, try $0.floats()) })
  }

  @Test("Arrays become a .pt file and a safetensors file", arguments: ["x.pt", "x.safetensors"])
  func arrays(_ name: String) throws {
    var checkpoint = Checkpoint()
    try checkpoint.setTensor("weight", to: [1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    try checkpoint.setTensor("half", toBytes: [0x80, 0x3f], dtype: .bfloat16, shape: [])
    try checkpoint.setTensor("empty", to: [] as [Int64], shape: [0, 3])
    #expect(try checkpoint.save(to: directory / name) == [])
    let found = try Checkpoint(path: directory / name)
    #expect(found.format == (name == "x.pt" ? .torch : .safetensors))
    let tensors = try found.tensors()
    #expect(Set(tensors.names) == ["weight", "half", "empty"])
    #expect(tensors["weight"]?.shape == [2, 3])
    #expect(tensors["half"]?.shape == [] && tensors["half"]?.dtype == .bfloat16)
    #expect(try tensors["weight"]?.elements(as: Float.self) == [1, 2, 3, 4, 5, 6])
    #expect(try tensors["empty"]?.elements(as: Int64.self) == [])
  }

  @Test("A safetensors file of named tensors is the one that safetensors writes")
  func plainFile() throws {
    var checkpoint = Checkpoint()
    try checkpoint.setTensor("b", to: [1] as [Float], shape: [1])
    try checkpoint.setTensor("a", to: [258] as [Int16], shape: [])
    try checkpoint.save(to: directory / "x.safetensors")
    let header =
      #"{"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
      + #""a":{"dtype":"I16","shape":[],"data_offsets":[4,6]}}"#
    let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    let length = (0..<8).map { UInt8(padded.utf8.count >> (8 * $0) & 0xff) }
    let expected: [UInt8] = length + Array(padded.utf8) + [0, 0, 0x80, 0x3f, 2, 1]
    #expect(directory.bytes(of: "x.safetensors") == expected)
  }

  @Test("Values beside the tensors return from both formats", arguments: ["x.pt", "x.safetensors"])
  func values(_ name: String) throws {
    var checkpoint = Checkpoint()
    try checkpoint.setTensor("w", to: [1] as [Double], shape: [1])
    try checkpoint.setValue("step", to: 7)
    try checkpoint.setValue(
      "config", to: ["lr": 0.1, "betas": [0.9, 0.999], "name": "x", "seed": nil])
    try checkpoint.setValue("step", to: 8)
    try checkpoint.save(to: directory / name)
    let found = try Checkpoint(path: directory / name)
    #expect(found.value(at: "step")?.int == 8)
    #expect(found.value(at: "config.betas.1")?.double == 0.999)
    #expect(found.value(at: "config.seed")?.isNone == true)
  }

  @Test("What a safetensors file without skeleton has no place for is an error, or a warning")
  func loss() throws {
    var checkpoint = Checkpoint()
    try checkpoint.setTensor("w", to: [1] as [Float], shape: [1])
    try checkpoint.setValue("step", to: 7)
    var options = SavingOptions()
    options.includesSkeleton = false
    let error = #expect(throws: CheckpointError.self) {
      try checkpoint.save(to: directory / "x.safetensors", options)
    }
    #expect(error?.code == .lossy)
    #expect(directory.names == [])
    options.allowsLoss = true
    #expect(
      try checkpoint.save(to: directory / "x.safetensors", options) == [
        "lost: 'step' is 7, not a tensor"
      ])
  }

  @Test("A tensor is renamed by the key in its dict", arguments: ["x.pt", "x.safetensors"])
  func renames(_ name: String) throws {
    var checkpoint = try nested()
    try checkpoint.renameTensors { $0 == "optimizer.m" ? "optimizer.moment" : "model." + $0 }
    try checkpoint.save(to: directory / name)
    let found = try Checkpoint(path: directory / name)
    #expect(
      try floats(found) == ["model.a.w": [1, 2], "model.b.w": [3], "optimizer.moment": [4, 5]])
    #expect(found.value(at: "optimizer.lr")?.double == 0.5)
  }

  @Test("A tensor does not leave its dict, and takes nobody's name")
  func refusedNames() throws {
    var checkpoint = try nested()
    let moved = #expect(throws: CheckpointError.self) {
      try checkpoint.renameTensors { $0 == "optimizer.m" ? "m" : $0 }
    }
    #expect(moved?.code == .unsupported)
    let taken = #expect(throws: CheckpointError.self) {
      try checkpoint.renameTensors { $0 == "a.w" ? "b.w" : $0 }
    }
    #expect(taken?.code == .conflict)
    #expect(try checkpoint.tensors().names == ["a.w", "b.w", "optimizer.m"])
  }

  @Test("Names can be exchanged")
  func exchangedNames() throws {
    var checkpoint = try nested()
    let exchanged = ["a.w": "b.w", "b.w": "a.w"]
    try checkpoint.renameTensors { exchanged[$0] ?? $0 }
    #expect(try floats(checkpoint) == ["b.w": [1, 2], "a.w": [3], "optimizer.m": [4, 5]])
  }

  @Test("What is removed leaves no bytes behind", arguments: ["x.pt", "x.safetensors"])
  func removes(_ name: String) throws {
    var checkpoint = try nested()
    try checkpoint.removeTensors { $0.hasPrefix("a.") || $0 == "optimizer.m" }
    #expect(try checkpoint.save(to: directory / name) == [])
    #expect(try floats(Checkpoint(path: directory / name)) == ["b.w": [3]])
    let bytes = try #require(directory.bytes(of: name))
    let removed: [UInt8] = [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40]
    #expect(!(0...bytes.count - 8).contains { Array(bytes[$0..<$0 + 8]) == removed })
  }

  @Test("Tensors of a list cannot be removed or renamed")
  func lists() throws {
    let builder = TorchFileBuilder()
    let bytes = builder.bytes(.dict([.str("l"), .list([builder.tensor([1], [1])])]))
    var checkpoint = try Checkpoint(reading: MemorySource(bytes, name: "model.pt"))
    for change in [
      { (checkpoint: inout Checkpoint) in try checkpoint.removeTensors { _ in true } },
      { (checkpoint: inout Checkpoint) in try checkpoint.renameTensors { $0 + "x" } },
    ] {
      let error = #expect(throws: CheckpointError.self) { try change(&checkpoint) }
      #expect(error?.code == .unsupported)
    }
    #expect(try floats(checkpoint) == ["l.0": [1]])
  }

  @Test(
    "A tensor is replaced where it is, and a new one added", arguments: ["x.pt", "x.safetensors"])
  func replaces(_ name: String) throws {
    var checkpoint = try nested()
    try checkpoint.setTensor("optimizer.m", to: [6, 7, 8] as [Float], shape: [3])
    try checkpoint.setTensor("new", to: [9] as [Float], shape: [1])
    try checkpoint.setTensor("copy", to: #require(nested().tensors()["a.w"]))
    #expect(try checkpoint.save(to: directory / name) == [])
    let found = try Checkpoint(path: directory / name)
    #expect(
      try floats(found)
        == ["a.w": [1, 2], "b.w": [3], "optimizer.m": [6, 7, 8], "new": [9], "copy": [1, 2]])
    #expect(found.value(at: "optimizer")?.entries?.map { $0.key.string } == ["m", "lr"])
  }

  @Test("Casting rounds, and happens once", arguments: ["x.pt", "x.safetensors"])
  func casts(_ name: String) throws {
    var checkpoint = Checkpoint()
    try checkpoint.setTensor("w", to: [1, 1.00390625, 1.01171875] as [Float], shape: [3])
    try checkpoint.setTensor("n", to: [1] as [Int], shape: [1])
    try checkpoint.castTensors(to: .bfloat16)
    let tensor = try #require(checkpoint.tensors()["w"])
    #expect(tensor.dtype == .bfloat16)
    #expect(try tensor.floats() == [1, 1, 1.015625])
    try checkpoint.save(to: directory / name)
    let found = try Checkpoint(path: directory / name).tensors()
    #expect(found["w"]?.dtype == .bfloat16 && found["n"]?.dtype == .int64)
    #expect(try found["w"]?.floats() == [1, 1, 1.015625])
    let twice = #expect(throws: CheckpointError.self) { try checkpoint.castTensors(to: .float16) }
    #expect(twice?.code == .unsupported)
    let other = #expect(throws: CheckpointError.self) { try checkpoint.castTensors(to: .int8) }
    #expect(other?.code == .unsupported)
  }

  @Test("A .pt file that is cast keeps no room for what it was")
  func castsAFile() throws {
    var checkpoint = try nested()
    try checkpoint.castTensors(to: .float16)
    #expect(try checkpoint.save(to: directory / "x.pt") == [])
    let found = try Checkpoint(path: directory / "x.pt")
    #expect(try floats(found) == ["a.w": [1, 2], "b.w": [3], "optimizer.m": [4, 5]])
  }

  @Test("A shape must be that of the elements")
  func shapes() throws {
    var checkpoint = Checkpoint()
    for shape in [[2, 2], [-3], [3, -1], [.max, .max], []] {
      #expect(throws: CheckpointError.self) {
        try checkpoint.setTensor("w", to: [1, 2, 3] as [Float], shape: shape)
      }
    }
    #expect(try checkpoint.tensors().isEmpty)
  }

  @Test("Metadata of a safetensors file stays, and can be changed")
  func metadata() throws {
    let header =
      #"{"__metadata__":{"format":"pt","by":"me"},"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
    let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    let length = (0..<8).map { UInt8(padded.utf8.count >> (8 * $0) & 0xff) }
    try directory.write(length + Array(padded.utf8) + [5], to: "x.safetensors")
    var checkpoint = try Checkpoint(path: directory / "x.safetensors")
    try checkpoint.renameTensors { _ in "y" }
    try checkpoint.save(to: directory / "y.safetensors")
    let found = try Checkpoint(path: directory / "y.safetensors")
    #expect(found.metadata.map(\.key) == ["format", "by"])
    #expect(try found.tensors()["y"]?.bytes() == [5])
    var options = SavingOptions()
    options.metadata = [("by", "you")]
    try found.save(to: directory / "z.safetensors", options)
    #expect(try Checkpoint(path: directory / "z.safetensors").metadata.map(\.value) == ["you"])
  }

  @Test("A file that exists stays, unless it is to be replaced; then even the source may be")
  func existing() throws {
    var checkpoint = Checkpoint()
    try checkpoint.setTensor("w", to: [1] as [Float], shape: [1])
    try checkpoint.save(to: directory / "x.pt")
    let before = directory.bytes(of: "x.pt")
    var changed = try Checkpoint(path: directory / "x.pt")
    try changed.renameTensors { _ in "v" }
    let error = #expect(throws: CheckpointError.self) { try changed.save(to: directory / "x.pt") }
    #expect(error?.code == .inputOutput)
    #expect(directory.bytes(of: "x.pt") == before)
    var options = SavingOptions()
    options.writing.replacesExisting = true
    try changed.save(to: directory / "x.pt", options)
    #expect(try floats(Checkpoint(path: directory / "x.pt")) == ["v": [1]])
  }

  @Test("Saving tells its progress, and stops when it is cancelled")
  func cancelled() throws {
    let checkpoint = try nested()
    var options = SavingOptions()
    let cancellation = Cancellation()
    options.budget.cancellation = cancellation
    try checkpoint.save(to: directory / "x.pt", options) { done, total in
      if done == total { cancellation.cancel() }
    }
    #expect(cancellation.isCancelled)
    let error = #expect(throws: CheckpointError.self) {
      try checkpoint.save(to: directory / "y.pt", options)
    }
    #expect(error?.code == .cancelled)
    #expect(directory.names == ["x.pt"])
  }

  @Test("A name that tells no format is an error")
  func formats() throws {
    let error = #expect(throws: CheckpointError.self) {
      try Checkpoint().save(to: directory / "model.onnx")
    }
    #expect(error?.code == .unsupported)
    try Checkpoint().save(to: directory / "model.onnx", as: .torch)
    #expect(try Checkpoint(path: directory / "model.onnx").format == .torch)
  }
}
