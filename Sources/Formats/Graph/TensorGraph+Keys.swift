package import CkptBase

/// Keys of dicts and elements of sets, with Python's equality: `1`, `1.0` and `True` are equal.
extension TensorGraph {
  /// Merges repeated keys of dicts like Python: the last value is stored at the first position.
  ///
  /// It handles the nodes from number `first` on.
  ///
  /// - Throws: `malformed` for keys that Python cannot hash.
  package mutating func unifyEqualKeys(from first: Int) throws(CheckpointError) {
    var texts = LongKeyInterner()
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
    _ run: inout NodeRun, stride step: Int, _ texts: inout LongKeyInterner
  ) throws(CheckpointError) {
    if let kept = try distinctEntries(run, stride: step, &texts) { shorten(&run, to: kept) }
  }

  /// Whether two keys of a dict, or of an instance of a dict subclass, are equal in Python.
  ///
  /// - Throws: `malformed` for keys that Python cannot hash.
  package func hasEqualKeys(_ id: NodeID) throws(CheckpointError) -> Bool {
    var texts = LongKeyInterner()
    switch self[id] {
    case .dict(let run): return try distinctEntries(run, stride: 2, &texts) != nil
    case .object(let object):
      return try distinctEntries(self[object].pairs, stride: 2, &texts) != nil
    default: return false
    }
  }

  /// Returns the entries of a run with equal keys merged into the first; `nil` if all keys differ.
  private func distinctEntries(
    _ run: NodeRun, stride step: Int, _ texts: inout LongKeyInterner
  ) throws(CheckpointError) -> [NodeID]? {
    guard Int(run.count) > step else {
      for key in self[run].prefix(1) { _ = try hash(of: key, &texts) }
      return nil
    }
    if hasDistinctTexts(run, stride: step) { return nil }
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
      // Different keys with one hash use the next slot, as usual in open addressing.
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

  /// Whether all keys of a run are different short strs, as in nearly all dicts.
  private func hasDistinctTexts(_ run: NodeRun, stride step: Int) -> Bool {
    var texts = TextTable(expectedCount: Int(run.count) / step)
    for index in stride(from: run.range.lowerBound, to: run.range.upperBound, by: step) {
      guard case .string(let key) = self[children[index]],
        key.count <= LongKeyInterner.shortByteCount
      else { return false }
      let start = Int(key.start)
      let hash = TextTable.hash(text.span.extracting(start..<start + Int(key.count)))
      let equal = texts.update(index, hash: hash) { other in
        guard case .string(let otherKey) = nodes[Int(children[other].index)] else { return false }
        return self[key] == self[otherKey]
      }
      guard equal == nil else { return false }
    }
    return true
  }

  /// The maximum number of nodes of a key to visit; larger keys are compared by identity.
  ///
  /// Tuples can share parts, so a few bytes can describe a key of astronomical size.
  private static let keyBudget = 512

  private func hash(of key: NodeID, _ texts: inout LongKeyInterner) throws(CheckpointError) -> Int {
    var hasher = Hasher()
    var pending = [key]
    var budget = Self.keyBudget
    while let id = pending.popLast() {
      budget -= 1
      guard budget > 0 else {
        // An object is only equal to itself, so it needs no hash in common with others.
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
          // The lengths distinguish texts that only differ in where they are split.
          hasher.combine(run.count)
          WorkCount.add(Int(run.count))
          for byte in self[run] { hasher.combine(byte) }
        }
      case .tuple(let run):
        hasher.combine(run.count)
        pending += self[run]
      // A class is one object, however often it is named.
      case .global(let module, let name): pending += [module, name]
      case .list, .dict, .set, .byteArray:
        throw CheckpointError(
          .malformed, "a dict or set has a key that cannot be hashed: \(description(of: id))")
      // The None in place of a dangerous global is an object of its own.
      case .none: hasher.combine(TensorGraph.none)
      case .float, .frozenSet, .object, .persistent, .tensor: hasher.combine(id)
      }
    }
    return hasher.finalize()
  }

  private func isEqualKey(
    _ first: NodeID, _ second: NodeID, _ texts: inout LongKeyInterner
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

/// Compares long strs and bytes that are keys, each once.
///
/// A pickle refers to a long key with two bytes. Hashing or comparing it every time would take the
/// square of the file's length.
struct LongKeyInterner {
  /// The maximum length of a text that is compared every time, in bytes.
  static let shortByteCount = 64

  private var firsts: [NodeID: NodeID] = [:]
  private var nodes: [ArraySlice<UInt8>: NodeID] = [:]

  /// Returns the first node with the same bytes as `id`, or `nil` for a short text.
  mutating func first(like id: NodeID, _ run: ByteRun, in graph: TensorGraph) -> NodeID? {
    guard run.count > Self.shortByteCount else { return nil }
    if let known = firsts[id] { return known }
    WorkCount.add(Int(run.count))
    let first = nodes[graph[run]] ?? id
    nodes[graph[run]] = first
    firsts[id] = first
    return first
  }
}

/// Ints of any size. CPython writes an int at each of its places, and so does our pickler.
extension TensorGraph {
  /// Checks that writing the ints among the nodes from number `first` on needs not many more bytes
  /// than they have.
  ///
  /// A hostile file refers to a long int again and again.
  ///
  /// - Throws: `limitExceeded` if it does.
  package func requireFewLongInts(from first: Int) throws(CheckpointError) {
    guard (first..<nodeCount).contains(where: { longIntByteCount(NodeID(index: $0)) > 0 }) else {
      return
    }
    var byteCount = 0
    for index in first..<nodeCount {
      forEachReference(of: NodeID(index: index)) { byteCount += longIntByteCount($0) }
    }
    guard byteCount <= Limits.longIntBytesAtLeast + 2 * textByteCount else {
      throw CheckpointError(
        .limitExceeded, "repeated references to long ints need \(byteCount) bytes",
        remedy: "do not use this file; it was made to exhaust its readers")
    }
  }

  /// Returns the size in bytes of an int that is too long to be written any number of times;
  /// otherwise zero.
  private func longIntByteCount(_ id: NodeID) -> Int {
    guard case .largeInt(let run) = self[id], run.count > 64 else { return 0 }
    return Int(run.count)
  }
}
