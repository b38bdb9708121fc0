internal import CkptBase
internal import CkptPlan

/// The record `.data/serialization_id`: forty digits from the names and checksums of all records
/// before it (`PyTorchStreamWriter::writeSerializationId`).
///
/// No reader uses it. It is written so that archives are identical to torch's.
struct SerializationID: Sendable {
  static let byteCount = 40
  private static let digitCount = 20

  private var names = RecordNameSet()
  private var checksums: [Contribution] = []

  /// The contribution of one record to the second half.
  private enum Contribution: Sendable {
    case word(UInt32)
    case checksum(@Sendable (RecordChecksums) -> UInt32)
  }

  /// Adds a record.
  ///
  /// - Parameters:
  ///   - name: the name without the prefix.
  ///   - leadingBytes: the first eight bytes of its data, if it has as many.
  ///   - checksum: the function that computes its checksum; `nil` for a record without data.
  mutating func add(
    _ name: String, leadingBytes: [UInt8], checksum: (@Sendable (RecordChecksums) -> UInt32)?
  ) {
    names.insert(name)
    guard let checksum else { return }
    // The writer finds data descriptors by their signature, even in data that begins like one.
    if leadingBytes.count == 8, leadingBytes.starts(with: [0x50, 0x4b, 0x07, 0x08]) {
      checksums.append(.word(leadingBytes[4...].reversed().reduce(0) { $0 << 8 | UInt32($1) }))
    }
    checksums.append(.checksum(checksum))
  }

  /// Returns the record after the checksums are known.
  ///
  /// An archive that is written again keeps the first half of its own record, `found`: C++
  /// libraries other than libstdc++ compute other hashes.
  func text(replacing found: [UInt8]?) -> @Sendable (RecordChecksums) -> [UInt8] {
    let isNumber = { (byte: UInt8) in (0x30...0x39).contains(byte) }
    let nameDigits: [UInt8]
    if let found, found.count == Self.byteCount, found.allSatisfy(isNumber) {
      nameDigits = Array(found.prefix(Self.digitCount))
    } else {
      nameDigits = Self.digits(names.hashesInOrder.reduce(0, Self.combine))
    }
    return { [checksums] sums in
      let hash = checksums.reduce(0 as UInt64) { hash, contribution in
        switch contribution {
        case .word(let word): Self.combine(hash, UInt64(word))
        case .checksum(let checksum): Self.combine(hash, UInt64(checksum(sums)))
        }
      }
      return nameDigits + Self.digits(hash)
    }
  }

  /// `c10::hash_combine`.
  private static func combine(_ seed: UInt64, _ value: UInt64) -> UInt64 {
    seed ^ (value &+ 0x9e37_79b9 &+ seed << 6 &+ seed >> 2)
  }

  private static func digits(_ value: UInt64) -> [UInt8] {
    let text = Array(String(value).utf8)
    return [UInt8](repeating: UInt8(ascii: "0"), count: digitCount - text.count) + text
  }
}

/// The set of record names in PyTorch's writer: a `std::unordered_set<std::string>` of libstdc++.
///
/// Its order of iteration affects the serialization id.
struct RecordNameSet {
  /// The bucket counts of a growing set (`_Prime_rehash_policy`).
  private static let bucketCounts = [
    1, 13, 29, 59, 127, 257, 541, 1109, 2357, 5087, 10273, 20753, 42043, 85229, 172_933, 351_061,
    712_697, 1_447_153, 2_938_679,
  ]

  /// The hash of each name.
  ///
  /// Index 0 is the head of the list.
  private var hashes: [UInt64] = [0]
  /// The next name in the list, for each name.
  private var next: [Int?] = [nil]
  /// The name before the first one of each bucket.
  private var buckets: [Int?] = [nil]
  private var growth = 0

  /// Adds a name that is not in the set.
  mutating func insert(_ name: String) {
    if hashes.count > buckets.count || growth == 0 { grow() }
    hashes.append(Self.hash(of: Array(name.utf8)))
    next.append(nil)
    link(hashes.count - 1)
  }

  /// The hashes of all names, in order of iteration.
  var hashesInOrder: [UInt64] {
    var order: [UInt64] = []
    order.reserveCapacity(hashes.count)
    var current = next[0]
    while let node = current {
      order.append(hashes[node])
      current = next[node]
    }
    return order
  }

  private func bucket(of node: Int) -> Int { Int(hashes[node] % UInt64(buckets.count)) }

  /// Links a name before the first one of its bucket, or at the head of the list for an empty
  /// bucket.
  private mutating func link(_ node: Int) {
    let bucket = bucket(of: node)
    if let before = buckets[bucket] {
      next[node] = next[before]
      next[before] = node
      return
    }
    next[node] = next[0]
    next[0] = node
    if let second = next[node] { buckets[self.bucket(of: second)] = node }
    buckets[bucket] = 0
  }

  private mutating func grow() {
    growth += 1
    buckets = Array(repeating: nil, count: Self.bucketCounts[growth])
    var current = next[0]
    next[0] = nil
    while let node = current {
      current = next[node]
      link(node)
    }
  }

  /// `std::hash<std::string>`: MurmurHash64A with libstdc++'s seed (`hash_bytes.cc`).
  static func hash(of bytes: [UInt8]) -> UInt64 {
    let multiplier: UInt64 = 0xc6a4_a793_5bd1_e995
    func mixed(_ value: UInt64) -> UInt64 { value ^ value >> 47 }
    var hash = 0xc70f_6907 ^ UInt64(bytes.count) &* multiplier
    var index = 0
    func word(_ count: Int) -> UInt64 {
      bytes[index..<index + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    while bytes.count - index >= 8 {
      hash = (hash ^ mixed(word(8) &* multiplier) &* multiplier) &* multiplier
      index += 8
    }
    if index < bytes.count { hash = (hash ^ word(bytes.count - index)) &* multiplier }
    return mixed(mixed(hash) &* multiplier)
  }
}
