public import CkptBase
internal import CkptCheckpoints

/// The pairs of a checkpoint's files and a manifest's parts, by name.
public struct ManifestPairing: Sendable {
  /// A file and its part of the manifest.
  public struct Pair: Sendable {
    /// The file.
    public var path: String
    /// The manifest.
    public var manifest: String
    let part: Manifest.File
  }

  /// The files to compare, those with tensors first.
  public private(set) var pairs: [Pair] = []
  /// The parts that only the manifest or only the checkpoint has.
  public private(set) var differences: [Difference] = []
  /// The files and parts that are not compared.
  public private(set) var notCompared: [String] = []
  private let manifestPath: String

  /// Reads a manifest and finds the files that it describes.
  ///
  /// - Parameters:
  ///   - path: a file, the index of a sharded checkpoint, or a directory.
  ///   - manifestPath: the manifest.
  /// - Throws: `inputOutput` if a file is missing, `malformed` for another file than a manifest,
  ///   `unsupported` if nothing can be compared.
  public init(of path: String, against manifestPath: String) throws(CheckpointError) {
    self.manifestPath = manifestPath
    let members = try CheckpointMembers(of: path)
    let manifest = try Manifest(path: manifestPath)
    if members.isDirectory {
      pairDirectory(members, manifest)
    } else {
      try pairFile(members.states[0], manifest)
    }
  }

  private mutating func pairFile(
    _ state: CheckpointMembers.State, _ manifest: Manifest
  ) throws(CheckpointError) {
    let checkpoints = manifest.files.filter(\.isCheckpoint)
    guard
      let file = checkpoints.count == 1
        ? checkpoints[0]
        : checkpoints.first(where: { ExactString($0.name) == ExactString(state.name) })
    else {
      let names = manifest.files.map(\.name).joined(separator: ", ")
      throw CheckpointError(
        .unsupported,
        "'\(manifestPath)' describes \(names), but nothing in it is named "
          + "'\(state.name)'",
        remedy: "pass the directory that the manifest describes")
    }
    pairs = [pair(state.path, file)]
    notCompared = manifest.files.filter { ExactString($0.name) != ExactString(file.name) }.map {
      "'\($0.name)'"
    }
  }

  private mutating func pairDirectory(_ members: CheckpointMembers, _ manifest: Manifest) {
    var isCovered: Set<ExactString> = []
    let names = Set(members.files.map { ExactString($0) })
    let isOnly = members.states.count == 1 && manifest.files.filter(\.isCheckpoint).count == 1
    for file in manifest.files {
      let state = members.state(named: file.name) ?? (isOnly ? members.states.first : nil)
      if file.isCheckpoint, let state {
        isCovered.insert(ExactString(state.name))
        pairs.append(pair(state.path, file))
      } else if !file.isCheckpoint, names.contains(ExactString(file.name)) {
        isCovered.insert(ExactString(file.name))
        pairs.append(pair(members.path.appending(file.name).text, file))
      } else {
        differences.append(
          Difference(.missing, at: file.name, first: file.name, second: nil))
      }
    }
    for state in members.states where !isCovered.contains(ExactString(state.name)) {
      differences.append(
        Difference(.extra, at: state.name, first: nil, second: FilePath(state.path).name))
    }
    let others = members.files.filter { !isCovered.contains(ExactString($0)) } + members.passedOver
    notCompared = others.map { "'\(members.path.appending($0).text)'" }
  }

  private func pair(_ path: String, _ part: Manifest.File) -> Pair {
    Pair(path: path, manifest: manifestPath, part: part)
  }
}

extension Manifest.File {
  /// Whether it is a part of the checkpoint, not another file.
  var isCheckpoint: Bool {
    if case .checkpoint = content { true } else { false }
  }
}
