/// Where outputs go.
public enum Destination: Hashable, Sendable {
  /// Beside each input, under its name with the new extension.
  case besideInput
  /// A file or a directory.
  case path(String)
  /// The standard output.
  case standardOutput
}
