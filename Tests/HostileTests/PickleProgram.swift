import CkptTestSupport

/// A pickle written operation by operation, with short names for the memo places it uses.
struct PickleProgram {
  private(set) var bytes: [UInt8] = [0x80, 2]
  /// The minimum length of the pickle, in bytes.
  var size = 0

  /// Adds operations.
  mutating func add(_ operations: String) { bytes += operations.utf8 }

  /// Adds operations.
  mutating func add(_ operations: [UInt8]) { bytes += operations }

  /// Pushes a str.
  mutating func text(_ text: String) { bytes += PickledValue.str(text).program }

  /// Pushes an int.
  mutating func int(_ value: Int) { bytes += PickledValue.int(value).program }

  /// Puts the top of the stack into the memo.
  mutating func put(_ place: UInt8) { bytes += [0x71, place] }

  /// Pushes what is in the memo.
  mutating func get(_ place: UInt8) { bytes += [0x68, place] }

  /// Pushes a global and puts it into the memo.
  mutating func global(_ module: String, _ name: String, _ place: UInt8) {
    add("c\(module)\n\(name)\n")
    put(place)
  }

  /// Repeats operations until the pickle has its size.
  mutating func fill(_ body: (inout PickleProgram, Int) -> Void) {
    var number = 0
    while bytes.count < size {
      body(&self, number)
      number += 1
    }
  }

  /// The `.pt` file with this pickle, ended by STOP, and these storages.
  func archive(storages: [[UInt8]] = [[UInt8](repeating: 7, count: 64)]) -> [UInt8] {
    ZipBuilder.torch(pickle: bytes + Array(".".utf8), storages: storages).bytes()
  }
}
