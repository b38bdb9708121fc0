internal import CkptBase
internal import CkptContainer
internal import CkptGraph
internal import CkptTorch

/// The files of several ranks in one graph.
struct RankFiles {
  /// The objects of all files; the root is not set.
  var graph = TensorGraph()
  /// The size of all files in bytes.
  private(set) var byteCount = 0
  /// The number of files.
  private(set) var count = 0
  /// The warnings of their readers.
  private(set) var warnings = DistinctWarnings()

  private let directory: FilePath
  private let options: ReadingOptions

  /// Files in a directory.
  init(in directory: FilePath, _ options: ReadingOptions) {
    self.directory = directory
    self.options = options
  }

  /// Reads the structure of a file of `torch.save` and returns its object.
  ///
  /// - Throws: ``CheckpointError`` with the file in its path.
  mutating func add(_ name: String) throws(CheckpointError) -> NodeID {
    let file = try FileSource(path: directory.appending(name).text)
    let checkpoint = try TorchReader.read(file, droppingUnsafe: options.dropsUnsafe)
    byteCount += file.byteCount
    count += 1
    for warning in checkpoint.warnings { warnings.add(warning) }
    return try graph.appendNumbered(checkpoint.graph)(checkpoint.graph.root)
  }
}

/// The parts of a name like `zero_pp_rank_3_mp_rank_00_optim_states.pt`.
enum RankFileName {
  /// Returns the number between `prefix` and `suffix`, if a name consists of these.
  static func number(in name: String, after prefix: String, before suffix: String) -> Int? {
    guard name.utf8.starts(with: prefix.utf8), name.hasSuffix(suffix) else { return nil }
    let digits = name.utf8.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)
    guard name.utf8.count > prefix.utf8.count + suffix.utf8.count,
      digits.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    return Int(String(decoding: Array(digits), as: UTF8.self))
  }

  /// Checks that the ranks from 0 to `count - 1` have a file each.
  ///
  /// - Throws: `truncated` with the first rank that has none.
  static func requireAll(
    _ ranks: [Int], of count: Int, _ what: String
  ) throws(CheckpointError) {
    let present = Set(ranks)
    guard let missing = (0..<max(count, 1)).first(where: { !present.contains($0) }) else { return }
    throw CheckpointError(
      .truncated, "the \(what) of rank \(missing) of \(count) is missing",
      remedy: "download or copy the whole directory again")
  }
}
