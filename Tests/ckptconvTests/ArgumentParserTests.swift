import CkptConvert
import Testing

@testable import ckptconv

@Suite("Arguments are read in every spelling that people know")
struct ArgumentParserTests {
  /// Options with one flag of each kind.
  struct Options: Equatable {
    var path = Destination.besideInput
    var number: Int?
    var color: ColorChoice?
    var isForced = false
    var isQuiet = false

    static let flags: [BoundFlag<Options>] = [
      .destination(
        "output", short: "o", "PATH", \.path, in: .output, "path", manual: ""),
      .number("limit", short: "n", "N", \.number, atLeast: 1, in: .output, "number", manual: ""),
      .choice("color", "WHEN", \.color, in: .output, "choice", manual: ""),
      .toggle("force", short: "f", \.isForced, in: .output, "switch", manual: ""),
      .toggle("quiet", short: "q", \.isQuiet, in: .output, "switch", manual: ""),
    ]
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    let options: Options
    let operands: [String]

    init(_ arguments: String..., gives options: Options, _ operands: String...) {
      self.arguments = arguments
      self.options = options
      self.operands = operands
    }

    var testDescription: String { arguments.joined(separator: " ") }
  }

  static let cases = [
    Case(gives: Options()),
    Case("a", "b", gives: Options(), "a", "b"),
    Case("--output", "x", gives: Options(path: .path("x"))),
    Case("--output=x", gives: Options(path: .path("x"))),
    Case("--output=x=y", gives: Options(path: .path("x=y"))),
    Case("--output=-x", gives: Options(path: .path("-x"))),
    Case("-o", "x", gives: Options(path: .path("x"))),
    Case("-ox", gives: Options(path: .path("x"))),
    Case("-o=x", gives: Options(path: .path("x"))),
    Case("-o", "-", gives: Options(path: .standardOutput)),
    Case("-fo", "x", gives: Options(path: .path("x"), isForced: true)),
    Case("-fqox", gives: Options(path: .path("x"), isForced: true, isQuiet: true)),
    Case("-ofq", gives: Options(path: .path("fq"))),
    Case("--limit", "12", gives: Options(number: 12)),
    Case("--color", "never", gives: Options(color: .never)),
    Case("--force", "--force", gives: Options(isForced: true)),
    Case("-o", "x", "--output", "x", gives: Options(path: .path("x"))),
    Case("-", gives: Options(), "-"),
    Case("a", "--force", "b", gives: Options(isForced: true), "a", "b"),
    Case("--", "--force", "-o", gives: Options(), "--force", "-o"),
    Case("a", "--", "--", gives: Options(), "a", "--"),
    Case("ünï cödé", gives: Options(), "ünï cödé"),
    Case("", gives: Options(), ""),
  ]

  @Test("Flags and operands are told apart", arguments: cases)
  func readsArguments(_ test: Case) throws {
    var options = Options()
    let operands = try Self.parse(test.arguments, &options)
    #expect(options == test.options)
    #expect(operands == test.operands)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    let message: String
    let hint: String?

    init(_ arguments: String..., says message: String, hint: String? = nil) {
      self.arguments = arguments
      self.message = message
      self.hint = hint
    }

    var testDescription: String { arguments.joined(separator: " ") }
  }

  static let refusals = [
    Refusal("--outptu", says: "unknown flag --outptu", hint: "did you mean --output?"),
    Refusal("--zzz", says: "unknown flag --zzz"),
    Refusal("-x", says: "unknown flag -x"),
    Refusal("-fx", says: "unknown flag -x"),
    Refusal("-ƒ", says: "unknown flag -ƒ"),
    Refusal("--force=yes", says: "--force takes no value, found 'yes'"),
    Refusal("--force=", says: "--force takes no value, found ''"),
    Refusal("--output", says: "--output needs a value, PATH"),
    Refusal("-o", says: "--output needs a value, PATH"),
    Refusal("--output=", says: "--output needs a path, found ''"),
    Refusal(
      "--output", "--force", says: "--output needs a value, PATH, but '--force' looks like a flag",
      hint: "write --output=--force if it is the value"),
    Refusal(
      "-ox", "-oy", says: "--output is given twice, 'x' and 'y'", hint: "give it once"),
    Refusal("--limit", "0", says: "--limit needs a whole number of at least 1, found '0'"),
    Refusal("--limit", "ten", says: "--limit needs a whole number of at least 1, found 'ten'"),
    Refusal(
      "--limit", "99999999999999999999",
      says: "--limit needs a whole number of at least 1, found '99999999999999999999'"),
    Refusal(
      "--color", "nevre", says: "--color must be auto, always or never, found 'nevre'",
      hint: "did you mean never?"),
    Refusal("--color=", says: "--color must be auto, always or never, found ''"),
  ]

  @Test("What cannot be read is explained", arguments: refusals)
  func refusesArguments(_ test: Refusal) throws {
    let error = try #require(throws: UsageError.self) {
      var options = Options()
      _ = try Self.parse(test.arguments, &options)
    }
    #expect(error.message == test.message)
    #expect(error.hint == test.hint)
  }

  private static func parse(
    _ arguments: [String], _ options: inout Options
  ) throws(UsageError) -> [String] {
    var parser = ArgumentParser(arguments[...], flags: Options.flags)
    var operands: [String] = []
    while let operand = try parser.nextOperand(&options) { operands.append(operand) }
    return operands
  }
}
