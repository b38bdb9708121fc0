package import CkptBase

/// What a batch consists of, decided by names and places alone.
package struct BatchPlan: Sendable {
  /// The items, in the order in which they are done.
  package private(set) var items: [BatchItem]

  /// A plan of these items; those whose outputs belong to an earlier one become impossible.
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

  /// The plan of what `verb` does to `inputs`, with outputs below `root`.
  ///
  /// - Throws: `inputOutput` when the current directory is gone.
  package init(
    of verb: any BatchVerb, on inputs: [FoundInput], root: String?
  ) throws(CheckpointError) {
    let current = try Syscalls.currentDirectory()
    let tree = OutputTree(bases: inputs.map(\.base), currentDirectory: current)
    var known: Set<ExactString> = []
    var items: [BatchItem] = []
    for input in inputs where !input.isGone {
      let name = tree.name(of: input.path)
      // The same input found twice is one.
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

  /// Keeps the items that belong to one shard; which these are is written down, if `writing`, where
  /// `verb` has its place below `root`.
  ///
  /// - Throws: `inputOutput` when what other shards have written down cannot be read.
  package mutating func keep(
    _ shard: Shard, of verb: any BatchVerb, below root: String, writing: Bool
  ) throws(CheckpointError) {
    let ledger = ShardAssignments(in: BatchStore.directory(of: root, for: verb), count: shard.count)
    let names = try ledger.names(of: shard, among: items, writing: writing)
    items.removeAll { !names.contains($0.name) }
  }
}

/// One input of a batch and what is to be done with it.
package struct BatchItem: Sendable {
  /// Its path in the trees of inputs and outputs, which names it in journal and reports.
  package let name: String
  /// The path that opens it.
  package let input: String
  /// The work, or the reason that it is impossible.
  package let work: Result<any BatchWork, CheckpointError>
  /// The size of what is read, in bytes.
  package let readByteCount: Int

  /// An item from its parts.
  package init(
    name: String, input: String, work: Result<any BatchWork, CheckpointError>, readByteCount: Int
  ) {
    self.name = name
    self.input = input
    self.work = work
    self.readByteCount = readByteCount
  }

  /// The files it writes.
  var writes: [String] { (try? work.get().writes) ?? [] }
}
