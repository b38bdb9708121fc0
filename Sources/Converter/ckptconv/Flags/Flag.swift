/// A flag together with what it changes in the options of a command.
struct BoundFlag<Target>: Sendable {
  /// How a value of the flag changes the options; a switch is given the name it was called by.
  typealias Update = @Sendable (inout Target, String) throws(UsageError) -> Void

  /// A part of the options that a flag changes.
  typealias Property<Value> = any WritableKeyPath<Target, Value> & Sendable

  let flag: Flag
  let update: Update

  /// The same flag as part of a larger set of options.
  func lifted<Outer>(to part: BoundFlag<Outer>.Property<Target>) -> BoundFlag<Outer> {
    BoundFlag<Outer>(flag: flag) { outer, text throws(UsageError) in
      try update(&outer[keyPath: part], text)
    }
  }
}

/// A type whose cases are the words that a flag accepts.
protocol FlagChoice: CaseIterable, RawRepresentable<String>, Sendable {
  /// What the word stands for: lower case, no final stop.
  var meaning: String { get }
}

extension BoundFlag {
  /// A switch, which gives a property a fixed value.
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

  /// A flag whose value is the path of a file or directory.
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

  /// A flag whose value is a whole number of at least `minimum` and at most `maximum`.
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

  /// A flag whose value is text that `parse` makes something of.
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

  /// A flag whose value is a number that is not negative.
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

  /// A flag whose value is one of the words of `Choice`.
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
      guard let choice = Choice(rawValue: text) else {
        throw .badChoice(of: long, among: choices.map(\.name), found: text)
      }
      target[keyPath: property] = choice
    }
  }
}

/// A flag as people meet it: everything that help, the manual and the completions say of it.
struct Flag: Hashable, Sendable {
  /// What follows the name of a flag.
  enum Argument: Hashable, Sendable {
    /// Nothing: the flag is a switch.
    case none
    /// The path of a file or directory, shown under the given name.
    case path(String)
    /// Free text, shown under the given name.
    case text(String)
    /// One of a few words, shown under the given name.
    case choice(String, [Choice])
  }

  /// One of the words that a flag accepts.
  struct Choice: Hashable, Sendable {
    let name: String
    let meaning: String
  }

  /// The heading that a flag stands under in the manual.
  enum Section: String, CaseIterable, Sendable {
    case batch = "Batch"
    case output = "Output"
    case content = "Content"
    case safety = "Safety"
    case listing = "Listing"
    case everywhere = "Everywhere"
    case program = "Without a command"
  }

  /// The name after `--`.
  let long: String
  /// The letter after `-`, where there is one.
  let short: Character?
  let argument: Argument
  let section: Section
  /// One line for `-h`: lower case, no final stop.
  let summary: String
  /// Paragraphs for the manual, in the markup of ``Document``.
  let manual: String

  /// The name that stands for the value in help; `nil` for a switch.
  var valueName: String? {
    switch argument {
    case .none: nil
    case .path(let name), .text(let name), .choice(let name, _): name
    }
  }

  /// The words that the flag accepts, where there are only a few.
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
