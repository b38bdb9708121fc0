package import CkptContainer
package import CkptGraph

/// The archive of a `.pt` file, as it was found: a ZIP archive, or a format that came before it.
///
/// Every archive is a sequence of records. A legacy file does not name its records; their names here
/// are ``legacyPickles`` and the storage keys.
package struct TorchArchiveDescription: Sendable {
  /// The format of an archive.
  package enum Format: String, Sendable, CaseIterable {
    /// The ZIP archive of `torch.save`.
    case zip = "torch-zip"
    /// The ZIP archive of `torch.jit.save`.
    case torchScript = "torchscript"
    /// Pickles that follow each other, and storages behind them: PyTorch before 1.6, and
    /// `_use_new_zipfile_serialization=False` of later ones.
    case legacy = "torch-legacy"
    /// The tar archive of PyTorch 0.1.
    case tar = "torch-tar"
  }

  /// A member of the archive.
  package enum Record: Sendable {
    /// The pickle. The graph holds its contents.
    case pickle(name: String)
    /// A storage and its size in bytes.
    case storage(name: String, byteCount: Int)
    /// Any other record, with its bytes.
    case other(name: String, bytes: [UInt8])
    /// Any other deflated record, with its compressed bytes and its inflated size.
    case compressed(name: String, bytes: [UInt8], byteCount: Int)

    /// The name without the prefix.
    package var name: String {
      switch self {
      case .pickle(let name), .storage(let name, _), .other(let name, _),
        .compressed(let name, _, _):
        name
      }
    }
  }

  /// The format of the archive.
  package var archiveFormat: Format
  /// The directory inside a ZIP archive that holds all records.
  package var prefix: String
  /// The protocol of the pickle.
  package var pickleProtocol: Int
  /// The bytes of the pickle, if another pickler than CPython's can have written them.
  package var pickleBytes: [UInt8]?
  /// Whether numbers in storages are big-endian.
  package var isBigEndian: Bool
  /// Whether the archive holds checksums of its records.
  package var hasChecksums: Bool
  /// The alignment of records, in bytes, if another program than torch packed the archive; `nil`
  /// for torch's own.
  package var foreignAlignment: Int?
  /// The records in their order, by names without the prefix.
  package var records: [Record]

  package init(
    _ archiveFormat: Format, prefix: String, pickleProtocol: Int, isBigEndian: Bool,
    hasChecksums: Bool, foreignAlignment: Int? = nil, records: [Record]
  ) {
    self.archiveFormat = archiveFormat
    self.prefix = prefix
    self.pickleProtocol = pickleProtocol
    self.isBigEndian = isBigEndian
    self.hasChecksums = hasChecksums
    self.foreignAlignment = foreignAlignment
    self.records = records
  }
}

/// An archive of `torch.save` as a container.
extension TorchArchiveDescription: ContainerDescription {
  /// The identifier of the format.
  package var kind: String { archiveFormat.rawValue }
  /// The writer, with its versions.
  package var title: String {
    switch archiveFormat {
    case .zip: "torch.save archive (\(writer))"
    case .torchScript: "TorchScript archive (\(writer))"
    case .legacy: "legacy torch.save file"
    case .tar: "tar archive of PyTorch 0.1"
    }
  }
  /// The writer and layout.
  package var facts: [ContainerFact] {
    guard archiveFormat.isZip else {
      return [
        .init("protocol", .number(pickleProtocol), "pickle protocol \(pickleProtocol)"),
        .init("byteorder", .text("little"), "little-endian"),
        .init("records", .number(records.count)),
      ]
    }
    return [
      .init("writer", .text(writer)),
      .init("prefix", .text(prefix), "prefix '\(prefix)'"),
      .init("protocol", .number(pickleProtocol), "pickle protocol \(pickleProtocol)"),
      .init("alignment", .number(alignment), "alignment \(alignment)"),
      .init(
        "byteorder", .text(isBigEndian ? "big" : "little"),
        isBigEndian ? "big-endian" : "little-endian"),
      .init("checksums", .flag(hasChecksums), hasChecksums ? "CRC-32 present" : "no checksums"),
      .init("records", .number(records.count)),
    ]
  }
  /// The format of `torch.save`.
  package var format: CheckpointFormat? { .torch }
  /// Yes: a pickle keeps objects.
  package var holdsObject: Bool { true }
}

extension TorchArchiveDescription.Format {
  /// Whether it is a ZIP archive.
  package var isZip: Bool { self == .zip || self == .torchScript }
}

extension TorchArchiveDescription {
  /// The names of the pickles of a legacy file in their order: three of the header, the object, and the
  /// keys of the storages, which follow (`torch/serialization.py`, `_legacy_save`).
  package static let legacyPickles = [
    "magic_number", "protocol_version", "sys_info", "data.pkl", storageKeysRecord,
  ]
  /// The last pickle of a legacy file.
  package static let storageKeysRecord = "storage_keys"
}

extension Checkpoint {
  /// The archive of `torch.save` that holds the contents, or that held them before they were
  /// written to a safetensors file with a skeleton.
  package var archive: TorchArchiveDescription? {
    container as? TorchArchiveDescription ?? container?.origin as? TorchArchiveDescription
  }
}

extension Storage {
  /// The name of its record in an archive, without the prefix.
  package var recordName: String { TorchArchiveDescription.storagePrefix + key }
}

/// Facts about the writer of an archive, from its records (`caffe2/serialize/inline_container.cc`
/// and `torch/serialization.py` of PyTorch 1.6 to 2.15).
extension TorchArchiveDescription {
  /// The prefix of the names of storage records.
  package static let storagePrefix = "data/"
  /// The record with the byte order, from torch 2.1 on.
  package static let byteOrderRecord = "byteorder"
  /// The record with the alignment, from torch 2.7 on.
  package static let alignmentRecord = ".storage_alignment"
  /// The record with hashes of names and checksums, from torch 2.1 on.
  package static let serializationIDRecord = ".data/serialization_id"
  /// The record that lets readers compute the offsets of storages, from torch 2.7 on.
  package static let formatVersionRecord = ".format_version"

  /// The alignment of records in the archive, in bytes.
  ///
  /// It is 64 unless the archive says otherwise.
  package var alignment: Int {
    for case .other(Self.alignmentRecord, let bytes) in records {
      if let alignment = Int(String(decoding: bytes, as: UTF8.self)) { return alignment }
    }
    return foreignAlignment ?? 64
  }

  /// The torch versions that write archives with this layout.
  package var writer: String {
    if foreignAlignment != nil { return "repacked by another program" }
    if has(Self.formatVersionRecord) { return "torch 2.7 or later" }
    if has(Self.serializationIDRecord) { return "torch 2.1 to 2.6" }
    return "torch 1.6 to 2.0"
  }

  /// Whether the archive has a record with a name.
  package func has(_ name: String) -> Bool { records.contains { $0.name == name } }
}
