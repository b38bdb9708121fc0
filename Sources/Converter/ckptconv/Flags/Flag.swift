/// A flag and its effect on the options of a command.
struct BoundFlag<Target>: Sendable {
  /// A function that applies a value of the flag to the options.
  ///
  /// A switch gets its own name.
  typealias Update = @Sendable (inout Target, String) throws(UsageError) -> Void

  /// A property of the options that a flag changes.
  typealias Property<Value> = any WritableKeyPath<Target, Value> & Sendable

  let flag: Flag
  let update: Update

  /// Returns the same flag for a larger set of options that contains this one.
  func lifted<Outer>(to part: BoundFlag<Outer>.Property<Target>) -> BoundFlag<Outer> {
    BoundFlag<Outer>(flag: flag) { outer, text throws(UsageError) in
      try update(&outer[keyPath: part], text)
    }
  }
}

/// A type whose cases are the values of a flag.
protocol FlagChoice: CaseIterable, RawRepresentable<String>, Sendable {
  /// The meaning of the value: lower case, no final stop.
  var meaning: String { get }
  /// Creates the value for a word of the command line; `nil` for an unknown word.
  init?(word: String)
}

extension FlagChoice {
  /// Creates the value with that name.
  init?(word: String) { self.init(rawValue: word) }
}

extension BoundFlag {
  /// Returns a switch, which sets a property to a fixed value.
  static func toggle(
    _ long: String, short: Character? = nil,
    _ property: Property<Bool>, to value: Bool = true,
    in section: Flag.Section, _ summary: String, manual: String
  ) -> Self {
    BoundFlag(
      flag: Flag(
        long: long, short: short, argument: .none, section: section, summary: summary,
        manual: manual)
    ) { target, _ in target[keyPath: property] = value }
  }

  /// Returns a flag with the path of a file or directory as its value.
  static func path(
    _ long: String, short: Character? = nil, _ valueName: String,
    _ property: Property<String?>,
    in section: Flag.Section, _ summary: String, manual: String
  ) -> Self {
    BoundFlag(
      flag: Flag(
        long: long, short: short, argument: .path(valueName), section: section, summary: summary,
        manual: manual)
    ) { target, text throws(UsageError) in
      guard !text.isEmpty, text != "-" else {
        throw .badValue(of: long, needs: "a path", found: text)
      }
      target[keyPath: property] = text
    }
  }

  /// Returns a flag with a whole number from `minimum` to `maximum` as its value.
  static func number(
    _ long: String, short: Character? = nil, _ valueName: String,
    _ property: Property<Int?>,
    atLeast minimum: Int, atMost maximum: Int? = nil,
    in section: Flag.Section, _ summary: String, manual: String
  ) -> Self {
    BoundFlag(
      flag: Flag(
        long: long, short: short, argument: .text(valueName), section: section, summary: summary,
        manual: manual)
    ) { target, text throws(UsageError) in
      guard let number = Int(text), number >= minimum, number <= maximum ?? .max else {
        let range = maximum.map { "from \(minimum) to \($0)" } ?? "of at least \(minimum)"
        throw .badValue(of: long, needs: "a whole number \(range)", found: text)
      }
      target[keyPath: property] = number
    }
  }

  /// Returns a flag with text as its value, which `parse` converts.
  static func text<Value>(
    _ long: String, _ valueName: String, _ property: Property<Value?>, needs: String,
    in section: Flag.Section, _ summary: String, manual: String,
    _ parse: @escaping @Sendable (String) -> Value?
  ) -> Self {
    BoundFlag(
      flag: Flag(
        long: long, short: nil, argument: .text(valueName), section: section, summary: summary,
        manual: manual)
    ) { target, text throws(UsageError) in
      guard let value = parse(text) else { throw .badValue(of: long, needs: needs, found: text) }
      target[keyPath: property] = value
    }
  }

  /// Returns a flag with a non-negative number as its value.
  static func decimal(
    _ long: String, _ valueName: String, _ property: Property<Double?>,
    in section: Flag.Section, _ summary: String, manual: String
  ) -> Self {
    BoundFlag(
      flag: Flag(
        long: long, short: nil, argument: .text(valueName), section: section, summary: summary,
        manual: manual)
    ) { target, text throws(UsageError) in
      guard let number = Double(text), number.isFinite, number >= 0 else {
        throw .badValue(of: long, needs: "a number such as 0.001 or 1e-6", found: text)
      }
      target[keyPath: property] = number
    }
  }

  /// Returns a flag with one of the cases of `Choice` as its value.
  static func choice<Choice: FlagChoice>(
    _ long: String, short: Character? = nil, _ valueName: String,
    _ property: Property<Choice?>,
    in section: Flag.Section, _ summary: String, manual: String
  ) -> Self {
    let choices = Choice.allCases.map { Flag.Choice(name: $0.rawValue, meaning: $0.meaning) }
    return BoundFlag(
      flag: Flag(
        long: long, short: short, argument: .choice(valueName, choices), section: section,
        summary: summary, manual: manual)
    ) { target, text throws(UsageError) in
      guard let choice = Choice(word: text) else {
        throw .badChoice(of: long, among: choices.map(\.name), found: text)
      }
      target[keyPath: property] = choice
    }
  }
}

/// A flag as help, the manual and the completions show it.
struct Flag: Hashable, Sendable {
  /// The value of a flag.
  enum Argument: Hashable, Sendable {
    /// No value: the flag is a switch.
    case none
    /// A path of a file or directory, with its name in help.
    case path(String)
    /// Any text, with its name in help.
    case text(String)
    /// One of a few words, with its name in help.
    case choice(String, [Choice])
  }

  /// One of the words that a flag accepts.
  struct Choice: Hashable, Sendable {
    let name: String
    let meaning: String
  }

  /// The heading of a group of flags in the manual.
  enum Section: String, CaseIterable, Sendable {
    case batch = "Batch"
    case output = "Output"
    case content = "Content"
    case selection = "Selection"
    case safety = "Safety"
    case listing = "Listing"
    case everywhere = "Everywhere"
    case program = "Without a command"
  }

  /// The name after `--`.
  let long: String
  /// The letter after `-`, if there is one.
  let short: Character?
  let argument: Argument
  let section: Section
  /// One line for `-h`: lower case, no final stop.
  let summary: String
  /// Paragraphs for the manual, in the markup of ``Document``.
  let manual: String

  /// The name of the value in help; `nil` for a switch.
  var valueName: String? {
    switch argument {
    case .none: nil
    case .path(let name), .text(let name), .choice(let name, _): name
    }
  }

  /// The words that the flag accepts; empty for other values.
  var choices: [Choice] {
    guard case .choice(_, let choices) = argument else { return [] }
    return choices
  }

  /// `-o, --output PATH`.
  var term: String {
    let letter = short.map { "-\($0), " } ?? ""
    let value = valueName.map { " \($0)" } ?? ""
    return "\(letter)--\(long)\(value)"
  }

  /// Whether `name` is one of the flag's names, with its dashes.
  func isCalled(_ name: String) -> Bool {
    name == "--\(long)" || short.map { name == "-\($0)" } ?? false
  }
}
