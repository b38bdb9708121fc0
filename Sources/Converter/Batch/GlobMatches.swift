internal import CkptBase
internal import CkptCheckpoints

/// Finds the paths that match a pattern.
enum GlobMatches {
  /// A directory that cannot be read, with the error.
  typealias Fault = (path: String, error: CheckpointError)

  /// Finds the paths that match a pattern.
  ///
  /// `**` does not follow links to directories.
  ///
  /// - Parameters:
  ///   - pattern: the pattern.
  ///   - faults: receives the directories that cannot be read.
  /// - Returns: the matching paths, in natural order, without duplicates.
  static func paths(for pattern: GlobPattern, faults: inout [Fault]) -> [String] {
    var places = [FilePath(pattern.base)]
    for component in pattern.components {
      switch component {
      case .name(let name):
        places = places.map { $0.appending(name) }.filter { status($0) != nil }
      case .pattern(let text):
        places = places.flatMap { place in
          names(in: place, &faults).filter { GlobPattern.matches($0, text) }
            .map { place.appending($0) }
        }
      case .anyDirectories: places = places.flatMap { directories(below: $0, &faults) }
      }
    }
    if pattern.components.last == .anyDirectories {
      places.removeAll { $0 == FilePath(pattern.base) }
    }
    return Set(places).map(\.text).sorted(by: NaturalOrder.precedes)
  }

  /// Returns a directory and all directories below it, without hidden ones.
  private static func directories(
    below top: FilePath, _ faults: inout [Fault]
  ) -> [FilePath] {
    var found: [FilePath] = []
    var open = [top]
    while let place = open.popLast() {
      found.append(place)
      for name in names(in: place, &faults) where !name.begins(with: ".") {
        let inner = place.appending(name)
        let status = try? Syscalls.status(at: inner.text, followingLinks: false)
        if status?.isDirectory == true { open.append(inner) }
      }
    }
    return found
  }

  private static func names(
    in directory: FilePath, _ faults: inout [Fault]
  ) -> [String] {
    do throws(CheckpointError) {
      return try Syscalls.names(in: directory.text)
    } catch {
      // A file has no entries, and neither has a directory that was removed.
      let hasNothing = error.cause.map { $0.isMissing || $0.isNoDirectory } ?? false
      if !hasNothing { faults.append((directory.text, error)) }
      return []
    }
  }

  private static func status(_ place: FilePath) -> Syscalls.FileStatus? {
    try? Syscalls.status(at: place.text, followingLinks: false)
  }
}

/// The natural order of names with numbers: `step9` before `step10`.
enum NaturalOrder {
  /// Whether `left` comes before `right`.
  static func precedes(_ left: String, _ right: String) -> Bool {
    let (one, other) = (Array(left.utf8), Array(right.utf8))
    var (first, second) = (0, 0)
    while first < one.count, second < other.count {
      let (number, otherNumber) = (digits(one, from: first), digits(other, from: second))
      if !number.isEmpty, !otherNumber.isEmpty {
        let (value, otherValue) = (withoutZeros(number), withoutZeros(otherNumber))
        if value.count != otherValue.count { return value.count < otherValue.count }
        if !value.elementsEqual(otherValue) { return value.lexicographicallyPrecedes(otherValue) }
        first = number.endIndex
        second = otherNumber.endIndex
      } else if one[first] == other[second] {
        first += 1
        second += 1
      } else {
        return one[first] < other[second]
      }
    }
    // Names that differ only in leading zeros are ordered too, so that the order is total.
    let (rest, otherRest) = (one.count - first, other.count - second)
    return rest == otherRest ? one.lexicographicallyPrecedes(other) : rest < otherRest
  }

  private static func digits(_ text: [UInt8], from start: Int) -> ArraySlice<UInt8> {
    text[start...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  private static func withoutZeros(_ digits: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    digits.drop { $0 == UInt8(ascii: "0") }
  }
}
