import CkptCheckpoints
import CkptConvert
import CkptFormats
import Testing

@Suite("What a conversion leaves out is told before an input is removed")
struct ConversionOptionsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let format: CheckpointFormat
    let change: @Sendable (inout ConversionOptions) -> Void
  }

  static let cases = [
    Case(testDescription: "no skeleton", format: .safetensors) {
      $0.safetensors.includesSkeleton = false
    },
    Case(testDescription: "parameters keyed anew", format: .safetensors) {
      $0.optimizerNames = .fsdp
    },
    Case(testDescription: "a skeleton that is ignored", format: .torch) {
      $0.reading.ignoresSkeleton = true
    },
    Case(testDescription: "no metadata", format: .torch) { $0.keepsMetadata = false },
    Case(testDescription: "names that are nested", format: .torch) { $0.nestsNames = true },
    Case(testDescription: "another container", format: .torch) { $0.torchContainer = .zip },
  ]

  @Test("Outputs hold everything unless an option leaves something out", arguments: cases)
  func keepsEverything(_ test: Case) {
    var options = ConversionOptions(to: test.format)
    #expect(options.keepsEverything)
    test.change(&options)
    #expect(!options.keepsEverything)
  }
}
