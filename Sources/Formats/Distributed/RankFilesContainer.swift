package import CkptBase
package import CkptContainer

/// A directory with a file of `torch.save` for each rank: sharded state dicts of FSDP and DTensor, such
/// as `model_world_size_4_rank_0.pt` or `rank0.pt`.
package struct RankFilesContainer: DirectoryContainer {
  /// The name of the container.
  package var name: String { "rank-files" }
  /// None: the files are parts of one checkpoint.
  package var format: CheckpointFormat? { nil }
  /// True: the files are parts of one checkpoint.
  package var needsWholeDirectory: Bool { true }

  /// Creates the container.
  package init() {}

  /// Whether the directory has files of ranks, and nothing else that would be the checkpoint.
  package func recognizes(entries: Set<String>) -> Bool {
    entries.contains { RankFile($0) != nil } && !entries.contains { $0.hasSuffix(".safetensors") }
      && !entries.contains(where: DeepSpeedFiles.isPart)
  }

  /// Reads the files of all ranks and joins their shards.
  package func read(
    _ directory: FilePath, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint? {
    try CheckpointError.within(directory.text) { () throws(CheckpointError) in
      try RankFilesReader.read(directory, options)
    }
  }
}

/// The parts of the name of a rank's file.
struct RankFile: Hashable {
  /// The text before the numbers, such as `model`; empty for `rank0.pt`.
  var part: String
  /// The number of the rank.
  var rank: Int
  /// The number of ranks, where the name has it.
  var worldSize: Int?
  /// The whole name.
  var name: String

  private static let endings = [".pt", ".pth", ".bin"]
  private static let rankWord = "rank"
  private static let worldWord = "world_size_"

  /// Takes a name apart; `nil` for one that does not end in `rank`, a number and an extension.
  init?(_ name: String) {
    guard let ending = Self.endings.first(where: { name.hasSuffix($0) }) else { return nil }
    var stem = Array(name.utf8.dropLast(ending.utf8.count))
    guard let rank = Self.takeNumber(from: &stem) else { return nil }
    if stem.last == UInt8(ascii: "_") { stem.removeLast() }
    guard stem.reversed().starts(with: Self.rankWord.utf8.reversed()) else { return nil }
    stem.removeLast(Self.rankWord.utf8.count)
    if stem.last == UInt8(ascii: "_") { stem.removeLast() }
    var rest = stem
    if let count = Self.takeNumber(from: &rest),
      rest.reversed().starts(with: Self.worldWord.utf8.reversed())
    {
      worldSize = count
      rest.removeLast(Self.worldWord.utf8.count)
      if rest.last == UInt8(ascii: "_") { rest.removeLast() }
      stem = rest
    }
    self.rank = rank
    self.name = name
    part = String(decoding: stem, as: UTF8.self)
  }

  /// Removes the digits at the end of a text, up to six of them, and returns their number.
  private static func takeNumber(from text: inout [UInt8]) -> Int? {
    let digits = text.reversed().prefix { (0x30...0x39).contains($0) }.reversed()
    guard 1...6 ~= digits.count else { return nil }
    text.removeLast(digits.count)
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }
}

/// The files of ranks as they were found.
package struct RankFilesDescription: ContainerDescription {
  /// The number of ranks.
  package var rankCount: Int
  /// The number of files.
  package var fileCount: Int

  /// `rank-files`.
  package var kind: String { "rank-files" }
  /// The name of the format.
  package var title: String { "sharded state dict" }
  /// The numbers of ranks and files.
  package var facts: [ContainerFact] {
    [
      .init("ranks", .number(rankCount), "\(rankCount) rank\(rankCount == 1 ? "" : "s")"),
      .init("files", .number(fileCount), "\(fileCount) file\(fileCount == 1 ? "" : "s")"),
    ]
  }
  /// None: the files are parts of one checkpoint.
  package var format: CheckpointFormat? { nil }
  /// True: the files hold objects.
  package var holdsObject: Bool { true }
}
