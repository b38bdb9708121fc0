package import CkptBase

extension TensorGraph {
  /// Turns a flat dict with dotted names into nested dicts: `a.b` becomes `b` in the dict `a`.
  ///
  /// A root that is not a dict is unchanged, and so are keys that are not strs.
  ///
  /// - Throws: `unsupported` if a name is both a value and the beginning of another name,
  ///   `limitExceeded` for a name with more dots than ``Limits/pathLength``.
  package mutating func nestDottedKeys() throws(CheckpointError) {
    guard case .dict(let run) = self[root] else { return }
    var nesting = Nesting()
    let items = Array(self[run])
    for index in stride(from: 0, to: items.count, by: 2) {
      guard let name = string(items[index]) else {
        nesting.append(.init(key: items[index], value: items[index + 1], dict: nil), to: 0)
        continue
      }
      var dict = 0
      var steps = name.parts(between: ".")[...]
      guard steps.count <= Limits.pathLength else {
        throw CheckpointError(
          .limitExceeded, "the name '\(name)' has more than \(Limits.pathLength) parts")
      }
      let last = steps.removeLast()
      for step in steps {
        let place = Nesting.Place(dict: dict, name: ExactString(String(step)))
        if let entry = nesting.taken[place] {
          guard let inner = entry else { throw Self.valueAndDict(name) }
          dict = inner
        } else {
          dict = nesting.addDict(at: place, key: try addString(String(step)))
        }
      }
      let place = Nesting.Place(dict: dict, name: ExactString(String(last)))
      guard nesting.taken.updateValue(nil, forKey: place) == nil else {
        throw Self.valueAndDict(name)
      }
      let key = steps.isEmpty ? items[index] : try addString(String(last))
      nesting.append(.init(key: key, value: items[index + 1], dict: nil), to: dict)
    }
    try build(nesting)
  }

  private static func valueAndDict(_ name: String) -> CheckpointError {
    CheckpointError(
      .unsupported, "'\(name)' cannot be nested, because a part of it is the name of a value",
      remedy: .action(.keepFlat))
  }

  /// Creates the dicts, inner ones first, so that outer ones can refer to them.
  private mutating func build(_ nesting: Nesting) throws(CheckpointError) {
    var nodes = [NodeID](repeating: root, count: nesting.dicts.count)
    for (index, entries) in nesting.dicts.enumerated().reversed() {
      let children = entries.flatMap { [$0.key, $0.dict.map { nodes[$0] } ?? $0.value] }
      let dict = Node.dict(addChildren(children[...]))
      if index == 0 { replace(root, with: dict) } else { nodes[index] = try add(dict) }
    }
  }
}

/// The dicts in dotted names, by number.
///
/// The root is the first; inner dicts have higher numbers than outer ones.
private struct Nesting {
  struct Place: Hashable {
    let dict: Int
    let name: ExactString
  }

  struct Entry {
    let key: NodeID
    let value: NodeID
    /// The number of the dict, if the value is one.
    let dict: Int?
  }

  private(set) var dicts: [[Entry]] = [[]]
  /// The values at the places so far: the number of a dict, or `nil` for another value.
  var taken: [Place: Int?] = [:]

  mutating func append(_ entry: Entry, to dict: Int) { dicts[dict].append(entry) }

  mutating func addDict(at place: Place, key: NodeID) -> Int {
    let number = dicts.count
    dicts.append([])
    append(Entry(key: key, value: TensorGraph.none, dict: number), to: place.dict)
    taken[place] = number
    return number
  }
}
