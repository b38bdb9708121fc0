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
