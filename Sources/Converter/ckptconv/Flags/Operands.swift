/// The arguments of a command that are not flags.
struct Operands: Hashable, Sendable {
  /// How they stand in a usage line.
  let usage: String
  let minimum: Int
  /// The largest number; `nil` where there is none.
  let maximum: Int?
  /// Whether they are paths, for the completions.
  let arePaths: Bool

  /// One or more input files or directories.
  static let inputs = Operands(usage: "INPUT...", minimum: 1, maximum: nil, arePaths: true)

  /// Whether a command line may have `count` of them.
  func allows(_ count: Int) -> Bool {
    count >= minimum && count <= maximum ?? .max
  }
}
