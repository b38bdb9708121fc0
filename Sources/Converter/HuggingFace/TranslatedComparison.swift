package import CkptBase
internal import CkptCheckpoints
package import CkptCompare
package import CkptCopy
package import CkptFormats
internal import CkptGraph
internal import CkptModels
internal import CkptYAML

/// A comparison of an OLMo checkpoint with a Hugging Face model.
///
/// OLMo's tensors are renamed and split as in a conversion, then compared bit for bit. If one side
/// has weights of a shorter dtype, the other is rounded to it.
package struct TranslatedComparison {
  private let olmo: FilePath
  private let huggingFace: FilePath
  /// Whether the OLMo checkpoint is the first one.
  private let startsWithOLMo: Bool
  private let reading: ReadingOptions
  private let budget: CopyBudget

  /// Creates a comparison, in either order; `nil` unless one directory is an OLMo checkpoint and
  /// the other a Hugging Face model.
  ///
  /// - Throws: `inputOutput` if a directory cannot be read.
  package init?(
    of first: String, and second: String, _ reading: ReadingOptions = ReadingOptions(),
    budget: CopyBudget
  ) throws(CheckpointError) {
    let places = [FilePath(first), FilePath(second)]
    for place in places {
      guard try place.status()?.isDirectory == true else { return nil }
    }
    let startsWithOLMo: Bool
    switch (try DirectoryKind(of: places[0]), try DirectoryKind(of: places[1])) {
    case (.olmo, .huggingFace): startsWithOLMo = true
    case (.huggingFace, .olmo): startsWithOLMo = false
    default: return nil
    }
    let (olmo, huggingFace) = startsWithOLMo ? (places[0], places[1]) : (places[1], places[0])
    // Without its configuration a model is just a file, which has the same names on both sides.
    guard try olmo.appending(OLMoDirectory.configuration).status() != nil,
      try huggingFace.appending(HuggingFaceFolder.configuration).status() != nil
    else { return nil }
    self.init(
      olmo: olmo, huggingFace: huggingFace, startsWithOLMo: startsWithOLMo, reading, budget)
  }

  /// Creates a comparison of two directories of known kinds.
  init(
    olmo: FilePath, huggingFace: FilePath, startsWithOLMo: Bool, _ reading: ReadingOptions,
    _ budget: CopyBudget
  ) {
    self.olmo = olmo
    self.huggingFace = huggingFace
    self.startsWithOLMo = startsWithOLMo
    self.reading = reading
    self.budget = budget
  }

  /// The files that the comparison reads.
  ///
  /// - Throws: `inputOutput` if one cannot be opened, `malformed` for an invalid index.
  package var sources: [String] {
    get throws(CheckpointError) {
      var paths = [
        olmo.appending(OLMoDirectory.configuration).text,
        huggingFace.appending(HuggingFaceFolder.configuration).text,
      ]
      paths += try OLMoDirectory.files(of: olmo)
      if let weights = try ModelFolder.weights(in: huggingFace.text) {
        paths += try ModelFolder.files(of: weights)
      }
      return paths
        + (try FilePath.existing(
          [HuggingFaceFolder.optimizer, HuggingFaceFolder.trainer], in: huggingFace))
    }
  }

  /// Compares the models, the optimizer states, the trainer states and the configurations.
  ///
  /// - Throws: `conflict` if a directory contradicts its own configuration, and the errors of
  ///   reading.
  package func run(
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> VerifyReport {
    var report = VerifyReport(
      first: (startsWithOLMo ? olmo : huggingFace).text,
      second: (startsWithOLMo ? huggingFace : olmo).text)
    let configPath = olmo.appending(OLMoDirectory.configuration).text
    let config = try OLMoConfig(path: configPath)
    let map = try CheckpointError.within(configPath) { () throws(CheckpointError) in
      try TensorMap(of: config.model)
    }
    let model = try OLMoDirectory.file(of: "model", in: olmo)
    let optimizer = try states(
      OLMoDirectory.file(of: "optim", in: olmo), HuggingFaceFolder.optimizer, &report)
    let trainer = try states(
      OLMoDirectory.file(of: OLMoDirectory.trainer, in: olmo), HuggingFaceFolder.trainer, &report)
    guard let model else { throw OLMoDirectory.notACheckpoint(olmo) }

    var progress = PartProgress(
      try [model, optimizer?.olmo, trainer?.olmo].map { path throws(CheckpointError) in
        try path.map { path throws(CheckpointError) in try FilePath(path).byteCount() } ?? 0
      }, report: progress)
    report.findings.append(try compareModels(model, map, progress.next()))
    if let optimizer {
      report.findings.append(try compareOptimizers(optimizer, map, progress.next()))
    }
    if let trainer {
      let files = startsWithOLMo ? (trainer.olmo, trainer.other) : (trainer.other, trainer.olmo)
      report.findings.append(
        try VerifyFinding(
          of: .init(first: files.0, second: files.1, isCarried: false), reading, budget: budget,
          progress: progress.next()))
    }
    report.findings.append(try compareConfigurations(config, configPath))
    return report
  }

  /// Pairs a state of the trainer with its counterpart; one without is reported.
  private func states(
    _ olmoFile: String?, _ name: String, _ report: inout VerifyReport
  ) throws(CheckpointError) -> (olmo: String, other: String)? {
    let other = huggingFace.appending(name)
    let exists = try other.status() != nil
    switch (olmoFile, exists) {
    case (let olmo?, true): return (olmo, other.text)
    case (let olmo?, false): report.notCompared.append("'\(olmo)'")
    case (nil, true): report.notCompared.append("'\(other.text)'")
    case (nil, false): break
    }
    return nil
  }

  // MARK: Tensors

  private func compareModels(
    _ path: String, _ map: TensorMap, _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> VerifyFinding {
    var left = try CheckpointFile.read(path, reading)
    let warnings = left.warnings
    var right = try CheckpointFile.read(huggingFace.text, reading)
    left.graph = try CheckpointError.within(path) { () throws(CheckpointError) in
      try HuggingFaceNaming(map: map).model(left.graph)
    }
    right.graph = try CheckpointError.within(huggingFace.text) { () throws(CheckpointError) in
      try Self.significant(in: right.graph, map, budget)
    }
    let rounding = try Self.round(&left, &right)
    var finding = try compare(left, right, of: path, huggingFace.text, progress) { place in
      map.correspondence(ofHuggingFace: place)?.correspondence.olmo.name
    }
    finding.roundedType = rounding?.name
    finding.warnings = warnings.map { "\(path): \($0)" } + finding.warnings
    return finding
  }

  private func compareOptimizers(
    _ files: (olmo: String, other: String), _ map: TensorMap,
    _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> VerifyFinding {
    var left = try CheckpointFile.read(files.olmo, reading)
    let right = try CheckpointFile.read(files.other, reading)
    left.graph = try CheckpointError.within(files.olmo) { () throws(CheckpointError) in
      try HuggingFaceNaming(map: map).optimizer(left.graph)
    }
    return try compare(left, right, of: files.olmo, files.other, progress) { place in
      Self.olmoPlace(ofState: place, map)
    }
  }

  private func compare(
    _ olmo: Checkpoint, _ other: Checkpoint, of olmoPath: String, _ otherPath: String,
    _ progress: @escaping CopyEngine.Progress, _ olmoName: (String) -> String?
  ) throws(CheckpointError) -> VerifyFinding {
    var left = olmo
    // The renamed graph is in no file.
    left.container = nil
    var finding =
      startsWithOLMo
      ? try VerifyFinding(
        of: left, olmoPath, and: other, otherPath, budget: budget, progress: progress)
      : try VerifyFinding(
        of: other, otherPath, and: left, olmoPath, budget: budget, progress: progress)
    for index in finding.differences.indices {
      finding.differences[index].counterpart = olmoName(finding.differences[index].place)
    }
    return finding
  }

  /// Returns the tensors that a model needs, in a flat dict.
  private static func significant(
    in graph: TensorGraph, _ map: TensorMap, _ budget: CopyBudget
  ) throws(CheckpointError) -> TensorGraph {
    var graph = graph
    var entries: [(key: NodeID, value: NodeID)] = []
    for entry in try HuggingFaceTensors.significant(in: graph, map, budget: budget).entries {
      entries.append((try graph.addString(entry.name), try graph.addView(of: entry.id)))
    }
    graph.root = try graph.addDict(entries)
    return graph
  }

  /// Rounds the weights of one side to the dtype of the other, if it is shorter, and returns it.
  private static func round(
    _ left: inout Checkpoint, _ right: inout Checkpoint
  ) throws(CheckpointError) -> DType? {
    guard let leftType = left.onlyType, let rightType = right.onlyType, leftType != rightType,
      let leftRank = precisions[leftType], let rightRank = precisions[rightType]
    else { return nil }
    if leftRank < rightRank {
      try right.castTensors(to: leftType)
      return leftType
    }
    try left.castTensors(to: rightType)
    return rightType
  }

  /// The dtypes of weights, the more precise ones with larger numbers.
  private static let precisions: [DType: Int] = [
    .bfloat16: 1, .float16: 1, .float32: 2, .float64: 3,
  ]

  /// Returns the path in OLMo's state of `state.NAME.FIELD`.
  private static func olmoPlace(ofState place: String, _ map: TensorMap) -> String? {
    let prefix = "\(OptimizerState.stateKey)."
    guard place.hasPrefix(prefix), let dot = place.lastIndex(of: ".") else { return nil }
    let name = place[place.index(place.startIndex, offsetBy: prefix.count)..<dot]
    return map.correspondence(ofHuggingFace: String(name)).map {
      "\(prefix)\($0.correspondence.olmo.name)\(place[dot...])"
    }
  }

  // MARK: Configurations

  /// The members of `config.json` that decide what a model computes.
  private static let members = [
    "model_type", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "vocab_size", "max_position_embeddings", "rope_theta", "rms_norm_eps",
    "clip_qkv", "hidden_act", "attention_bias", "tie_word_embeddings",
  ]

  /// Compares the members that both the translated and the present configuration have.
  private func compareConfigurations(
    _ config: OLMoConfig, _ configPath: String
  ) throws(CheckpointError) -> VerifyFinding {
    let path = huggingFace.appending(HuggingFaceFolder.configuration).text
    let found = try HuggingFaceConfig(path: path)
    let expected = try CheckpointError.within(configPath) { () throws(CheckpointError) in
      try HuggingFaceTranslation(config).config
    }
    let paths = startsWithOLMo ? (configPath, path) : (path, configPath)
    var finding = VerifyFinding(first: paths.0, second: paths.1, scope: .names)
    for member in Self.members {
      guard let expected = expected[member]?.scalar, let found = found[member]?.scalar else {
        continue
      }
      finding.valueCount += 1
      guard !Self.areEqual(expected, found) else { continue }
      let texts = [expected.description, found.description]
      finding.add(
        .value, at: member, startsWithOLMo ? texts[0] : texts[1],
        startsWithOLMo ? texts[1] : texts[0])
    }
    return finding
  }

  private static func areEqual(_ left: YAMLScalar, _ right: YAMLScalar) -> Bool {
    switch (left, right) {
    case (.integer(let left), .number(let right)), (.number(let right), .integer(let left)):
      Double(left) == right
    default: left == right
    }
  }
}

extension Checkpoint {
  /// The dtype of all tensors; `nil` if there are several or none.
  fileprivate var onlyType: DType? {
    var types: Set<DType> = []
    for id in graph.reachableTensors() { types.insert(graph[id].dtype) }
    return types.count == 1 ? types.first : nil
  }
}
