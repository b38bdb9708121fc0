import CkptBase
import Testing

@testable import ckptconv

@Suite("The exit status follows one rule")
struct ExitCodeTests {
  @Test("The codes are those that scripts rely on")
  func codes() {
    #expect(ExitCode.allCases.map(\.rawValue) == [0, 1, 64, 65, 74])
    #expect(Set(ExitCode.bySeverity) == Set(ExitCode.allCases))
    let missing = CheckpointError(call: "open", path: "x", errno: 2)
    #expect(ExitCode(missing) == .inputOutput)
    let codes: [CheckpointError.Code] = [
      .truncated, .malformed, .checksumMismatch, .unsupported, .forbidden, .limitExceeded, .lossy,
      .conflict,
    ]
    for code in codes { #expect(ExitCode(CheckpointError(code, "")) == .badInput) }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let codes: [ExitCode]
    let status: ExitCode

    init(_ codes: ExitCode..., gives status: ExitCode) {
      (self.codes, self.status) = (codes, status)
    }

    var testDescription: String { "\(codes) is \(status)" }
  }

  static let cases = [
    Case(gives: .done),
    Case(.done, .done, gives: .done),
    Case(.done, .badInput, .done, gives: .badInput),
    Case(.badInput, .inputOutput, gives: .inputOutput),
    Case(.badInput, .difference, gives: .difference),
    Case(.inputOutput, .difference, .badInput, gives: .difference),
    Case(.difference, .usage, gives: .usage),
  ]

  @Test("Of several results the most severe counts, in any order", arguments: cases)
  func merges(_ test: Case) {
    for codes in [test.codes, test.codes.reversed()] {
      var status = ExitCode.done
      for code in codes { status.merge(code) }
      #expect(status == test.status)
    }
  }

  @Test("What was found counts more than what could not be looked at")
  func combinesFindingsAndFailures() {
    let failures = [CheckpointError(.malformed, "")]
    #expect(ExitCode(found: true, failures: failures) == .difference)
    #expect(ExitCode(found: false, failures: failures) == .badInput)
    #expect(ExitCode(found: false, failures: []) == .done)
  }
}
