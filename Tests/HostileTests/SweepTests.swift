import Bytes
import HostileSupport
import Safetensors
import TestSupport
import Testing
import Torch

/// Every truncation and every flipped bit of a small file of each kind: the file is refused, or what
/// it now says survives a conversion there and back.
@Suite("Sweeps over whole files", .serialized)
struct SweepTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// The file, without its tensor data where the format has a checksum for that.
    let file: @Sendable () throws -> [UInt8]
    var testDescription: String { name }
  }

  private static let object: PickledValue = [
    "w": .tensor(.storage("HalfStorage", 3), [3]),
    "v": .tensor(.storage("HalfStorage", 3), [2], strides: [2]),
    "n": .tuple([1, 2.5, .none, true, .bytes([1]), [:]]),
  ]

  private static func archive(_ version: UInt8) -> [UInt8] {
    ZipBuilder.torch(pickle: object.pickle(protocol: version), storages: [[1, 2, 3, 4, 5, 6]])
      .bytes()
  }

  private static func safetensors(_ options: SafetensorsEncoder.Options) throws -> [UInt8] {
    try HostileFile.converted(archive(2), options: options)
  }

  static let cases = [
    Case(name: "an archive of torch.save, protocol 2") { archive(2) },
    Case(name: "an archive of torch.save, protocol 4") { archive(4) },
    Case(name: "safetensors with a skeleton") { try safetensors(.init()) },
    Case(name: "safetensors in OLMo's layout with a skeleton") {
      try safetensors(.init(layout: .olmo))
    },
    Case(name: "safetensors alone") {
      try safetensors(.init(includesSkeleton: false, allowsLoss: true))
    },
    Case(name: "safetensors in OLMo's layout") {
      try safetensors(.init(layout: .olmo, includesSkeleton: false, allowsLoss: true))
    },
  ]

  @Test("A file cut anywhere is refused", arguments: cases)
  func truncations(_ test: Case) throws {
    let bytes = try test.file()
    #expect(try HostileFile.check(bytes) == .survived)
    for count in stride(from: 0, to: bytes.count, by: Thoroughness.stride) {
      let outcome = try HostileFile.check(Array(bytes.prefix(count)))
      #expect(outcome != .survived, "cut at \(count)")
    }
  }

  @Test("A file with any bit flipped is refused or survives", arguments: cases)
  func flips(_ test: Case) throws {
    let bytes = try test.file()
    for bit in stride(from: 0, to: bytes.count * 8, by: Thoroughness.stride) {
      var mutant = bytes
      mutant[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: Never.self, "bit \(bit % 8) of byte \(bit / 8)") {
        try HostileFile.check(mutant)
      }
    }
  }
}
