package import CkptBase
package import CkptGraph

/// The verdict on a call, beyond the name of the callable.
package enum CallJudgment: Sendable {
  /// A call of a class or function; its name was checked before.
  case function
  /// The name of a nested class, to be checked like any other name.
  case nestedClass(module: String, name: String)
  /// A call that can run any code, with words for messages.
  case refused(String)
}

/// Functions that can run any code, but have one harmless form in Python's own pickles.
extension TensorGraph {
  /// Judges `callable(*arguments)`.
  ///
  /// - Throws: `malformed` if Python could not call `callable`.
  package func judgeCall(
    _ callable: NodeID, _ arguments: NodeID
  ) throws(CheckpointError) -> CallJudgment {
    switch self[callable] {
    case .global(let module, _):
      // This runs for each call, and almost all have longer module names.
      guard case .string(let run) = self[module], run.count <= Self.longestModule else {
        return .function
      }
    case .object where isNestedClass(callable): return .function
    case .object:
      return .refused("calling \(description(of: callable, limit: Self.shownLength))")
    default:
      throw CheckpointError(.malformed, "a call of something that is not a class or function")
    }
    guard let (module, name) = shortGlobal(callable) else { return .function }
    switch (module, name) {
    case ("builtins", "getattr"):
      if let (module, name) = nestedClass(ofArguments: arguments) {
        return .nestedClass(module: module, name: name)
      }
      return .refused(attributeText(arguments))
    // `typing.List[int]` consists of the class and its arguments in brackets
    // (`typing._GenericAlias`).
    case ("operator", "getitem"), ("_operator", "getitem"):
      let owner = tuple(arguments)?.first
      return owner.map(isClass) == true
        ? .function : .refused("an item of something other than a class")
    // `int | str` up to Python 3.13 (`Lib/copyreg.py`, `pickle_union`).
    case ("functools", "reduce"), ("_functools", "reduce"):
      let function = tuple(arguments)?.first
      return function.map(isUnion) == true ? .function : .refused("calling 'functools.reduce'")
    default: return .function
    }
  }

  /// The length of the longest module that is looked for below, in bytes.
  private static let longestModule = 10

  /// The maximum length of a shown value, in characters.
  private static let shownLength = 60

  private func isClass(_ id: NodeID) -> Bool {
    if case .global = self[id] { return true }
    return isNestedClass(id)
  }

  private func isUnion(_ id: NodeID) -> Bool {
    isGlobal(id, "operator", "or_") || isGlobal(id, "_operator", "or_")
  }

  /// Returns the attribute and the object of `getattr(*arguments)`, for messages.
  private func attributeText(_ arguments: NodeID) -> String {
    guard let items = tuple(arguments), items.count >= 2, let owner = items.first else {
      return "calling 'builtins.getattr'"
    }
    let attribute = description(of: items[items.startIndex + 1], limit: Self.shownLength)
    var ownerText = "a value"
    if case .object(let object) = self[owner] {
      let className = description(of: self[object].callable, limit: Self.shownLength)
      ownerText = "an object of '\(className)'"
    }
    return "attribute \(attribute) of \(ownerText), reached by 'builtins.getattr',"
  }
}

/// The values that were replaced by `None` because they can run code.
package struct DroppedValues: Sendable {
  /// The maximum number of names in a warning; the others are counted.
  private static let named = 20

  private var names: [String] = []
  private var counts: [ExactString: Int] = [:]

  /// Creates an empty list.
  package init() {}

  /// Adds a value by its description, such as `global 'os.system'`.
  package mutating func add(_ what: String) {
    if counts[ExactString(what), default: 0] == 0 { names.append(what) }
    counts[ExactString(what), default: 0] += 1
  }

  /// The warnings about the values.
  package var warnings: [String] {
    var warnings = names.prefix(Self.named).map { name in
      let count = counts[ExactString(name), default: 1]
      let places = count > 1 ? " in \(count) places" : ""
      return "\(name) can run code; it was replaced by None\(places)"
    }
    if names.count > Self.named {
      warnings.append("so were \(names.count - Self.named) more")
    }
    return warnings
  }
}
