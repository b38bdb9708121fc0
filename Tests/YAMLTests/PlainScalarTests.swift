import CkptBase
import Testing
import CkptYAML

/// The values of plain scalars in OmegaConf 2.3.0.
struct PlainScalarTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let text: String
    let value: YAMLScalar
    var testDescription: String { text.isEmpty ? "nothing" : text }
    init(_ text: String, _ value: YAMLScalar) {
      self.text = text
      self.value = value
    }
  }

  static let integers: [(String, Int)] = [
    ("0", 0), ("-0", 0), ("+1", 1), ("1_000", 1000), ("406_934", 406_934), ("1__0_", 10),
    ("017", 15), ("-017", -15), ("0_17", 15), ("00", 0), ("0_", 0), ("0x1F", 31), ("-0x_f", -15),
    ("0b101", 5), ("+0b1_1", 3), ("1:30", 90), ("-1:30", -90), ("12:30:45", 45045), ("1:5", 65),
    ("9223372036854775807", .max), ("-9223372036854775808", .min),
  ]
  static let numbers: [(String, Double)] = [
    ("1e-5", 1e-5), ("1e5", 1e5), ("1E3", 1e3), ("1.5E3", 1500), ("-1e-3", -1e-3), ("0.1e5", 1e4),
    ("5e12", 5e12), ("1.0e-5", 1e-5), ("1.e-6", 1e-6), ("1.5e+3", 1500), ("1.", 1), (".5", 0.5),
    (".5e+3", 500), ("1_000.5", 1000.5), ("1_000e3", 1e6), ("08.5", 8.5), ("08e2", 800),
    ("1._5", 1.5), ("1_.5e+1", 15), ("1:30.5", 90.5), ("0:30.", 30), ("-1:30.5", -90.5),
    ("1e999", .infinity), (".inf", .infinity), ("-.INF", -.infinity), ("+.Inf", .infinity),
    (".nan", .nan), (".NaN", .nan),
  ]
  static let texts = [
    "0o17", "08", "019", "inf", "nan", "-.nan", "None", "none", "y", "n", "tRue", "nULL", "1e",
    "e5",
    "1e+", "1.5.2", ".", "-.5", "+.5", "._5", ".5e3", "1_.5e1", "1__0e1", "1_e5", "0x", "0xg",
    "0b2",
    "0X1F", "0:30", "1:75", "1:2:345", "1-2", "2024-05-06", "2024-05-06 10:11:12", "4e12T",
    "amp_bf16", "${run_name}", "${oc.env:HOME,x}", "+", "--1", "1 000", "٣",
  ]
  static let others: [Case] = [
    Case("", .null), Case("~", .null), Case("null", .null), Case("Null", .null),
    Case("NULL", .null), Case("true", .bool(true)), Case("TRUE", .bool(true)),
    Case("yes", .bool(true)), Case("On", .bool(true)), Case("False", .bool(false)),
    Case("NO", .bool(false)), Case("off", .bool(false)),
  ]
  static let cases =
    integers.map { Case($0, .integer($1)) } + numbers.map { Case($0, .number($1)) }
    + texts.map { Case($0, .string($0)) } + others

  @Test("Text without quotes has the value that OmegaConf gives it", arguments: cases)
  func resolves(_ test: Case) throws {
    let document = try read("key: \(test.text)")
    #expect(document.mapping?["key"]?.scalar == test.value)
  }

  @Test("Quoted text is text", arguments: cases)
  func quoted(_ test: Case) throws {
    #expect(try read("key: '\(test.text)'") == ["key": YAMLValue(.string(test.text))])
    #expect(try read("key: \"\(test.text)\"") == ["key": YAMLValue(.string(test.text))])
  }

  @Test("What is written reads back as the same value", arguments: cases)
  func writes(_ test: Case) throws {
    let value: YAMLValue = ["value": YAMLValue(test.value), "text": YAMLValue(.string(test.text))]
    #expect(try read(written(value)) == value)
  }

  static let refusals = [
    ("9223372036854775808", CheckpointError.Code.limitExceeded), ("0x_", .malformed),
    ("0b_", .malformed), ("99999999999:59:59:59:59:59", .limitExceeded),
  ]

  @Test("Integers beyond 64 bits or without digits are refused", arguments: refusals)
  func refuses(text: String, code: CheckpointError.Code) {
    let error = #expect(throws: CheckpointError.self) { try read("a: 1\nb: \(text)") }
    #expect(error?.code == code)
    #expect(error?.path == ["line 2, column 4"])
  }
}
