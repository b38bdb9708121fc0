/// Modules of Python libraries that have moved: files of different ages name one class differently.
enum MovedModules {
  private static let moves = [
    // NumPy 2.0.
    (old: "numpy.core", new: "numpy._core"),
    // Python 3.13, and back in 3.14.
    (old: "pathlib._local", new: "pathlib"),
    // PyTorch 1.9.
    (old: "torch.tensor", new: "torch._tensor"),
  ]

  /// Whether two names are of one module.
  static func areOne(_ first: String, _ second: String) -> Bool {
    today(first).utf8.elementsEqual(today(second).utf8)
  }

  private static func today(_ module: String) -> String {
    for move in moves {
      if module == move.old { return move.new }
      if module.hasPrefix(move.old + ".") { return move.new + module.dropFirst(move.old.count) }
    }
    return module
  }
}
