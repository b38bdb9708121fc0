internal import CkptBase
internal import CkptContainer
internal import CkptFormats
internal import CkptLegacy
internal import CkptPickle
internal import CkptZip

/// Looks into one file, and into all that is packed inside, for pickles.
///
/// Each file is taken for everything that it can be to a loader: a file can begin as a pickle or a
/// safetensors file and end as a ZIP archive. A part that is not looked at becomes a finding, so that
/// no finding means that every byte is accounted for.
struct FileScanner {
  /// A file, or bytes inside of one.
  struct Item {
    let source: any ByteSource
    /// The entries and values that lead to it.
    let place: [String]
    /// The number of archives and pickles around it.
    let depth: Int

    init(_ source: any ByteSource, at place: [String] = [], depth: Int = 0) {
      self.source = source
      self.place = place
      self.depth = depth
    }

    /// Returns something packed inside of it.
    func inner(_ source: any ByteSource, _ name: String) -> Item {
      Item(source, at: place + [name], depth: depth + 1)
    }
  }

  /// The knowledge of bytes before they are looked at.
  enum Expectation {
    /// They are a pickle, and broken if they are not.
    case pickle
    /// They begin with a pickle, and nothing says where it ends.
    case pickleStart
    /// They can be anything.
    case anything
    /// They are the data of a tensor.
    case tensor
  }

  /// The maximum number of archives and pickles around something that is looked at.
  private static let depthLimit = 16
  /// The maximum number of bytes to decompress and to read twice for each byte of the file: entries
  /// can share their data, and data can decompress to a thousand times its size.
  private static let readingRatio = 16
  private static let readingAtLeast = 256 << 20

  /// The findings, in the order of discovery.
  var findings: [ScanFinding] = []
  /// The number of pickles.
  var pickleCount = 0
  /// The number of bytes that may still be decompressed.
  var budget: Int

  private let name: String

  init(_ source: any ByteSource) {
    name = source.name
    budget = max(Self.readingAtLeast, source.byteCount / 4 * Self.readingRatio)
  }

  /// Looks into an item; returns the kind of file that it is, for people.
  @discardableResult
  mutating func scan(
    _ item: Item, _ expectation: Expectation = .anything
  ) throws(CheckpointError) -> String {
    guard item.depth <= Self.depthLimit else {
      note(.unread, at: item, "archives and pickles are nested deeper than \(Self.depthLimit)")
      return ""
    }
    var look = try SourceLook(at: item.source)
    let kind = try FileKind.sniff(&look)
    let isPickle = item.depth == 0 && PickleSignature.hasProtocol(look.head[...])
    var formats: [String] = []
    if let format = try scanPickles(item, isPickle ? .pickle : expectation) {
      formats.append(format)
    }
    var members: [Range<Int>] = []
    if expectation != .tensor {
      if TarArchive.hasHeader(look.head) {
        members = try scanTar(item)
        formats.append("tar archive")
      } else if let format = try scan(item, as: kind, look) {
        formats.append(format)
      }
    }
    if item.depth == 0 || look.beginsLikeArchive {
      let end = try look.archiveEnd()
      if end.isPresent {
        let isAlone = formats.isEmpty && kind == .zip
        if let format = try scanArchive(item, at: end, isAlone: isAlone, outside: members) {
          formats.append(format)
        }
      } else if kind == .truncatedZip, expectation != .tensor {
        try scanBrokenArchive(item)
        formats.append("ZIP archive without its end")
      }
    }
    return formats.isEmpty ? kind.words : formats.joined(separator: " and ")
  }

  /// Looks into an item as a file of a kind other than a pickle or a ZIP archive; returns what it is,
  /// or `nil` if it has to be looked at as something else.
  private mutating func scan(
    _ item: Item, as kind: FileKind, _ look: SourceLook
  ) throws(CheckpointError) -> String? {
    switch kind {
    case .safetensors: try scanSafetensors(item, look)
    case .foreign(.numPy): try scanArray(item, look.head)
    case .compressed(format: "gzip", _): try scanCompressed(item)
    case .compressed(let format, let opener):
      note(
        .unread, at: item, "compressed with \(format); unpack it ('\(opener)') and scan the result")
    case .foreign(.hdf5):
      note(.unread, at: item, "an HDF5 file, which is not looked into: Keras keeps code in some")
    case .gitLFSPointer:
      note(.unread, at: item, "a git-lfs pointer: the file itself is not here; run 'git lfs pull'")
    default: return nil
    }
    return kind.words
  }

  // MARK: Notes

  /// Records a finding about something other than a global.
  mutating func note(
    _ severity: ScanFinding.Severity, at item: Item, offset: Int? = nil, _ message: String
  ) {
    findings.append(ScanFinding(severity, at: item.place, offset: offset, message))
  }

  /// Records what keeps a part of an item from being read.
  mutating func note(_ fault: CheckpointError, at item: Item) {
    let severity = fault.code == .limitExceeded ? ScanFinding.Severity.unread : .broken
    let inner = fault.path.filter { $0 != name && $0 != item.source.name }
    findings.append(
      ScanFinding(severity, at: item.place + inner, offset: fault.offset, fault.message))
  }
}

extension FileKind {
  /// The kind in words, for people.
  fileprivate var words: String {
    switch self {
    case .safetensors: "safetensors"
    case .legacyTorch: "pickles of PyTorch before 1.6"
    case .tar, .torchTar: "tar archive"
    case .compressed(let format, _): "\(format) file"
    case .foreign(let format): "\(format.name) file"
    case .html: "web page"
    case .storageError: "error message of an object store"
    case .gitLFSPointer: "git-lfs pointer"
    case .json: "JSON text"
    case .text: "text"
    case .empty: "empty file"
    case .zeros: "zero bytes"
    default: "file of another kind"
    }
  }
}
