package import CkptBase
package import CkptContainer

/// The directory of DeepSpeed's ZeRO optimizer, stages 1 to 3: `latest` and a folder for each save.
package struct DeepSpeedContainer: DirectoryContainer {
  /// The name of the container.
  package var name: String { "deepspeed" }
  /// None: the files are parts of one checkpoint.
  package var format: CheckpointFormat? { nil }
  /// True: the files are parts of one checkpoint.
  package var needsWholeDirectory: Bool { true }

  /// Creates the container.
  package init() {}

  private static let latest = "latest"
  private static let weights = ["model.safetensors", "pytorch_model.bin"]

  /// Whether the directory has the files of ranks, or names the folder that has them.
  ///
  /// A folder of `transformers` that has whole weights as well is read as that.
  package func recognizes(entries: Set<String>) -> Bool {
    if entries.contains(where: DeepSpeedFiles.isPart) { return true }
    return entries.contains(Self.latest) && entries.isDisjoint(with: Self.weights)
      && !entries.contains { $0.hasSuffix(".index.json") }
  }

  /// Reads the files of all ranks; `nil` if `latest` is of another program.
  package func read(
    _ directory: FilePath, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint? {
    if let files = try DeepSpeedFiles(in: directory) {
      return try DeepSpeedReader.read(files, options)
    }
    let latest = directory.appending(Self.latest)
    guard try latest.status()?.isDirectory == false else { return nil }
    let bytes = try FileSource(path: latest.text).contents(of: "the tag", atMost: Limits.nameBytes)
    let tag = String(decoding: bytes, as: UTF8.self).utf8.split { $0 <= 0x20 }.first.map {
      String(Substring($0))
    }
    guard let tag, !tag.utf8.contains(UInt8(ascii: "/")), tag != "..",
      try directory.appending(tag).status()?.isDirectory == true,
      let files = try DeepSpeedFiles(in: directory.appending(tag))
    else { return nil }
    return try DeepSpeedReader.read(files, options)
  }
}

/// The files of a save by DeepSpeed (`deepspeed/runtime/engine.py`, `_get_zero_ckpt_name`).
struct DeepSpeedFiles {
  /// The folder.
  let directory: FilePath
  /// The files with the model, by rank; one for stages 1 and 2.
  private(set) var models: [(rank: Int, name: String)] = []
  /// The files with the states of the optimizer, by rank.
  private(set) var optimizers: [(rank: Int, name: String)] = []

  private static let modelEnd = "_mp_rank_00_model_states.pt"
  private static let optimizerEnd = "_mp_rank_00_optim_states.pt"
  private static let wholeModel = "mp_rank_00_model_states.pt"
  /// The folder with a file for each parameter and moment (`ds_to_universal.py`).
  private static let universal = "zero"

  /// Whether a file with this name is a part of such a save.
  static func isPart(_ name: String) -> Bool {
    // Pipelines have a dash there.
    name.hasSuffix("_optim_states.pt") || name.hasSuffix("model_states.pt")
  }

  /// The files in a folder; `nil` if it has none.
  ///
  /// - Throws: `unsupported` for a model that is cut for tensor, pipeline or expert parallelism.
  init?(in directory: FilePath) throws(CheckpointError) {
    self.directory = directory
    let names = try directory.entryNames()
    guard names.contains(where: Self.isPart) else { return nil }
    if names.contains(Self.universal) {
      throw CheckpointError(
        .unsupported, "this is a universal checkpoint of DeepSpeed, which is not supported",
        remedy: "use the save that it was made from"
      ).framed(by: directory.text)
    }
    for name in names.sorted() {
      if let kind = Self.unsupported(name) {
        throw CheckpointError(
          .unsupported, "'\(name)' is a part of a model with \(kind), which is not supported",
          remedy: "merge it with DeepSpeed's own tools, such as ds_to_universal.py"
        ).framed(by: directory.text)
      }
      if name == Self.wholeModel { models.append((0, name)) }
      for prefix in ["", "bf16_", "fp16_"] {
        let start = prefix + "zero_pp_rank_"
        if let rank = RankFileName.number(in: name, after: start, before: Self.optimizerEnd) {
          optimizers.append((rank, name))
        }
        if let rank = RankFileName.number(in: name, after: start, before: Self.modelEnd) {
          models.append((rank, name))
        }
      }
    }
    models.sort { $0.rank < $1.rank }
    optimizers.sort { $0.rank < $1.rank }
  }

  /// The kind of parallelism that a file's name tells of, if it is one that is not read.
  private static func unsupported(_ name: String) -> String? {
    if isPart(name), name.utf8.starts(with: "expp_rank_".utf8) || name.contains("_expert_") {
      return "expert parallelism"
    }
    if isPart(name), name.utf8.starts(with: "layer_".utf8) { return "pipeline parallelism" }
    if isPart(name), !name.contains("mp_rank_00") { return "tensor parallelism" }
    return nil
  }
}

/// A checkpoint of DeepSpeed as it was found.
package struct DeepSpeedDescription: ContainerDescription {
  /// The stage of ZeRO: 1 to 3, or 0 for a model that is not cut.
  package var stage: Int
  /// The number of ranks.
  package var rankCount: Int
  /// The number of files.
  package var fileCount: Int

  /// `deepspeed`.
  package var kind: String { "deepspeed" }
  /// The name of the format.
  package var title: String { "DeepSpeed checkpoint" }
  /// The stage and the numbers of ranks and files.
  package var facts: [ContainerFact] {
    [
      .init("stage", .number(stage), "ZeRO stage \(stage)"),
      .init("ranks", .number(rankCount), "\(rankCount) rank\(rankCount == 1 ? "" : "s")"),
      .init("files", .number(fileCount), "\(fileCount) file\(fileCount == 1 ? "" : "s")"),
    ]
  }
  /// None: the files are parts of one checkpoint.
  package var format: CheckpointFormat? { nil }
  /// True: the states are nested.
  package var holdsObject: Bool { true }
}
