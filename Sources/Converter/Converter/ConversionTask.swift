public import Formats

/// One input with everything that will be written for it.
public struct ConversionTask: Sendable {
  /// What happens to one file.
  public enum Action: Hashable, Sendable {
    /// It becomes a safetensors file of that layout.
    case encodeSafetensors(Layout)
    /// It becomes a `.pt` file.
    case encodeTorch
    /// It is copied as it is.
    case carry
  }

  /// One file that is read and the file that is written for it.
  public struct Step: Sendable {
    /// The file that is read.
    public var source: String
    /// The file that is written; `nil` for the standard output.
    public var output: String?
    /// What happens to it.
    public var action: Action
  }

  /// The file or directory that was given.
  public var input: String
  /// What is written for it; all of it appears, or nothing.
  public var steps: [Step]
  /// The directory the outputs go to, which is made where it does not exist.
  public var directory: String?
}
