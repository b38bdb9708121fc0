public import CkptContainer
package import CkptGraph

/// The archive that a `.pt` file is, as it was found.
public struct TorchArchiveDescription: Sendable {
  /// A member of the archive.
  public enum Record: Sendable {
    /// The pickle; the graph stands for its bytes.
    case pickle(name: String)
    /// A storage of that many bytes.
    case storage(name: String, byteCount: Int)
    /// Anything else, with its bytes.
    case other(name: String, bytes: [UInt8])
    /// Anything else that is deflated, with its compressed bytes and its size once inflated.
    case compressed(name: String, bytes: [UInt8], byteCount: Int)

    /// The name without the prefix.
    public var name: String {
      switch self {
      case .pickle(let name), .storage(let name, _), .other(let name, _),
        .compressed(let name, _, _):
        name
      }
    }
  }

  /// Whether `torch.jit.save` wrote it.
  public var isTorchScript: Bool
  /// The directory inside the archive that holds all records.
  public var prefix: String
  /// The protocol of the pickle.
  public var pickleProtocol: Int
  /// The bytes of the pickle, where another pickler than CPython's may have written them.
  package var pickleBytes: [UInt8]?
  /// Whether numbers in storages have their most significant byte first.
  public var isBigEndian: Bool
  /// Whether the archive holds checksums of its records.
  public var hasChecksums: Bool
  /// What the places of records are a multiple of in an archive that another program than torch
  /// has packed, in bytes; `nil` for torch's own.
  public var foreignAlignment: Int?
  /// The members in their order, by names without the prefix.
  public var records: [Record]

  package init(
    isTorchScript: Bool, prefix: String, pickleProtocol: Int, isBigEndian: Bool,
    hasChecksums: Bool, foreignAlignment: Int? = nil, records: [Record]
  ) {
    self.isTorchScript = isTorchScript
    self.prefix = prefix
    self.pickleProtocol = pickleProtocol
    self.isBigEndian = isBigEndian
    self.hasChecksums = hasChecksums
    self.foreignAlignment = foreignAlignment
    self.records = records
  }
}

/// An archive as a container.
extension TorchArchiveDescription: ContainerDescription {
  /// `torch-zip` or `torchscript`.
  public var kind: String { isTorchScript ? "torchscript" : "torch-zip" }
  /// The program that wrote it, with its versions.
  public var title: String {
    "\(isTorchScript ? "TorchScript archive" : "archive of torch.save") (\(writer))"
  }
  /// Its writer and layout.
  public var facts: [ContainerFact] {
    [
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
  public var format: CheckpointFormat? { .torch }
  /// Yes: a pickle keeps objects.
  public var holdsObject: Bool { true }
}

extension Checkpoint {
  /// The archive of `torch.save` that the contents are in, or were in before they came to be in a
  /// safetensors file with a skeleton.
  public var archive: TorchArchiveDescription? {
    container as? TorchArchiveDescription ?? container?.origin as? TorchArchiveDescription
  }
}

extension Storage {
  /// The name of its record in an archive, without the prefix.
  package var recordName: String { TorchArchiveDescription.storagePrefix + key }
}

/// What the records say of the archive's writer (`caffe2/serialize/inline_container.cc` and
/// `torch/serialization.py` of PyTorch 1.6 to 2.15).
extension TorchArchiveDescription {
  /// What the names of storages' records begin with.
  package static let storagePrefix = "data/"
  /// Where torch keeps the order of bytes in numbers, from 2.1 on.
  package static let byteOrderRecord = "byteorder"
  /// Where torch keeps the alignment, from 2.7 on.
  package static let alignmentRecord = ".storage_alignment"
  /// Where torch keeps hashes of names and checksums, from 2.1 on.
  package static let serializationIDRecord = ".data/serialization_id"
  /// What makes readers trust that storages follow each other, from 2.7 on.
  package static let formatVersionRecord = ".format_version"

  /// The number that every record's place in the archive is a multiple of, in bytes.
  ///
  /// It is 64 unless the archive says otherwise.
  public var alignment: Int {
    for case .other(Self.alignmentRecord, let bytes) in records {
      if let alignment = Int(String(decoding: bytes, as: UTF8.self)) { return alignment }
    }
    return foreignAlignment ?? 64
  }

  /// The versions of the writer that lay out an archive like this.
  public var writer: String {
    if foreignAlignment != nil { return "repacked by another program" }
    if has(Self.formatVersionRecord) { return "torch 2.7 or later" }
    if has(Self.serializationIDRecord) { return "torch 2.1 to 2.6" }
    return "torch 1.6 to 2.0"
  }

  /// Whether there is a record of that name.
  package func has(_ name: String) -> Bool { records.contains { $0.name == name } }
}
