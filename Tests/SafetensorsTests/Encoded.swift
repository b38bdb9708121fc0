import CkptBase
import CkptCopy
import CkptContainer
import CkptGraph
import CkptPlan
import CkptSafetensors
import Synchronization
import CkptTestSupport
import CkptTorch

/// A checkpoint that a test writes down, and the safetensors file that becomes of it.
struct Encoded {
  /// The plan and what it came with.
  let encoding: EncodedFile
  /// The file.
  let bytes: [UInt8]

  init(
    _ object: PickledValue, storages: [[UInt8]] = [], bigEndian: Bool = false,
    _ options: SafetensorsOptions = .init()
  ) throws {
    encoding = try Self.encode(object, storages: storages, bigEndian: bigEndian, options)
    let destination = MemoryDestination()
    try CopyEngine(threadCount: 1).run(encoding.plan, into: destination)
    bytes = destination.bytes
  }

  /// The plan of the file, nothing of which is carried out.
  static func encode(
    _ object: PickledValue, storages: [[UInt8]] = [], bigEndian: Bool = false,
    _ options: SafetensorsOptions
  ) throws -> EncodedFile {
    var archive = ZipBuilder.torch(pickle: object.pickle(), storages: storages)
    if bigEndian { archive.records[3] = .init("archive/byteorder", Array("big".utf8)) }
    let checkpoint = try TorchReader.read(TemporaryFile.holding(archive.bytes()))
    return try SafetensorsEncoder.encode(checkpoint, options: options)
  }

  /// The header's text, without padding.
  var header: String {
    let count = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let text = String(decoding: bytes[8..<8 + count], as: UTF8.self)
    return String(text.reversed().drop { $0 == " " }.reversed())
  }

  /// The bytes behind the header.
  var data: [UInt8] {
    let count = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    return Array(bytes[(8 + count)...])
  }

  /// The metadata, as the reader finds it.
  func metadata() throws -> [(key: String, value: String)] {
    let checkpoint = try SafetensorsReader.read(
      TemporaryFile.holding(bytes), ReadingOptions(ignoresSkeleton: true))
    return checkpoint.container?.metadata ?? []
  }

  /// The names of the tensors in the order of their data, as the reader finds them.
  func names() throws -> [String] {
    let graph = try SafetensorsReader.read(
      TemporaryFile.holding(bytes), ReadingOptions(ignoresSkeleton: true)
    ).graph
    return graph.storages.map(\.key)
  }
}

extension SafetensorsOptions {
  /// The options for `--no-skeleton`.
  static var bare: Self { .init(includesSkeleton: false) }
}

/// Bytes in memory instead of a file.
private final class MemoryDestination: CopyDestination {
  private let content = Mutex<[UInt8]>([])

  var bytes: [UInt8] { content.withLock { $0 } }
  var isSequential: Bool { true }
  var scratchDirectory: String { "/tmp" }

  func prepare(byteCount: Int) {}

  func write(_ bytes: RawSpan, at offset: Int) {
    content.withLock { content in
      precondition(content.count == offset)
      for index in bytes.byteOffsets {
        content.append(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
      }
    }
  }
}
