package import Bytes
internal import Formats

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
  package func inputs(for argument: String) throws(FormatError) -> [FoundInput] {
    let place = FilePath(argument)
    if let status = try place.status() {
      guard status.isDirectory else { return [FoundInput(argument, below: place.directory.text)] }
      let found = try inputs(inDirectory: place)
      guard !found.isEmpty else {
        throw FormatError(
          .unsupported, "nothing in this directory is what \(verb.name) takes",
          hint: includesFiles ? nil : "--files takes single files in directories too"
        ).framed(by: argument)
      }
      return found
    }
    guard let pattern = GlobPattern(argument) else {
      throw FormatError(SystemError.missing(argument))
    }
    return try inputs(matching: pattern, argument)
  }

  private func inputs(
    matching pattern: GlobPattern, _ argument: String
  ) throws(FormatError) -> [FoundInput] {
    var found: [FoundInput] = []
    var faults: [SystemError] = []
    for match in GlobMatches.paths(for: pattern, faults: &faults) {
      let place = FilePath(match)
      guard try place.status()?.isDirectory == true else {
        found.append(FoundInput(match, below: pattern.base))
        continue
      }
      found += try inputs(inDirectory: place).map { FoundInput($0.path, below: pattern.base) }
    }
    // What cannot be looked into is one fault among many inputs.
    found += faults.map { FoundInput($0.path, below: pattern.base, fault: FormatError($0)) }
    guard !found.isEmpty else {
      throw FormatError(
        .unsupported, "nothing that \(verb.name) takes matches this pattern",
        hint: "'*' stays inside of one directory, '**' goes through all of them"
      ).framed(by: argument)
    }
    return found
  }

  /// The directory itself if the verb takes it, or what is below it.
  private func inputs(inDirectory directory: FilePath) throws(FormatError) -> [FoundInput] {
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
      for name in names where !name.hasPrefix(".") {
        let place = directory.appending(name)
        do throws(SystemError) {
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
          guard !name.hasSuffix("-tmp") else { continue }
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
          found.append(FoundInput(place.text, below: top.text, fault: FormatError(error)))
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
    var ancestors: Set<String> = []
    for input in found + remains {
      var directory = FilePath(input.path).directory
      while directory.text.utf8.count >= input.base.utf8.count,
        ancestors.insert(directory.text).inserted
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
    guard let file = try? SourceFile(path: place.text), let kind = try? FileKind.sniff(file) else {
      return false
    }
    return verb.takes(kind)
  }
}
