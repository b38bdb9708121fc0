internal import Bytes
internal import Converter

/// Finds the paths that match a pattern.
enum GlobMatches {
  /// The paths that exist and match, in natural order and without repetitions.
  ///
  /// What cannot be read has no matches, as in shells. `**` does not follow links to directories.
  static func paths(for pattern: GlobPattern) -> [String] {
    var places = [FilePath(pattern.base)]
    for component in pattern.components {
      switch component {
      case .name(let name):
        places = places.map { $0.appending(name) }.filter { status($0) != nil }
      case .pattern(let text):
        places = places.flatMap { place in
          names(in: place).filter { GlobPattern.matches($0, text) }.map { place.appending($0) }
        }
      case .anyDirectories: places = places.flatMap { directories(below: $0) }
      }
    }
    if pattern.components.last == .anyDirectories { places.removeAll { $0.text == pattern.base } }
    return Set(places).map(\.text).sorted(by: NaturalOrder.precedes)
  }

  /// A directory and all that are below it, hidden ones left out.
  private static func directories(below top: FilePath) -> [FilePath] {
    var found: [FilePath] = []
    var open = [top]
    while let place = open.popLast() {
      found.append(place)
      for name in names(in: place) where !name.hasPrefix(".") {
        let inner = place.appending(name)
        let status = try? Syscalls.status(at: inner.text, followingLinks: false)
        if status?.isDirectory == true { open.append(inner) }
      }
    }
    return found
  }

  private static func names(in directory: FilePath) -> [String] {
    (try? Syscalls.names(in: directory.text)) ?? []
  }

  private static func status(_ place: FilePath) -> Syscalls.FileStatus? {
    try? Syscalls.status(at: place.text, followingLinks: false)
  }
}
