package import CkptBase
internal import CkptCheckpoints
internal import CkptStats

/// An input of `stats`: a checkpoint, or statistics that were kept.
package enum StatisticsInput: Hashable, Sendable {
  /// A checkpoint that is to be measured.
  case checkpoint(String)
  /// A file with the statistics of one.
  case stored(String)

  /// The path.
  package var path: String {
    switch self {
    case .checkpoint(let path), .stored(let path): path
    }
  }

  /// The inputs that an argument stands for.
  ///
  /// A directory with files of statistics in its tree stands for these, another one for the checkpoints in
  /// its tree.
  /// - Throws: `inputOutput` when there is nothing, `unsupported` when there is nothing of the kind.
  package static func all(
    of argument: String, for verb: StatsVerb
  ) throws(CheckpointError) -> [StatisticsInput] {
    let place = FilePath(argument)
    if try place.status()?.isDirectory == true {
      let stored = try files(below: place)
      if !stored.isEmpty { return stored.map { .stored($0) } }
    }
    let search = InputSearch(for: verb, includingFiles: false, root: nil)
    var found: [StatisticsInput] = []
    for input in try search.inputs(for: argument) {
      if let fault = input.fault { throw fault }
      found.append(try isStored(input.path) ? .stored(input.path) : .checkpoint(input.path))
    }
    return found
  }

  /// Puts inputs in the order of their steps, if all of their names tell them.
  ///
  /// - Throws: `inputOutput` when the system does not tell a name.
  package static func ordered(
    _ inputs: [StatisticsInput]
  ) throws(CheckpointError) -> [StatisticsInput] {
    var steps: [Int] = []
    for input in inputs {
      let name = try FilePath(input.path).ownName()
      guard let step = CheckpointStatistics.step(inNameOf: name) else { return inputs }
      steps.append(step)
    }
    return inputs.indices.sorted { (steps[$0], $0) < (steps[$1], $1) }.map { inputs[$0] }
  }

  /// The files of statistics in a tree, hidden directories left out.
  private static func files(below top: FilePath) throws(CheckpointError) -> [String] {
    var files: [String] = []
    var open = [top]
    while let directory = open.popLast() {
      for name in try directory.entryNames() where !name.begins(with: ".") {
        let place = directory.appending(name)
        guard let status = try Syscalls.status(at: place.text, followingLinks: false) else {
          continue
        }
        if status.isDirectory {
          open.append(place)
        } else if name.ends(with: CheckpointStatistics.fileSuffix) {
          files.append(place.text)
        }
      }
    }
    return files.sorted { NaturalOrder.precedes($0, $1) }
  }

  /// Whether a file begins as statistics do.
  private static func isStored(_ path: String) throws(CheckpointError) -> Bool {
    guard try FilePath(path).status()?.isDirectory == false else { return false }
    let beginning = Array(CheckpointStatistics.beginning.utf8)
    return try FileSource(path: path).bytes(in: 0..<beginning.count) == beginning
  }
}
