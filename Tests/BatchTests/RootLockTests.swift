import CkptBase
import CkptTestSupport
import Testing

@testable import CkptBatch

@Suite("One batch has a root, or the shards of one share it")
struct RootLockTests {
  private static func take(_ directory: TemporaryDirectory, _ shard: String?) throws -> RootLock {
    try RootLock(of: directory.path, in: directory.path, shard: shard.flatMap { Shard($0) })
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let held: String?
    let wanted: String?
    let isFree: Bool
    var testDescription: String { "\(wanted ?? "all") while \(held ?? "all") is held" }
  }

  static let cases = [
    Case(held: nil, wanted: nil, isFree: false),
    Case(held: nil, wanted: "1/2", isFree: false),
    Case(held: "1/2", wanted: nil, isFree: false),
    Case(held: "1/2", wanted: "1/2", isFree: false),
    Case(held: "1/2", wanted: "2/2", isFree: true),
    Case(held: "1/2", wanted: "2/3", isFree: false),
  ]

  @Test("The second is refused while the first runs, and free when it has ended", arguments: cases)
  func excludes(_ test: Case) throws {
    let directory = try TemporaryDirectory()
    var held: RootLock? = try Self.take(directory, test.held)
    if test.isFree {
      _ = try Self.take(directory, test.wanted)
    } else {
      let error = try #require(throws: CheckpointError.self) {
        _ = try Self.take(directory, test.wanted)
      }
      #expect(error.code == .inputOutput)
    }
    #expect(held?.warnings.isEmpty == true)
    held = nil
    _ = try Self.take(directory, test.wanted)
  }
}
