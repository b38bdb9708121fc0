import CkptPlan
import Testing

import CkptPlan
@testable import CkptTorch

/// The names of records hash and iterate as in libstdc++, on which torch's serialization id depends.
@Suite("The set of record names is libstdc++'s")
struct RecordNameSetTests {
  struct Hash: Sendable, CustomTestStringConvertible {
    let name: String
    let hash: UInt64
    var testDescription: String { "'\(name)'" }
  }

  /// Results of `std::hash<std::string>` of GCC 12.
  static let hashes = [
    Hash(name: "", hash: 0x553e_9390_1e46_2a6e), Hash(name: "a", hash: 0x454d_dee4_88c1_ed6b),
    Hash(name: "abcdefgh", hash: 0x783d_b3e3_8db8_98bb),
    Hash(name: "version", hash: 0x15ba_742b_b08e_0596),
    Hash(name: "data.pkl", hash: 0x4494_3d56_5847_b09e),
    Hash(name: ".storage_alignment", hash: 0x5abe_78be_0187_373d),
    Hash(name: "data/10", hash: 0x7ba7_5870_edca_6282),
  ]

  @Test("A name has the hash of libstdc++", arguments: hashes)
  func hashesName(_ test: Hash) {
    #expect(RecordNameSet.hash(of: Array(test.name.utf8)) == test.hash)
  }

  struct Archive: Sendable, CustomTestStringConvertible {
    let storageCount: Int
    /// The first half of the id that torch wrote into such an archive.
    let digits: String
    var testDescription: String { "\(storageCount) storages" }
  }

  static let current = [
    Archive(storageCount: 0, digits: "02908468677762923104"),
    Archive(storageCount: 1, digits: "15728199511854643026"),
    Archive(storageCount: 7, digits: "06895295647852065578"),
    Archive(storageCount: 8, digits: "08268647735604577700"),
    Archive(storageCount: 23, digits: "15541718845841184877"),
    Archive(storageCount: 24, digits: "12647775507600111753"),
    Archive(storageCount: 1000, digits: "02450224207034579348"),
  ]

  @Test("Archives of torch 2.7 and later get the id that torch gave them", arguments: current)
  func identifiesCurrentArchive(_ test: Archive) {
    var names = ["data.pkl", ".format_version", ".storage_alignment", "byteorder"]
    names += (0..<test.storageCount).map { "data/\($0)" } + ["version"]
    #expect(Self.identify(names) == test.digits)
  }

  static let older = [
    Archive(storageCount: 0, digits: "06364577379464010513"),
    Archive(storageCount: 10, digits: "08663779151975071435"),
    Archive(storageCount: 12, digits: "14014516439535108547"),
    Archive(storageCount: 100, digits: "13071765346902817480"),
  ]

  @Test("Archives of torch 2.1 to 2.6 get the id that torch gave them", arguments: older)
  func identifiesOlderArchive(_ test: Archive) {
    let names = ["data.pkl", "byteorder"] + (0..<test.storageCount).map { "data/\($0)" }.sorted()
    #expect(Self.identify(names + ["version"]) == test.digits)
  }

  /// The half of the id that is made from names.
  private static func identify(_ names: [String]) -> String {
    var id = SerializationID()
    for name in names { id.add(name, leadingBytes: [], checksum: nil) }
    let sums = RecordChecksums { _ in 0 }
    return String(decoding: id.text(replacing: nil)(sums).prefix(20), as: UTF8.self)
  }
}
