import CkptBase
import CkptGraph
import CkptTestSupport
import Testing
import CkptZip

/// Archives that PyTorch itself wrote.
@Suite("ZIP fixtures")
struct ZipFixtureTests {
  private func open(_ name: String) throws -> ZipDirectory {
    try ZipDirectory(reading: Fixture.open("torch-corpus/\(name)"))
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let file: String
    let prefix: String
    let records: [String]
    var testDescription: String { file }
  }

  /// An archive of torch 2.7 or later for one tensor.
  static let oneStorage = [
    "data.pkl", ".format_version", ".storage_alignment", "byteorder", "data/0", "version",
    ".data/serialization_id",
  ]

  static let cases = [
    Case(
      file: "torch-1.6.0/probe_float32.pt", prefix: "archive",
      records: ["data.pkl", "data/94246341210864", "version"]),
    Case(
      file: "torch-1.6.0/dotted.name.v1.pt", prefix: "archive",
      records: ["data.pkl", "data/94246341809200", "version"]),
    Case(
      file: "torch-1.6.0/torchscript.pt", prefix: "torchscript",
      records: [
        "data/0", "data/1", "data.pkl", "code/__torch__/torch/nn/modules/linear.py",
        "code/__torch__/torch/nn/modules/linear.py.debug_pkl",
        "code/__torch__/torch/nn/functional.py",
        "code/__torch__/torch/nn/functional.py.debug_pkl", "constants.pkl", "version",
      ]),
    Case(file: "torch-2.13.0/probe_float32.pt", prefix: "probe_float32", records: oneStorage),
    Case(file: "torch-2.13.0/dotted.name.v1.pt", prefix: "archive", records: oneStorage),
    Case(
      file: "torch-2.13.0/torchscript.pt", prefix: "torchscript",
      records: [
        "data/0", "data/1", "data.pkl", "code/__torch__/torch/nn/modules/linear.py",
        "code/__torch__/torch/nn/modules/linear.py.debug_pkl", "constants.pkl", "version",
        "byteorder", ".data/serialization_id",
      ]),
  ]

  @Test("Every record is listed, aligned to 64 bytes, and its checksum holds", arguments: cases)
  func records(_ test: Case) throws {
    let directory = try open(test.file)
    #expect(directory.entries.map(\.name) == test.records.map { "\(test.prefix)/\($0)" })
    #expect(directory.layout.hasZip64Record)
    #expect(directory.layout.hasTorchPadding)
    #expect(directory.layout.hasChecksums)
    #expect(directory.layout.dataAlignment % 64 == 0)
    for entry in directory.entries {
      let data = try directory.readRecord(entry, limit: Limits.smallRecordBytes)
      #expect(data.count == entry.byteCount)
    }
  }

  @Test(
    "TorchScript source is deflated",
    arguments: ["torch-1.6.0/torchscript.pt", "torch-2.13.0/torchscript.pt"])
  func torchScript(_ file: String) throws {
    let directory = try open(file)
    let source = try #require(
      directory.entry(named: "torchscript/code/__torch__/torch/nn/modules/linear.py"))
    #expect(source.encoding == .deflated)
    let text = String(
      decoding: try directory.readRecord(source, limit: Limits.smallRecordBytes), as: UTF8.self)
    #expect(text.hasPrefix("class Linear(Module):\n"))
    let version = try #require(directory.entry(named: "torchscript/version"))
    #expect(version.encoding == .stored)
  }

  @Test(
    "Over a thousand storages are listed and hold what they held", arguments: ["1.6.0", "2.13.0"])
  func many(_ version: String) throws {
    let directory = try open("torch-\(version)/many.pt")
    let storages = directory.entries.filter { $0.name.contains("/data/") && $0.byteCount == 8 }
    #expect(storages.count == 1203)
    #expect(directory.layout.dataAlignment == 64)
    let values = try storages.map { storage in
      let bytes = try directory.readRecord(storage, limit: 8)
      let low = UInt32(bytes[0]) | UInt32(bytes[1]) << 8 | UInt32(bytes[2]) << 16
      return Float(bitPattern: low | UInt32(bytes[3]) << 24)
    }
    #expect(Set(values) == Set((0..<1203).map(Float.init)))
  }
}
