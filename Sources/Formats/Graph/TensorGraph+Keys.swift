package import Bytes

/// Keys of dicts and elements of sets: Python's equality, under which `1`, `1.0` and `True` are one.
extension TensorGraph {
  /// Applies Python's rule to dicts whose keys repeat: the last value wins in the first position.
  ///
  /// Looks at the nodes from number `first` on.
  ///
  /// - Throws: `malformed` for keys that Python could not hash.
  package mutating func unifyEqualKeys(from first: Int) throws(FormatError) {
    var texts = LongTexts()
    for index in first..<nodeCount {
      let id = NodeID(index: index)
      switch self[id] {
      case .dict(var run) where run.count > 0:
        try unify(&run, stride: 2, &texts)
        replace(id, with: .dict(run))
      case .set(var run) where run.count > 0:
        try unify(&run, stride: 1, &texts)
        replace(id, with: .set(run))
      case .frozenSet(var run) where run.count > 0:
        try unify(&run, stride: 1, &texts)
        replace(id, with: .frozenSet(run))
      case .object(let object) where self[object].pairs.count > 0:
        var pairs = self[object].pairs
        try unify(&pairs, stride: 2, &texts)
        self[object].pairs = pairs
      default: continue
      }
    }
  }

  private mutating func unify(
    _ run: inout NodeRun, stride step: Int, _ texts: inout LongTexts
  ) throws(FormatError) {
    if let kept = try distinctEntries(run, stride: step, &texts) { shorten(&run, to: kept) }
  }

  /// Whether two keys of a dict, or of an instance of a dict's subclass, are one to Python.
  ///
  /// - Throws: `malformed` for keys that Python could not hash.
  package func hasEqualKeys(_ id: NodeID) throws(FormatError) -> Bool {
    var texts = LongTexts()
    switch self[id] {
    case .dict(let run): return try distinctEntries(run, stride: 2, &texts) != nil
    case .object(let object):
      return try distinctEntries(self[object].pairs, stride: 2, &texts) != nil
    default: return false
    }
  }

  /// The entries of a run with the later of equal keys unified with the first, or `nil` where no
  /// two are equal.
  private func distinctEntries(
    _ run: NodeRun, stride step: Int, _ texts: inout LongTexts
  ) throws(FormatError) -> [NodeID]? {
    guard Int(run.count) > step else {
      for key in self[run].prefix(1) { _ = try hash(of: key, &texts) }
      return nil
    }
    var positions: [Int: Int] = [:]
    var hashes: [NodeID: Int] = [:]
    var kept: [NodeID] = []
    let entries = self[run]
    var hasRepeats = false
    for index in stride(from: entries.startIndex, to: entries.endIndex, by: step) {
      let key = entries[index]
      let known = hashes[key]
      var slot = if let known { known } else { try hash(of: key, &texts) }
      if case .tuple = self[key] { hashes[key] = slot }
      // Different keys with one hash move on to the next slot, as in any open addressing.
      while let position = positions[slot] {
        if isEqualKey(kept[position], key, &texts) { break }
        slot &+= 1
      }
      if let position = positions[slot] {
        hasRepeats = true
        if step == 2 { kept[position + 1] = entries[index + 1] }
      } else {
        positions[slot] = kept.count
        kept += entries[index..<index + step]
      }
    }
    return hasRepeats ? kept : nil
  }

  /// How many nodes of a key are looked into; beyond, keys are compared by identity.
  ///
  /// Tuples may share parts, so that a few bytes describe a key of astronomical size.
  private static let keyBudget = 512

  private func hash(of key: NodeID, _ texts: inout LongTexts) throws(FormatError) -> Int {
    var hasher = Hasher()
    var pending = [key]
    var budget = Self.keyBudget
    while let id = pending.popLast() {
      budget -= 1
      guard budget > 0 else {
        // Only one object is equal to itself, so it need not share its hash with others.
        hasher.combine(key)
        break
      }
      switch self[id] {
      case .bool(let value): hasher.combine(Double(value ? 1 : 0))
      case .int(let value): hasher.combine(Double(value))
      case .float(let value) where !value.isNaN: hasher.combine(value == 0 ? 0 : value)
      case .string(let run), .bytes(let run), .largeInt(let run):
        if let first = texts.first(like: id, run, in: self) {
          hasher.combine(first)
        } else {
          // With their lengths, parts that only together are the same text have different hashes.
          hasher.combine(run.count)
          for byte in self[run] { hasher.combine(byte) }
        }
      case .tuple(let run):
        hasher.combine(run.count)
        pending += self[run]
      // A class is one object, however often it is named.
      case .global(let module, let name): pending += [module, name]
      case .list, .dict, .set, .byteArray:
        throw FormatError(
          .malformed, "a dict or set has a key that cannot be hashed: \(description(of: id))")
      // What took the place of a dangerous global is a None of its own.
      case .none: hasher.combine(TensorGraph.none)
      case .float, .frozenSet, .object, .persistent, .tensor: hasher.combine(id)
      }
    }
    return hasher.finalize()
  }

  private func isEqualKey(
    _ first: NodeID, _ second: NodeID, _ texts: inout LongTexts
  ) -> Bool {
    var pending = [(first, second)]
    var budget = Self.keyBudget
    while let (left, right) = pending.popLast() {
      if left == right { continue }
      budget -= 1
      guard budget > 0 else { return false }
      switch (self[left], self[right]) {
      case (.string(let leftRun), .string(let rightRun)),
        (.bytes(let leftRun), .bytes(let rightRun)),
        (.largeInt(let leftRun), .largeInt(let rightRun)):
        if let known = texts.first(like: left, leftRun, in: self) {
          guard known == texts.first(like: right, rightRun, in: self) else { return false }
        } else {
          guard self[leftRun] == self[rightRun] else { return false }
        }
      case (.none, .none): continue
      case (.tuple(let left), .tuple(let right)):
        guard left.count == right.count else { return false }
        pending += zip(self[left], self[right])
      case (.global(let left, let leftName), .global(let right, let rightName)):
        pending += [(left, right), (leftName, rightName)]
      case (let left, let right):
        guard Self.isEqualNumber(left, right) else { return false }
      }
    }
    return true
  }

  private static func isEqualNumber(_ left: Node, _ right: Node) -> Bool {
    switch (left, right) {
    case (.int(let left), .int(let right)): left == right
    case (.bool(let left), .bool(let right)): left == right
    case (.bool(let flag), .int(let value)), (.int(let value), .bool(let flag)):
      value == (flag ? 1 : 0)
    case (.float(let left), .float(let right)): left == right
    case (.float(let float), .int(let value)), (.int(let value), .float(let float)):
      Int(exactly: float) == value
    case (.float(let float), .bool(let flag)), (.bool(let flag), .float(let float)):
      float == (flag ? 1 : 0)
    default: false
    }
  }
}
