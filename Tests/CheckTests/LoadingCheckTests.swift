import CkptBase
import CkptCheck
import CkptTestSupport
import Testing

@testable import CkptCheck

@Suite("Whether a program loads a checkpoint, and why not")
struct LoadingCheckTests {
  private static func check(
    for target: LoadTarget, _ spoil: (inout CheckScene) throws -> Void = { _ in }
  ) throws -> (lines: [String], CheckpointCheck) {
    var scene = try CheckScene()
    try spoil(&scene)
    var options = CheckOptions()
    options.consumer = target
    return try scene.check(options)
  }

  @Test(
    "OLMo's trainer and torch.load load a sound checkpoint",
    arguments: [
      LoadTarget.olmo, .torch,
    ])
  func loads(_ target: LoadTarget) throws {
    let (lines, check) = try Self.check(for: target)
    #expect(lines == [])
    #expect(check.loads == true)
  }

  @Test("transformers loads no checkpoint of OLMo's trainer")
  func transformers() throws {
    let (lines, check) = try Self.check(for: .huggingFace)
    #expect(lines.count == 1)
    #expect(lines[0].contains("transformers cannot read a checkpoint of OLMo's trainer"))
    #expect(check.loads == false)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let target: LoadTarget
    let words: String
    let spoil: @Sendable (inout CheckScene) throws -> Void
  }

  static let cases = [
    Case(
      testDescription: "a directory whose name has no mark", target: .olmo,
      words: "only by its directory name"
    ) { $0.name = "step1000" },
    Case(
      testDescription: "names with a wrapper that the trainer does not take out", target: .olmo,
      words: "contains the name of a wrapper"
    ) { scene in
      scene.tensors = scene.tensors.map { ("_orig_mod.\($0.name)", $0.shape) }
    },
    Case(
      testDescription: "a global that is not on the list", target: .torch,
      words: "not on the list of safe ones: 'fractions.Fraction'"
    ) {
      $0.trainer = [
        "global_step": 1000, "x": .call(.global("fractions", "Fraction"), ["1/2"]),
      ]
    },
    Case(
      testDescription: "an int of more than 255 bytes", target: .torch,
      words: "an int of more than 255 bytes"
    ) {
      let long: [UInt8] = [0x8b] + littleEndian(UInt32(300)) + [UInt8](repeating: 1, count: 300)
      $0.trainer = ["global_step": 1000, "x": .operations(long)]
    },
    Case(
      testDescription: "bytes before the archive", target: .torch,
      words: "expects the archive at the start of the file"
    ) { $0.files["model.pt"] = [0, 1, 2, 3] + $0.model },
  ]

  @Test("What a program refuses is told", arguments: cases)
  func refuses(_ test: Case) throws {
    let (lines, check) = try Self.check(for: test.target, test.spoil)
    let loading = lines.filter { $0.hasPrefix("problem loading") }
    #expect(loading.count == 1, "\(lines)")
    #expect(loading.first?.contains(test.words) == true)
    #expect(check.loads == false)
  }

  static let allowed = [
    "collections.OrderedDict", "torch.FloatStorage", "torch.BoolTensor", "torch.bfloat16",
    "torch.int4", "torch.cuda.HalfStorage", "torch.cuda.FloatTensor", "torch.sparse.FloatTensor",
    "torch._utils._rebuild_tensor_v2", "torch.per_tensor_affine", "builtins.set",
  ]
  static let refused = [
    "os.system", "builtins.eval", "torch.load", "torch.sparse.BoolTensor",
    "torch.cuda.QInt8Storage",
    "torch._utils._rebuild_anything", "fractions.Fraction", "OrderedDict", "", "torch.",
    "numpy.core.multiarray.scalar",
  ]

  @Test("The list of torch.load has what it has", arguments: allowed)
  func allows(_ name: String) { #expect(WeightsOnlyPolicy.allows(name)) }

  @Test("The list of torch.load has nothing else", arguments: refused)
  func doesNotAllow(_ name: String) { #expect(!WeightsOnlyPolicy.allows(name)) }
}
