internal import CkptGraph

/// Compares numbers, texts and names, and describes them for messages.
extension ObjectWalk {
  /// The maximum length of a value in a message, in characters.
  private static let shownText = 80

  /// Whether two texts have the same bytes.
  mutating func isSameText(
    _ firstID: NodeID, _ left: ByteRun, _ secondID: NodeID, _ right: ByteRun
  ) -> Bool {
    guard left.count == right.count else { return false }
    guard let number = texts.number(of: firstID, left, in: first, .first) else {
      return first[left] == second[right]
    }
    return number == texts.number(of: secondID, right, in: second, .second)
  }

  /// Whether two globals are the same class, function or constant.
  mutating func isSameGlobal(_ firstID: NodeID, _ secondID: NodeID) -> Bool {
    guard case .global(let firstModule, let firstName) = first[firstID],
      case .global(let secondModule, let secondName) = second[secondID],
      case .string(let left) = first[firstName], case .string(let right) = second[secondName],
      isSameText(firstName, left, secondName, right),
      case .string(let leftModule) = first[firstModule],
      case .string(let rightModule) = second[secondModule]
    else { return false }
    if isSameText(firstModule, leftModule, secondModule, rightModule) { return true }
    guard leftModule.count <= StringInterner.shortByteCount,
      rightModule.count <= StringInterner.shortByteCount
    else { return false }
    return MovedModules.areOne(
      first.string(firstModule) ?? "", second.string(secondModule) ?? "")
  }

  /// Records a difference between two nodes as a whole.
  mutating func note(_ kind: Difference.Kind, _ pair: Pair) {
    guard !differences.isFull else { return differences.addUndescribed() }
    guard kind == .type else {
      return note(
        kind, pair, first.description(of: pair.first, limit: Self.shownText),
        second.description(of: pair.second, limit: Self.shownText))
    }
    note(kind, pair, typed(pair.first, of: first), typed(pair.second, of: second))
  }

  /// Records a difference with these words.
  mutating func note(
    _ kind: Difference.Kind, _ pair: Pair, _ left: String, _ right: String
  ) {
    guard !differences.isFull else { return differences.addUndescribed() }
    let place = trail.name(of: pair.place, pair.first)
    differences.add(Difference(kind, at: place, first: left, second: right))
  }

  /// Records two different floats.
  ///
  /// If they print alike, their bits are shown.
  mutating func note(_ left: Double, _ right: Double, _ pair: Pair) {
    guard !differences.isFull else { return differences.addUndescribed() }
    let texts = (first.description(of: pair.first), second.description(of: pair.second))
    guard texts.0 == texts.1 else { return note(.value, pair) }
    note(.value, pair, "\(texts.0) (bits \(bits(left)))", "\(texts.1) (bits \(bits(right)))")
  }

  /// Records two different texts.
  ///
  /// If they begin alike, the first different byte is shown.
  mutating func note(_ left: ByteRun, _ right: ByteRun, _ pair: Pair) {
    guard !differences.isFull else { return differences.addUndescribed() }
    var texts = (
      first.description(of: pair.first, limit: Self.shownText),
      second.description(of: pair.second, limit: Self.shownText)
    )
    if texts.0 == texts.1 {
      let position = zip(first[left], second[right]).prefix { $0 == $1 }.count
      texts.0 += byte(position, of: first[left])
      texts.1 += byte(position, of: second[right])
    }
    note(.value, pair, texts.0, texts.1)
  }

  private func byte(_ position: Int, of text: ArraySlice<UInt8>) -> String {
    guard position < text.count else { return " (ends at byte \(position))" }
    return " (byte \(position) is 0x\(String(text[text.startIndex + position], radix: 16)))"
  }

  private func bits(_ value: Double) -> String {
    let digits = String(value.bitPattern, radix: 16)
    return "0x" + String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Describes a value with its type, unless the value shows it.
  private func typed(_ id: NodeID, of graph: TensorGraph) -> String {
    let text = graph.description(of: id, limit: Self.shownText)
    switch graph[id] {
    case .bool: return "bool \(text)"
    case .int, .largeInt: return "int \(text)"
    case .float: return "float \(text)"
    case .string: return "str \(text)"
    case .tuple: return "tuple \(text)"
    case .list: return "list \(text)"
    case .dict: return "dict \(text)"
    case .set: return "set \(text)"
    case .global: return "global \(text)"
    case .none, .bytes, .byteArray, .frozenSet, .object, .persistent, .tensor: return text
    }
  }
}

/// Modules of Python libraries that were moved: older and newer files name one class differently.
enum MovedModules {
  private static let moves = [
    // NumPy 2.0.
    (old: "numpy.core", new: "numpy._core"),
    // Python 3.13, and back in 3.14.
    (old: "pathlib._local", new: "pathlib"),
    // PyTorch 1.9.
    (old: "torch.tensor", new: "torch._tensor"),
  ]

  /// Whether two names refer to one module.
  static func areOne(_ first: String, _ second: String) -> Bool {
    today(first).utf8.elementsEqual(today(second).utf8)
  }

  private static func today(_ module: String) -> String {
    for move in moves {
      if module == move.old { return move.new }
      if module.hasPrefix(move.old + ".") { return move.new + module.dropFirst(move.old.count) }
    }
    return module
  }
}
