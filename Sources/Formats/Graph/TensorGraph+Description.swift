/// Descriptions of values like in Python, for names, listings and messages.
extension TensorGraph {
  /// Returns the value of a node like Python's `repr`, shortened to `limit` characters.
  ///
  /// It follows a few levels of nesting and shows the first items of each container, so the work is
  /// bounded for any graph.
  package func description(of id: NodeID, limit: Int = 200) -> String {
    var text = ""
    describe(id, into: &text, limit: limit, depth: 0)
    guard text.count > limit else { return text }
    return text.prefix(max(limit - 3, 0)) + "..."
  }

  private static let shownDepth = 8
  /// The most bytes of a bytes object that are written out.
  private static let shownBytes = 32

  private func describe(_ id: NodeID, into text: inout String, limit: Int, depth: Int) {
    guard text.utf8.count <= limit, depth < Self.shownDepth else {
      text += "..."
      return
    }
    if let known = knownObject(id), let short = shortText(known) {
      text += short
      return
    }
    switch self[id] {
    case .none: text += "None"
    case .bool(let value): text += value ? "True" : "False"
    case .int(let value): text += String(value)
    case .largeInt(let run) where run.count > limit: text += "<int of \(run.count) bytes>"
    case .largeInt(let run): text += Self.integerText(self[run])
    case .float(let value): text += Self.floatText(value)
    case .string(let run):
      text += Self.quoted(String(decoding: self[run].prefix(limit), as: UTF8.self))
    case .bytes(let run) where run.count <= Self.shownBytes: text += Self.bytesText(self[run])
    case .bytes(let run): text += "bytes[\(run.count)]"
    case .byteArray(let run): text += "bytearray[\(run.count)]"
    case .tuple(let run):
      list(self[run], "(", run.count == 1 ? ",)" : ")", into: &text, limit: limit, depth: depth)
    case .list(let run): list(self[run], "[", "]", into: &text, limit: limit, depth: depth)
    case .set(let run) where run.count == 0: text += "set()"
    case .set(let run): list(self[run], "{", "}", into: &text, limit: limit, depth: depth)
    case .frozenSet(let run):
      list(self[run], "frozenset({", "})", into: &text, limit: limit, depth: depth)
    case .dict(let run): pairs(self[run], into: &text, limit: limit, depth: depth)
    case .global(let module, let name):
      text += "\(beginning(of: module, limit)).\(beginning(of: name, limit))"
    case .persistent: text += "<storage>"
    case .tensor(let tensor):
      text += "tensor(\(self[tensor].dtype.name), \(self[tensor].shape))"
    case .object(let object):
      if let (module, name) = nestedClass(id) {
        text += "\(module.prefix(limit)).\(name.prefix(limit))"
      } else {
        describe(self[object], into: &text, limit: limit, depth: depth)
      }
    }
  }

  /// Returns the text of a known object whose calls would be hard to read.
  private func shortText(_ known: KnownObject) -> String? {
    switch known {
    case .path(let path): "Path(\(Self.quoted(path)))"
    case .size(let sizes): "torch.Size(\(sizes))"
    case .dtype(let dtype): "torch.\(dtype.name)"
    case .device(let type, let index): "device('\(type)\(index.map { ":\($0)" } ?? "")')"
    case .layout(let name): name
    case .numpyDType(let dtype): "dtype('\(dtype.byteOrder)\(dtype.code)')"
    case .numpyArray(let array):
      "numpy.ndarray(\(array.shape), '\(array.dtype.byteOrder)\(array.dtype.code)')"
    case .numpyScalar(let dtype, let data):
      numpyText(dtype, data) ?? "numpy.scalar('\(dtype.byteOrder)\(dtype.code)')"
    case .dateTime(let text): text
    case .pythonRandomState: "<state of Python's random>"
    case .numpyRandomState(let algorithm): "<state of NumPy's \(algorithm)>"
    case .complex(let real, let imaginary):
      "(\(Self.floatText(real))\(imaginary.sign == .minus ? "" : "+")"
        + "\(Self.floatText(imaginary))j)"
    case .orderedDict, .defaultDict, .counter, .deque, .namespace, .parameter: nil
    }
  }

  private func describe(
    _ object: ObjectNode, into text: inout String, limit: Int, depth: Int
  ) {
    if case .global(let module, let name) = self[object.callable] {
      text += lastPart(of: name, limit) ?? lastPart(of: module, limit) ?? "."
    } else {
      let name = callableText(object.callable, depth: depth + 1)
      text += name.split(separator: ".").last.map(String.init) ?? name
    }
    if let arguments = tuple(object.arguments) {
      list(arguments, "(", ")", into: &text, limit: limit, depth: depth)
    }
    if object.items.count > 0 {
      list(self[object.items], "[", "]", into: &text, limit: limit, depth: depth)
    }
    if object.pairs.count > 0 {
      pairs(self[object.pairs], into: &text, limit: limit, depth: depth)
    }
    if let state = object.state, self[state].isShownAsState {
      text += " "
      describe(state, into: &text, limit: limit, depth: depth + 1)
    }
  }

  /// Returns the part of a name that `limit` characters can show; `?` for a node that is not a str.
  private func beginning(of name: NodeID, _ limit: Int) -> String {
    guard case .string(let run) = self[name] else { return "?" }
    return String(decoding: self[run].prefix(4 * limit), as: UTF8.self)
  }

  /// Returns the text after the last dot of a name, or before it if nothing follows, as far as it
  /// is shown; `nil` for nothing but dots.
  private func lastPart(of name: NodeID, _ limit: Int) -> String? {
    guard case .string(let run) = self[name] else { return "?" }
    let dot = UInt8(ascii: ".")
    guard let end = self[run].lastIndex(where: { $0 != dot }) else { return nil }
    let whole = self[run][...end]
    let part = whole.lastIndex(of: dot).map { whole[($0 + 1)...] } ?? whole
    return String(decoding: part.prefix(4 * limit), as: UTF8.self)
  }

  /// Returns the text of a callable without a name; its own callable counts as another level.
  private func callableText(_ id: NodeID, depth: Int) -> String {
    var text = ""
    describe(id, into: &text, limit: 60, depth: depth)
    return text
  }

  private func list(
    _ items: ArraySlice<NodeID>, _ open: String, _ close: String, into text: inout String,
    limit: Int, depth: Int
  ) {
    text += open
    for (position, item) in items.enumerated() {
      if position > 0 { text += ", " }
      guard text.utf8.count <= limit else {
        text += "..."
        return
      }
      describe(item, into: &text, limit: limit, depth: depth + 1)
    }
    text += close
  }

  private func pairs(
    _ items: ArraySlice<NodeID>, into text: inout String, limit: Int, depth: Int
  ) {
    text += "{"
    var isFirst = true
    for index in stride(from: items.startIndex, to: items.endIndex, by: 2) {
      if !isFirst { text += ", " }
      isFirst = false
      guard text.utf8.count <= limit else {
        text += "..."
        return
      }
      describe(items[index], into: &text, limit: limit, depth: depth + 1)
      text += ": "
      describe(items[index + 1], into: &text, limit: limit, depth: depth + 1)
    }
    text += "}"
  }

  /// Returns a float as Python writes it.
  static func floatText(_ value: Double) -> String {
    if value.isNaN { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    return value.description
  }

  /// Returns an int of any size from its two's complement: decimal up to 128 bits, otherwise
  /// hexadecimal.
  package static func integerText(_ littleEndian: ArraySlice<UInt8>) -> String {
    guard littleEndian.count > 16 else {
      var value: Int128 = (littleEndian.last ?? 0) & 0x80 != 0 ? -1 : 0
      for byte in littleEndian.reversed() { value = value << 8 | Int128(byte) }
      return String(value)
    }
    return hexadecimalText(littleEndian)
  }

  /// Returns an int of any size from its two's complement, as `0x1f` or `-0x1f`.
  package static func hexadecimalText(_ littleEndian: ArraySlice<UInt8>) -> String {
    let isNegative = (littleEndian.last ?? 0) & 0x80 != 0
    var magnitude = Array(littleEndian)
    if isNegative {
      var carry: UInt16 = 1
      for index in magnitude.indices {
        carry += UInt16(~magnitude[index])
        magnitude[index] = UInt8(truncatingIfNeeded: carry)
        carry >>= 8
      }
      if carry > 0 { magnitude.append(1) }
    }
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in magnitude.reversed() {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    let significant = text.drop { $0 == UInt8(ascii: "0") }
    return (isNegative ? "-0x" : "0x")
      + (significant.isEmpty ? "0" : String(decoding: significant, as: UTF8.self))
  }

  private static func quoted(_ text: String) -> String {
    var result = "'"
    for scalar in text.unicodeScalars {
      switch scalar {
      case "'": result += "\\'"
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value):
        let hex = String(scalar.value, radix: 16)
        result += "\\x" + (hex.count < 2 ? "0" : "") + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "'"
  }
}

extension Node {
  /// Whether a listing shows the state.
  fileprivate var isShownAsState: Bool {
    if case .none = self { return false }
    return true
  }
}
