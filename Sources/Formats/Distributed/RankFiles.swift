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
  /// The warnings of their readers, each once.
  private(set) var warnings: [String] = []

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
    var checkpoint = try TorchReader.read(file, droppingUnsafe: options.dropsUnsafe)
    byteCount += file.byteCount
    count += 1
    for warning in checkpoint.warnings where !warnings.contains(warning) {
      if warnings.count < Self.warningLimit { warnings.append(warning) }
    }
    try checkpoint.graph.numberStorages(from: graph.storages.count)
    return try graph.append(checkpoint.graph)(checkpoint.graph.root)
  }

  private static let warningLimit = 8
}

/// The parts of a name like `zero_pp_rank_3_mp_rank_00_optim_states.pt`.
struct RankFileName {
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

extension TensorGraph {
  /// The number of an enumeration's member, or a number itself.
  func enumerationNumber(_ id: NodeID) -> Int? {
    if case .object(let object) = self[id], let first = shortTuple(self[object].arguments)?.first {
      return int(first)
    }
    return int(id)
  }

  /// The sizes in a `torch.Size`, a tuple or a list; `nil` for anything else.
  func sizes(_ id: NodeID) -> [Int]? {
    if case .size(let sizes) = knownObject(id) { return sizes }
    let items: [NodeID]
    switch self[id] {
    case .list(let run) where run.count <= Limits.dimensions: items = Array(self[run])
    default: items = shortTuple(id) ?? []
    }
    let sizes = items.compactMap { int($0) }
    guard sizes.count == items.count, sizes.count <= Limits.dimensions,
      sizes.allSatisfy({ $0 >= 0 })
    else { return nil }
    switch self[id] {
    case .list, .tuple: return sizes
    default: return nil
    }
  }

  /// An attribute of an object, from its state or the slots in it.
  func attribute(_ name: String, of id: NodeID) -> NodeID? {
    guard case .object(let object) = self[id], let state = self[object].state else { return nil }
    for part in shortTuple(state) ?? [state] {
      if let found = value(of: name, in: part) { return found }
    }
    return nil
  }

  /// The name of an object's class, without its module.
  func className(of id: NodeID) -> String? {
    guard case .object(let object) = self[id],
      case .global(_, let name) = self[self[object].callable]
    else { return nil }
    return self.name(name)
  }

  /// The elements of a list or tuple.
  func elements(_ id: NodeID) -> ArraySlice<NodeID>? {
    switch self[id] {
    case .list(let run), .tuple(let run): self[run]
    default: nil
    }
  }

  /// The elements of a tensor with this shape at a place in its storage, as a block.
  ///
  /// - Throws: `malformed` for a tensor without data, or with fewer elements.
  func block(
    of id: TensorID, _ shape: [Int], from start: Int
  ) throws(CheckpointError) -> ElementBlock {
    var part = self[id]
    guard let storage = part.storage.map({ self[$0] }), let region = storage.region,
      part.isContiguous, start + shape.reduce(1, *) <= part.elementCount
    else {
      throw CheckpointError(.malformed, "a tensor of \(part.shape) does not hold its piece")
    }
    part.offset += start
    part.shape = shape
    part.strides = Tensor.packedStrides(shape)
    return ElementBlock(part, in: region, isBigEndian: storage.isBigEndian)
  }
}
