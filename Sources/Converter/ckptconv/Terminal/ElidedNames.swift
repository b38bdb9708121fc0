/// Shortens names in the middle, so that different names remain different.
enum ElidedNames {
  /// The part of the room that the beginning of a name gets, in sixths; the best one first.
  ///
  /// The ends of names of tensors differ more than their beginnings.
  private static let shares = [2, 3, 1, 4, 0]

  /// Returns the names, each at most `width` columns wide.
  ///
  /// A name that has no unique short form remains whole.
  static func elide(_ names: [String], to width: Int) -> [String] {
    let room = max(0, width - 1)
    for share in shares {
      let head = room * share / 6
      let texts = names.map { elide($0, to: width, head: head) }
      if areDistinct(texts, like: names) { return texts }
    }
    return elideOneByOne(names, to: width)
  }

  private static func elide(_ name: String, to width: Int, head: Int) -> String {
    guard name.width > width else { return name }
    return "\(name.beginning(ofWidth: head))…\(name.ending(ofWidth: max(0, width - 1 - head)))"
  }

  /// Whether different names have different texts.
  private static func areDistinct(_ texts: [String], like names: [String]) -> Bool {
    var known: [String: String] = [:]
    for (text, name) in zip(texts, names)
    where known.updateValue(name, forKey: text) ?? name != name {
      return false
    }
    return true
  }

  /// Gives each name the first form that no other name has.
  private static func elideOneByOne(_ names: [String], to width: Int) -> [String] {
    var owners: [String: String] = [:]
    for name in names where name.width <= width { owners[name] = name }
    return names.map { name in
      guard name.width > width else { return name }
      for head in 0..<max(1, width) {
        let text = elide(name, to: width, head: head)
        if owners[text] ?? name == name {
          owners[text] = name
          return text
        }
      }
      return name
    }
  }
}
