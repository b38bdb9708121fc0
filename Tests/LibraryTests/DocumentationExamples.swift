import CkptConverter

// The code of the README, of `Documentation/library.md` and of the DocC articles, compiled as a user
// would: with public names only. `DocumentationExampleTests` holds them against each other.

func readmeExample() throws {
  let tensors = try Checkpoint(path: "model.pt").tensors()
  for tensor in tensors {
    print(tensor.name, tensor.dtype, tensor.shape)
  }
  let embedding = try tensors["weight"]?.floats()
  print(embedding?.count ?? 0)
  try Conversion(to: .safetensors).convert("model.pt")
}

func formatsOverview() throws {
  let tensors = try Checkpoint(path: "model.pt").tensors()
  let embedding = try tensors["transformer.wte.weight"]?.floats()
  _ = embedding
}

func readATensor() throws {
  let checkpoint = try Checkpoint(path: "model.pt")
  for tensor in try checkpoint.tensors() {
    print(tensor.name, tensor.dtype, tensor.shape, tensor.byteCount)
  }

  let tensors = try checkpoint.tensors()
  guard let weight = tensors["weight"], let step = tensors["step"] else { return }
  let floats = try weight.floats()
  let steps = try step.elements(as: Int64.self)
  print(floats, steps)

  var values = [Float](repeating: 0, count: weight.elementCount)
  var span = values.mutableSpan
  var bytes = span.mutableBytes
  try weight.read(into: &bytes)
  print(values)

  var sum = 0
  try weight.forEachChunk(byteCount: 1 << 20) { chunk in
    sum += chunk.byteCount
  }
  print(sum)

  let rate = checkpoint.value(at: "optimizer.param_groups.0.lr")?.double
  for (name, value) in try checkpoint.values() {
    print(name, value)
  }
  print(rate ?? 0)
}

func saveArrays() throws {
  var checkpoint = Checkpoint()
  try checkpoint.setTensor("weight", to: [1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
  try checkpoint.setValue("config", to: ["lr": 0.001, "betas": [0.9, 0.999], "name": "tiny"])
  try checkpoint.save(to: "tiny.pt")
}

func changeACheckpoint(_ cancellation: Cancellation) throws {
  var model = try Checkpoint(path: "model.pt")
  try model.removeTensors { $0.hasPrefix("head.") }
  try model.renameTensors { "backbone." + $0 }
  try model.castTensors(to: .bfloat16)
  try model.save(to: "backbone.safetensors")

  let other = try Checkpoint(path: "other.safetensors").tensors()
  if let head = other["head.weight"] { try model.setTensor("head.weight", to: head) }

  var options = SavingOptions()
  options.writing.replacesExisting = true
  options.budget.cancellation = cancellation
  try model.save(to: "model.pt", options) { done, total in
    print(done, "of", total, "bytes")
  }
}

func converterOverview() throws {
  for output in try Conversion(to: .safetensors).convert("model.pt") {
    print(output.path, output.byteCount)
  }
}

func convertACheckpoint(_ cancellation: Cancellation) throws {
  let outputs = try Conversion(to: .safetensors).convert("model.pt", to: .path("model.safetensors"))
  for output in outputs {
    print(output.path, output.tensorCount, output.warnings)
  }

  var options = ConversionOptions(to: .safetensors)
  options.layout = .plain
  options.writing.replacesExisting = true
  options.verifiesOutputs = true
  options.budget = CopyBudget(threads: 2, cancellation: cancellation)
  try Conversion(options).convert("model.pt") { done, total in
    print(done, "of", total, "bytes")
  }

  let conversion = Conversion(options)
  for task in try conversion.tasks(for: ["step1/model.pt", "step2/model.pt"], to: .besideInput) {
    try conversion.run(task)
  }

  let report = try OLMoToHuggingFace().run("step1000-unsharded", to: "hf")
  for warning in report.allWarnings { print(warning.message) }
}

func compareAndCheck() throws {
  let report = try VerifyReport(of: "model.pt", and: "model.safetensors")
  print(report.isSame)
  for difference in report.findings.flatMap(\.differences) {
    print(difference.place, difference.kind)
  }

  for row in try DiffReport(of: "step1/model.pt", and: "step2/model.pt").files.flatMap(\.tensors) {
    print(row.name, row.elements?.absolute?.value ?? 0)
  }

  let check = try CheckpointCheck(of: "step1000-unsharded")
  for finding in check.findings where finding.severity == .problem {
    print(finding.path, finding.message)
  }

  let scan = try FileScan(of: "download.pt")
  print(scan.count(.dangerous), "dangerous globals")
}
