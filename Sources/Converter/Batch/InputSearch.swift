package import CkptBase
internal import CkptCheckpoints
internal import CkptFormats

/// Finds the inputs of paths, patterns and directory trees.
package struct InputSearch: Sendable {
  private let verb: any BatchVerb
  private let includesFiles: Bool
  private let excluded: Syscalls.FileStatus?

  /// Creates a search for inputs of `verb`.
  ///
  /// - Parameters:
  ///   - verb: the work to do.
  ///   - includesFiles: whether single files in directory trees are inputs too.
  ///   - root: the directory of outputs, which is not searched.
  package init(for verb: any BatchVerb, includingFiles includesFiles: Bool, root: String?) {
    self.verb = verb
    self.includesFiles = includesFiles
    excluded = root.flatMap { try? Syscalls.status(at: $0) }
  }

  /// Returns the inputs of one argument, each with its base, in natural order.
  ///
  /// A file or checkpoint directory stands for itself. Another directory stands for the checkpoint
  /// directories below it, a pattern for its matches.
  /// - Throws: `inputOutput` if nothing exists, `unsupported` if nothing has the right kind.
  package func inputs(for argument: String) throws(CheckpointError) -> [FoundInput] {
    let place = FilePath(argument)
    if let status = try place.status() {
      guard status.isDirectory else { return [FoundInput(argument, below: place.directory.text)] }
      let found = try inputs(inDirectory: place)
      guard !found.isEmpty else {
        throw CheckpointError(
          .unsupported, "this directory has no input for \(verb.name)",
          remedy: includesFiles ? nil : .action(.includeFiles)
        ).framed(by: argument)
      }
      return found
    }
    guard let pattern = GlobPattern(argument) else {
      throw .missing(argument)
    }
    return try inputs(matching: pattern, argument)
  }

  private func inputs(
    matching pattern: GlobPattern, _ argument: String
  ) throws(CheckpointError) -> [FoundInput] {
    var found: [FoundInput] = []
    var faults: [GlobMatches.Fault] = []
    for match in GlobMatches.paths(for: pattern, faults: &faults) {
      let place = FilePath(match)
      guard try place.status()?.isDirectory == true else {
        found.append(FoundInput(match, below: pattern.base))
        continue
      }
      found += try inputs(inDirectory: place).map { FoundInput($0.path, below: pattern.base) }
    }
    // An unreadable directory is one error among many inputs.
    found += faults.map { FoundInput($0.path, below: pattern.base, fault: $0.error) }
    guard !found.isEmpty else {
      throw CheckpointError(
        .unsupported, "this pattern matches no input for \(verb.name)",
        remedy: "'*' matches inside one directory, '**' matches any number of directories"
      ).framed(by: argument)
    }
    return found
  }

  /// Returns the directory itself if it is an input, otherwise the inputs below it.
  private func inputs(inDirectory directory: FilePath) throws(CheckpointError) -> [FoundInput] {
    let names = try directory.entryNames()
    if verb.takes(directoryHolding: Set(names)) {
      return [FoundInput(directory.text, below: directory.directory.text)]
    }
    let found = tree(below: directory, names)
    guard found.isEmpty, verb.takesRemains(directoryHolding: Set(names)) else { return found }
    return [FoundInput(directory.text, below: directory.directory.text)]
  }

  /// Returns the inputs below a directory that is not an input itself.
  ///
  /// Links to directories are not followed, because their targets would be found twice. Hidden
  /// directories and incomplete saves of OLMo's trainer (`-tmp`) are skipped.
  private func tree(below top: FilePath, _ names: [String]) -> [FoundInput] {
    var found: [FoundInput] = []
    var remains: [FoundInput] = []
    var open = [(directory: top, names: names)]
    while let (directory, names) = open.popLast() {
      for name in names where !name.begins(with: ".") {
        let place = directory.appending(name)
        do throws(CheckpointError) {
          guard let status = try Syscalls.status(at: place.text, followingLinks: false) else {
            continue
          }
          guard status.isDirectory else {
            if includesFiles, isInput(place) {
              found.append(FoundInput(place.text, below: top.text))
            }
            continue
          }
          guard status.inode != excluded?.inode || status.device != excluded?.device else {
            continue
          }
          guard !name.ends(with: "-tmp") else { continue }
          let inner = try Syscalls.names(in: place.text)
          if verb.takes(directoryHolding: Set(inner)) {
            found.append(FoundInput(place.text, below: top.text))
            continue
          }
          if verb.takesRemains(directoryHolding: Set(inner)) {
            remains.append(FoundInput(place.text, below: top.text))
          }
          open.append((place, inner))
        } catch {
          // An unreadable directory is one error among many inputs.
          found.append(FoundInput(place.text, below: top.text, fault: error))
        }
      }
    }
    found += Self.withoutAncestors(remains, of: found)
    return found.sorted { NaturalOrder.precedes($0.path, $1.path) }
  }

  /// Keeps those of `remains` that have no input and no other member below them.
  private static func withoutAncestors(
    _ remains: [FoundInput], of found: [FoundInput]
  ) -> [FoundInput] {
    guard !remains.isEmpty else { return [] }
    var ancestors: Set<ExactString> = []
    for input in found + remains {
      var directory = FilePath(input.path).directory
      while directory.text.utf8.count >= input.base.utf8.count,
        ancestors.insert(directory.text)
      {
        directory = directory.directory
      }
    }
    return remains.filter { !ancestors.contains($0.path) }
  }

  /// Whether a file is an input of the verb, by content or name.
  ///
  /// The name counts too, so that a damaged file is reported, not skipped.
  private func isInput(_ place: FilePath) -> Bool {
    if verb.fileExtensions.contains(where: { place.name.hasSuffix(".\($0)") }) { return true }
    guard let file = try? FileSource(path: place.text), let kind = try? FileKind.sniff(file) else {
      return false
    }
    return verb.takes(kind)
  }
}

/// An input, with the place of its search.
package struct FoundInput: Sendable {
  /// The path to open.
  package var path: String
  /// The directory of the search, where the output tree begins.
  package var base: String
  /// The reason why it cannot be processed, if it is known already.
  package var fault: CheckpointError?
  /// Whether an earlier run deleted it; then only its base counts.
  var isGone = false

  /// Creates an input below `base`.
  package init(_ path: String, below base: String, fault: CheckpointError? = nil) {
    self.path = path
    self.base = base
    self.fault = fault
  }

  /// Creates an input for an argument that does not exist.
  ///
  /// Its own directory is its base, so that the outputs of other inputs do not move.
  package init(missing argument: String, _ fault: CheckpointError) {
    self.init(argument, below: FilePath(argument).directory.text, fault: fault)
  }

  /// Creates an input for an argument that an earlier run deleted after its conversion; `nil` if
  /// `history` has none.
  package init?(deleted argument: String, _ history: JournalHistory) {
    let place = FilePath(argument).trimmed
    let pattern = GlobPattern(argument)
    let top = pattern?.base ?? place.text
    let prefix = FilePath(top).appending("").text
    let isKnown = history.records.contains { record in
      record.deletesSources
        && record.inputs.contains { FilePath($0.path) == place || $0.path.begins(with: prefix) }
    }
    guard isKnown else { return nil }
    // An existing directory was searched; a deleted path was an input itself.
    let exists = (try? Syscalls.status(at: top)) != nil
    self.init(argument, below: exists ? top : place.directory.text)
    isGone = true
  }
}
