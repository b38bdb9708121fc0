import CkptBase
import CkptTestSupport
import Glibc
import Testing

struct CheckpointErrorTests {
  @Test("An error is framed by file, entry and tensor, and by none of them twice")
  func framing() {
    let error = #expect(throws: CheckpointError.self) {
      try CheckpointError.within("model.pt") { () throws(CheckpointError) in
        try CheckpointError.within("model.pt") { () throws(CheckpointError) in
          try CheckpointError.within("data.pkl") { () throws(CheckpointError) in
            throw CheckpointError(.malformed, "found 1, expected 2", at: 0x1f3)
          }
        }
      }
    }
    #expect(error?.path == ["model.pt", "data.pkl"])
    #expect(error?.description == "model.pt: data.pkl: byte 0x1f3: found 1, expected 2")
  }

  @Test(
    "A failed system call names its file itself, so that the file's reader does not do so again")
  func systemErrors() throws {
    let directory = try TemporaryDirectory()
    let path = directory / "none"
    let error = #expect(throws: CheckpointError.self) {
      try CheckpointError.within(path) { () throws(CheckpointError) in
        try Syscalls.open(path, .read)
      }
    }
    #expect(error?.code == .inputOutput)
    #expect(error?.cause?.number == ENOENT)
    #expect(error?.description == "\(path): no such file or directory")
    #expect(CheckpointError(.inputOutput, "the file shrank").cause == nil)
  }

  struct Question: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let answer: @Sendable (SystemCode) -> Bool
    let numbers: [Int32]
  }

  static let questions = [
    Question(testDescription: "missing", answer: { $0.isMissing }, numbers: [ENOENT]),
    Question(testDescription: "no directory", answer: { $0.isNoDirectory }, numbers: [ENOTDIR]),
    Question(testDescription: "present", answer: { $0.isPresent }, numbers: [EEXIST]),
    Question(
      testDescription: "out of space", answer: { $0.isOutOfSpace }, numbers: [ENOSPC, EDQUOT]),
    Question(
      testDescription: "unsupported", answer: { $0.isUnsupported },
      numbers: [EOPNOTSUPP, ENOSYS, ENOLCK]),
    Question(testDescription: "broken pipe", answer: { $0.isBrokenPipe }, numbers: [EPIPE]),
  ]

  @Test("A reason answers to its own numbers and to no others", arguments: questions)
  func reasons(_ question: Question) {
    let found = (0..<200).filter { question.answer(SystemCode($0)) }
    #expect(found == question.numbers.sorted())
  }
}
