import Testing
import CkptYAML

struct YAMLWriterTests {
  @Test("A document looks as OmegaConf writes it")
  func layout() throws {
    let value: YAMLValue = [
      "run_name": "${oc.env:NAME,x}",
      "seed": 6198,
      "model": ["clip_qkv": YAMLValue(.null), "layer_norm_eps": 1e-6, "rope": true, "std": 0.02],
      "paths": ["a", ["b", "c"], ["d": 1.0]],
      "none": [],
      "empty": [:],
    ]
    #expect(
      try written(value) == """
        run_name: ${oc.env:NAME,x}
        seed: 6198
        model:
          clip_qkv: null
          layer_norm_eps: 1.0e-06
          rope: true
          std: 0.02
        paths:
        - a
        - - b
          - c
        - d: 1.0
        none: []
        empty: {}

        """)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let value: YAMLScalar
    let text: String
    var testDescription: String { text }
    init(_ value: YAMLScalar, _ text: String) {
      self.value = value
      self.text = text
    }
  }

  static let cases = [
    Case(.null, "null"), Case(.bool(false), "false"), Case(.integer(-5), "-5"),
    Case(.number(1e16), "1.0e+16"), Case(.number(2e13), "20000000000000.0"),
    Case(.number(1.5e-7), "1.5e-07"), Case(.number(.infinity), ".inf"),
    Case(.number(-.infinity), "-.inf"), Case(.number(.nan), ".nan"), Case(.number(-0.0), "-0.0"),
    Case(.string(""), "''"), Case(.string("a b"), "a b"), Case(.string("a: b"), "'a: b'"),
    Case(.string("a #b"), "'a #b'"), Case(.string("it's"), "it's"), Case(.string("'x"), "'''x'"),
    Case(.string("true"), "'true'"), Case(.string("off"), "'off'"), Case(.string("~"), "'~'"),
    Case(.string("1e-5"), "'1e-5'"), Case(.string("1_000"), "'1_000'"),
    Case(.string("12:30"), "'12:30'"), Case(.string("2024-05-06"), "'2024-05-06'"),
    Case(.string("0x_"), "'0x_'"), Case(.string("="), "'='"), Case(.string("<<"), "'<<'"),
    Case(.string("[a"), "'[a'"), Case(.string("*a"), "'*a'"), Case(.string("4e12T"), "4e12T"),
    Case(.string("\u{7}"), #""\a""#), Case(.string("é"), "é"), Case(.string("a\nb"), "'a\n\n  b'"),
  ]

  @Test("Scalars are quoted only where that is needed, as PyYAML does", arguments: cases)
  func quotes(_ test: Case) throws {
    let value: YAMLValue = ["key": YAMLValue(test.value)]
    #expect(try written(value) == "key: \(test.text)\n")
    #expect(try read(written(value)) == value)
  }

  @Test("Setting a value keeps the order, removing one closes the gap")
  func edits() throws {
    var mapping = try #require(try read("a: 1\nb: 2\nc: 3\n").mapping)
    mapping["a"] = 4
    mapping["b"] = nil
    mapping["d"] = "x"
    #expect(YAMLValue(.mapping(mapping)) == ["a": 4, "c": 3, "d": "x"])
    #expect(mapping["c"] == 3)
  }
}
