extension Int {
  /// The number with what it counts: `1 tensor`, `2 tensors`.
  package func counting(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
