package import CkptBase

/// The items of a batch, decided by names and locations alone.
package struct BatchPlan: Sendable {
  /// The items, in order.
  package private(set) var items: [BatchItem]

  /// Creates a plan of these items.
  ///
  /// An item with the outputs of an earlier one becomes impossible.
  package init(items: [BatchItem]) {
    var writers: [ExactString: String] = [:]
    self.items = items.map { item in
      for output in item.writes {
        guard let other = writers[output] else { continue }
        let error = CheckpointError(
          .unsupported, "'\(other)' and '\(item.input)' would both be written to '\(output)'",
          remedy: "convert one of them into another directory")
        return BatchItem(
          name: item.name, input: item.input, work: .failure(error),
          readByteCount: item.readByteCount)
      }
      for output in item.writes { writers[output] = item.input }
      return item
    }
  }

  /// Plans the work of `verb` on `inputs`, with outputs below `root`.
  ///
  /// - Throws: `inputOutput` if the current directory does not exist.
  package init(
    of verb: any BatchVerb, on inputs: [FoundInput], root: String?
  ) throws(CheckpointError) {
    let current = try Syscalls.currentDirectory()
    let tree = OutputTree(bases: inputs.map(\.base), currentDirectory: current)
    var known: Set<ExactString> = []
    var items: [BatchItem] = []
    for input in inputs where !input.isGone {
      let name = tree.name(of: input.path)
      // An input that was found twice is one item.
      guard known.insert(name) else { continue }
      items.append(Self.item(name, input, verb, root: root))
    }
    self.init(items: items)
  }

  private static func item(
    _ name: String, _ input: FoundInput, _ verb: any BatchVerb, root: String?
  ) -> BatchItem {
    do throws(CheckpointError) {
      if let fault = input.fault { throw fault }
      let output = FilePath(root ?? ".").appending(name)
      let work = try verb.work(
        on: input.path, into: OutputPlace(directory: output.directory.text, name: output.name))
      var byteCount = 0
      for path in work.reads { byteCount += try FilePath(path).byteCount() }
      return BatchItem(
        name: name, input: input.path, work: .success(work), readByteCount: byteCount)
    } catch {
      return BatchItem(name: name, input: input.path, work: .failure(error), readByteCount: 0)
    }
  }

  /// Keeps the items of one shard.
  ///
  /// With `writing`, the assignment of items to shards is recorded in the state directory of `verb`
  /// below `root`.
  ///
  /// - Throws: `inputOutput` if the records of other shards cannot be read.
  package mutating func keep(
    _ shard: Shard, of verb: any BatchVerb, below root: String, writing: Bool
  ) throws(CheckpointError) {
    let ledger = ShardAssignments(in: BatchStore.directory(of: root, for: verb), count: shard.count)
    let names = try ledger.names(of: shard, among: items, writing: writing)
    items.removeAll { !names.contains($0.name) }
  }
}

/// One input of a batch and its work.
package struct BatchItem: Sendable {
  /// The path in the trees of inputs and outputs, which is the name in the journal and in reports.
  package let name: String
  /// The path to open.
  package let input: String
  /// The work, or the reason why it is impossible.
  package let work: Result<any BatchWork, CheckpointError>
  /// The number of bytes to read.
  package let readByteCount: Int

  /// Creates an item.
  package init(
    name: String, input: String, work: Result<any BatchWork, CheckpointError>, readByteCount: Int
  ) {
    self.name = name
    self.input = input
    self.work = work
    self.readByteCount = readByteCount
  }

  /// The output files.
  package var writes: [String] { (try? work.get().writes) ?? [] }
}
