import CkptBase
import CkptCheckpoints
import CkptCopy
import CkptFormats
import CkptPlan
import CkptSkeleton
import CkptTestSupport
import Testing

@testable import CkptConvert

@Suite("Outputs are verified before they have a name")
struct OutputVerificationTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var includesSkeleton = true
    /// The byte from the end of the file that is changed.
    var flipped: Int?
    var message: String?
  }

  static let cases = [
    Case(testDescription: "what was to be written"),
    Case(testDescription: "what was to be written without a skeleton", includesSkeleton: false),
    Case(
      testDescription: "a flipped bit", flipped: 1,
      message: "the output differs from the input: 'w' differs in bytes: "
        + "element [3] is 3 (0x03) became 2 (0x02)"),
    Case(
      testDescription: "a flipped bit without a skeleton", includesSkeleton: false, flipped: 1,
      message: "the output differs from the input: the bytes differ"),
  ]

  @Test("A file that is not what was read is refused", arguments: cases)
  func verifies(_ test: Case) throws {
    let directory = try TemporaryDirectory()
    let object: PickledValue = ["w": .tensor(.storage("ByteStorage", 4), [4])]
    try directory.write(
      ZipBuilder.torch(pickle: object.pickle(), storages: [[0, 1, 2, 3]]).bytes(), to: "a.pt")
    var options = ConversionOptions(to: .safetensors)
    options.safetensors.includesSkeleton = test.includesSkeleton
    let item = try #require(
      PreparedOutput.outputs(
        of: .init(
          source: directory / "a.pt", target: .file(directory / "a.safetensors"),
          action: .encodeSafetensors(.plain)), options
      ).first)
    let output = try StagedOutput(path: directory / "a.safetensors")
    try CopyEngine(threadCount: 1).run(item.plan, into: output)
    if let place = test.flipped {
      let wrong: [UInt8] = [2]
      try output.write(wrong.span.bytes, at: item.plan.byteCount - place)
    }
    do throws(CheckpointError) {
      try OutputVerification.require(item, in: output.makeSource(), budget: CopyBudget(threads: 1))
      { _, _ in }
      #expect(test.message == nil)
    } catch {
      #expect(error.code == .conflict)
      #expect(error.message == test.message)
    }
  }
}
