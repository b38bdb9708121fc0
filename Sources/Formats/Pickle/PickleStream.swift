internal import CkptBase

/// Writes a pickle of protocol 4 value by value, for objects that are too many for a graph.
///
/// The caller writes the parts of an object in the order in which a reader takes them, and decides
/// which objects are written once and referred to afterwards.
package struct PickleStream {
  /// An object that was written and can be referred to.
  package struct Reference: Sendable {
    fileprivate let number: Int
  }

  private var output = PickleOutput(version: 4)
  private var memoCount = 0

  /// Creates an empty pickle.
  package init() {}

  /// Returns the pickle, whose object is the only value on the stack.
  package consuming func finish() -> [UInt8] { output.finish() }

  // MARK: References

  /// Makes the last object one that can be referred to.
  package mutating func remember() -> Reference {
    output.write(Opcode.memoize.rawValue)
    memoCount += 1
    return Reference(number: memoCount - 1)
  }

  /// Writes a reference to an object.
  package mutating func write(_ reference: Reference) {
    output.startObject()
    output.write(reference: reference.number)
  }

  // MARK: Values

  /// Writes `None`.
  package mutating func writeNone() { emit(.none) }

  /// Writes `True` or `False`.
  package mutating func write(_ flag: Bool) { emit(flag ? .newTrue : .newFalse) }

  /// Writes an int.
  package mutating func write(_ value: Int) {
    output.startObject()
    output.write(int: value)
  }

  /// Writes a str.
  package mutating func write(_ text: String) {
    output.startObject()
    output.write(text: Array(text.utf8)[...])
  }

  /// Writes a class or function by its names.
  package mutating func writeGlobal(_ module: String, _ name: String) {
    write(module)
    write(name)
    emit(.stackGlobal)
  }

  // MARK: Containers

  /// Starts the items of a tuple, or of a batch of a list or dict.
  package mutating func startItems() { emit(.mark) }

  /// Ends a tuple.
  package mutating func endTuple() { emit(.tuple) }

  /// Writes an empty list, which ``endListItems()`` extends.
  package mutating func writeEmptyList() { emit(.emptyList) }

  /// Ends a batch of items, and appends it to the list before it.
  package mutating func endListItems() { emit(.appends) }

  /// Writes an empty dict, which ``endDictItems()`` extends.
  package mutating func writeEmptyDict() { emit(.emptyDict) }

  /// Ends a batch of keys and values, and adds it to the dict before it.
  package mutating func endDictItems() { emit(.setItems) }

  // MARK: Objects

  /// Calls the function before the last tuple with its items.
  package mutating func call() { emit(.reduce) }

  /// Makes an instance of the class that is the last value, without arguments.
  package mutating func makeInstance() {
    emit(.emptyTuple)
    emit(.newObject)
  }

  /// Gives an instance the state that is the last value.
  package mutating func setState() { emit(.build) }

  private mutating func emit(_ opcode: Opcode) {
    output.startObject()
    output.write(opcode.rawValue)
  }
}
