package import CkptBase
internal import CkptFormats

/// Finds the inputs that paths, patterns and directory trees stand for.
package struct InputSearch: Sendable {
  private let verb: any BatchVerb
  private let includesFiles: Bool
  private let excluded: Syscalls.FileStatus?

  /// A search for what `verb` takes.
  ///
  /// - Parameters:
  ///   - verb: what will be done with the inputs.
  ///   - includesFiles: whether single files in directory trees are inputs too.
  ///   - root: where outputs go, which is not searched when it lies inside of a tree.
  package init(for verb: any BatchVerb, includingFiles includesFiles: Bool, root: String?) {
    self.verb = verb
    self.includesFiles = includesFiles
    excluded = root.flatMap { try? Syscalls.status(at: $0) }
  }

  /// The inputs that one argument stands for, each below its base, in natural order.
  ///
  /// A file or checkpoint directory stands for itself, another directory for those in its tree, a
  /// pattern for what it matches.
  /// - Throws: `inputOutput` when there is nothing, `unsupported` when there is nothing of the kind.
  package func inputs(for argument: String) throws(CheckpointError) -> [FoundInput] {
    let place = FilePath(argument)
    if let status = try place.status() {
      guard status.isDirectory else { return [FoundInput(argument, below: place.directory.text)] }
      let found = try inputs(inDirectory: place)
      guard !found.isEmpty else {
        throw CheckpointError(
          .unsupported, "nothing in this directory is what \(verb.name) takes",
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
    // What cannot be looked into is one fault among many inputs.
    found += faults.map { FoundInput($0.path, below: pattern.base, fault: $0.error) }
    guard !found.isEmpty else {
      throw CheckpointError(
        .unsupported, "nothing that \(verb.name) takes matches this pattern",
        remedy: "'*' stays inside of one directory, '**' goes through all of them"
      ).framed(by: argument)
    }
    return found
  }

  /// The directory itself if the verb takes it, or what is below it.
  private func inputs(inDirectory directory: FilePath) throws(CheckpointError) -> [FoundInput] {
    let names = try directory.entryNames()
    if verb.takes(directoryHolding: Set(names)) {
      return [FoundInput(directory.text, below: directory.directory.text)]
    }
    let found = tree(below: directory, names)
    guard found.isEmpty, verb.takesRemains(directoryHolding: Set(names)) else { return found }
    return [FoundInput(directory.text, below: directory.directory.text)]
  }

  /// The inputs below a directory that is none itself.
  ///
  /// Links to directories are not followed: what they lead to would be found twice. Neither are
  /// directories that the OLMo trainer was still saving (`-tmp`), nor hidden ones.
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
          // What cannot be looked into is one fault among many inputs.
          found.append(FoundInput(place.text, below: top.text, fault: error))
        }
      }
    }
    found += Self.withoutAncestors(remains, of: found)
    return found.sorted { NaturalOrder.precedes($0.path, $1.path) }
  }

  /// Those of `remains` that neither an input nor one of themselves is below.
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

  /// Whether a file is, or pretends to be, of a kind that the verb takes.
  ///
  /// A name goes for a kind here, so that a damaged file is reported and not passed over.
  private func isInput(_ place: FilePath) -> Bool {
    if verb.fileExtensions.contains(where: { place.name.hasSuffix(".\($0)") }) { return true }
    guard let file = try? FileSource(path: place.text), let kind = try? FileKind.sniff(file) else {
      return false
    }
    return verb.takes(kind)
  }
}

/// Something to be worked on, and where it was found.
package struct FoundInput: Sendable {
  /// The path that opens it.
  package var path: String
  /// The directory below which it was searched for; the output tree begins there.
  package var base: String
  /// Why it cannot be worked on, where that is known already.
  package var fault: CheckpointError?
  /// Whether nothing is left of it because an earlier run has deleted it; only its base counts then.
  var isGone = false

  /// An input, found below `base`.
  package init(_ path: String, below base: String, fault: CheckpointError? = nil) {
    self.path = path
    self.base = base
    self.fault = fault
  }

  /// An argument that stands for nothing.
  ///
  /// Its own directory is its base, so that it does not change where other outputs go.
  package init(missing argument: String, _ fault: CheckpointError) {
    self.init(argument, below: FilePath(argument).directory.text, fault: fault)
  }

  /// An argument of which nothing is left because an earlier run has deleted what it had converted;
  /// `nil` if `history` does not tell of that.
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
    // A directory that is still there was searched; what is gone was an input itself.
    let exists = (try? Syscalls.status(at: top)) != nil
    self.init(argument, below: exists ? top : place.directory.text)
    isGone = true
  }
}
