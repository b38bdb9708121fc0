internal import Bytes
internal import Graph

/// Putting records into the description of an archive, in the order of torch's writer.
extension TorchArchiveDescription {
  /// The archive of an object without storages, as PyTorch 2.7 and later write it.
  static func current(prefix: String) -> TorchArchiveDescription {
    TorchArchiveDescription(
      isTorchScript: false, prefix: prefix, pickleProtocol: 2, isBigEndian: false,
      hasChecksums: true,
      records: [
        .pickle(name: "data.pkl"),
        .other(name: formatVersionRecord, bytes: Array("1".utf8)),
        .other(name: alignmentRecord, bytes: Array("64".utf8)),
        .other(name: byteOrderRecord, bytes: Array("little".utf8)),
        .other(name: versionRecord, bytes: Array("3\n".utf8)),
        .other(name: serializationIDRecord, bytes: []),
      ])
  }

  private static let versionRecord = "version"

  /// The first number that no storage is named by.
  var firstFreeKey: Int {
    records.reduce(0) { first, record in
      guard case .storage(let name, _) = record,
        let key = Int(name.dropFirst(Self.storagePrefix.count)), key >= first, key < .max
      else { return first }
      return key + 1
    }
  }

  /// Adds records that are not there yet.
  ///
  /// Storages stand by their numbers from torch 2.7 on, and before by the text of their numbers;
  /// other records stand before the storages.
  mutating func insert(_ new: [Record]) {
    var names = Set(records.map { ExactString($0.name) })
    let new = new.filter { names.insert(ExactString($0.name)).inserted }
    let others = new.filter { !$0.isStorage }
    records.insert(contentsOf: others, at: firstStoragePlace)
    let storages = new.filter(\.isStorage)
    guard !storages.isEmpty else { return }
    let start = firstStoragePlace
    let end = records.lastIndex(where: \.isStorage).map { $0 + 1 } ?? start
    if has(Self.formatVersionRecord) {
      records.insert(contentsOf: storages, at: end)
    } else {
      let sorted = (records[start..<end] + storages).sorted {
        $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
      }
      records.replaceSubrange(start..<end, with: sorted)
    }
  }

  private var firstStoragePlace: Int {
    records.firstIndex(where: \.isStorage)
      ?? records.firstIndex { $0.name == Self.versionRecord } ?? records.count
  }

  /// Makes sure that torch, or any program that unpacks archives, can take it as it is meant.
  ///
  /// A skeleton may name records as it likes.
  ///
  /// - Throws: `malformed` for names that lead elsewhere or are there twice, and for an archive
  ///   without its pickle.
  func validate() throws(FormatError) {
    // torch makes "." of the name "..pt", which leads nowhere else.
    guard prefix == "." || Self.isHarmless(prefix), !prefix.contains("/") else {
      throw FormatError(.malformed, "'\(prefix)' cannot be the directory of an archive")
    }
    guard alignment > 0, alignment <= 1 << 15 else {
      throw FormatError(.malformed, "\(alignment) cannot be the alignment of an archive")
    }
    var names: Set<String> = []
    for record in records {
      guard Self.isHarmless(record.name) else {
        throw FormatError(.malformed, "'\(record.name)' cannot be the name of a record")
      }
      // torch looks for names without regard to case.
      guard names.insert(record.name.lowercased()).inserted else {
        throw FormatError(.malformed, "two records are named '\(record.name)'")
      }
    }
    let pickles = records.filter { if case .pickle = $0 { true } else { false } }
    guard pickles.count == 1, pickles.first?.name == "data.pkl" else {
      throw FormatError(.malformed, "the archive has no record 'data.pkl', or several pickles")
    }
  }

  private static func isHarmless(_ name: String) -> Bool {
    name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
      !["", ".", ".."].contains($0)
    } && !name.utf8.contains(0) && !name.utf8.contains(UInt8(ascii: "\\"))
  }
}

extension TorchArchiveDescription.Record {
  /// Whether it is a storage.
  fileprivate var isStorage: Bool { if case .storage = self { true } else { false } }
}
