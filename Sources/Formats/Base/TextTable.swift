/// Finds equal texts among many that somebody else has: a hash table of their numbers.
///
/// A text costs some twenty bytes here, and nothing is allocated for it. Hashes differ from process to
/// process, so that no file can be made to collide.
package struct TextTable: Sendable {
  private struct Slot {
    /// One more than the number of the text; 0 where there is none.
    var number: Int32 = 0
    var hash: UInt32 = 0
  }

  /// A power of two of places, at most half of them taken.
  private var slots: [Slot]
  private var count = 0

  /// A table with room for a number of texts.
  package init(expectedCount count: Int = 0) {
    var size = 16
    while size < 2 * count { size *= 2 }
    slots = [Slot](repeating: Slot(), count: size)
  }

  /// The number of the text with this hash that `isEqual` to what is looked for, or `nil`.
  package func number(hash: Int, where isEqual: (Int) -> Bool) -> Int? {
    let slot = slots[place(UInt32(truncatingIfNeeded: hash), where: isEqual)]
    return slot.number == 0 ? nil : Int(slot.number) - 1
  }

  /// Puts the number of a text into the table, in the place of the one that `isEqual` to it if there is
  /// one, whose number is returned.
  package mutating func update(_ number: Int, hash: Int, where isEqual: (Int) -> Bool) -> Int? {
    if 2 * (count + 1) > slots.count { grow() }
    let hash = UInt32(truncatingIfNeeded: hash)
    let place = place(hash, where: isEqual)
    let old = slots[place]
    slots[place] = Slot(number: Int32(truncatingIfNeeded: number + 1), hash: hash)
    guard old.number == 0 else { return Int(old.number) - 1 }
    count += 1
    return nil
  }

  /// The place of a text, or the free one that it would take.
  @inline(__always)
  private func place(_ hash: UInt32, where isEqual: (Int) -> Bool) -> Int {
    var place = Int(hash) & (slots.count - 1)
    while slots[place].number != 0 {
      if slots[place].hash == hash, isEqual(Int(slots[place].number) - 1) { break }
      place = (place + 1) & (slots.count - 1)
    }
    return place
  }

  /// Doubles the places.
  private mutating func grow() {
    let old = slots
    slots = [Slot](repeating: Slot(), count: 2 * old.count)
    for slot in old where slot.number != 0 {
      slots[place(slot.hash) { _ in false }] = slot
    }
  }
}

extension TextTable {
  /// The key of this process: others have other hashes.
  private static let seed = UInt64.random(in: .min ... .max)
  private static let factor: UInt64 = 0xa076_1d64_78bd_642f

  /// The hash of a text, or of what it is in small letters of ASCII.
  ///
  /// Words are folded by wide products, as wyhash does it: a dozen instructions for eight bytes.
  package static func hash(_ text: Span<UInt8>, ignoringCase ignoresCase: Bool = false) -> Int {
    WorkCount.add(text.count)
    var state = seed ^ UInt64(text.count)
    var index = 0
    while index + 8 <= text.count {
      state = folded(state, text.word(at: index), ignoresCase)
      index += 8
    }
    var rest: UInt64 = 0
    while index < text.count {
      rest = rest << 8 | UInt64(text[index])
      index += 1
    }
    state = folded(state, rest, ignoresCase)
    return Int(truncatingIfNeeded: folded(state, seed, false))
  }

  @inline(__always)
  private static func folded(_ state: UInt64, _ word: UInt64, _ ignoresCase: Bool) -> UInt64 {
    let word = ignoresCase ? word.inSmallLetters : word
    let product = (state ^ word).multipliedFullWidth(by: factor ^ seed | 1)
    return product.high ^ product.low
  }
}

extension UInt64 {
  /// The bytes with capitals of ASCII replaced by small letters.
  fileprivate var inSmallLetters: UInt64 {
    let high: UInt64 = 0x8080_8080_8080_8080
    let low = self & ~high
    // The highest bit of each byte tells whether it is at least `A`, and whether it is beyond `Z`.
    let isAtLeastA = low &+ 0x3f3f_3f3f_3f3f_3f3f
    let isBeyondZ = low &+ 0x2525_2525_2525_2525
    let isCapital = isAtLeastA & ~isBeyondZ & ~self & high
    return self | isCapital >> 2
  }
}

extension UInt8 {
  /// The byte, or the small letter of a capital of ASCII.
  @inlinable
  package var inSmallLetters: UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
  }
}

extension String {
  /// Whether the bytes are equal but for the case of letters of ASCII.
  package func equalsIgnoringCase(_ other: String) -> Bool {
    let (one, two) = (utf8.span, other.utf8.span)
    guard one.count == two.count else { return false }
    for index in one.indices where one[index].inSmallLetters != two[index].inSmallLetters {
      return false
    }
    return true
  }
}
