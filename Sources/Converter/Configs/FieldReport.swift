/// What became of every field of a configuration.
public struct FieldReport: Hashable, Sendable {
  /// How a field was translated.
  public enum Status: String, Hashable, Sendable {
    /// Its value stands under another name.
    case mapped
    /// Its value follows from others.
    case derived
    /// It was missing, or nothing on the other side decides it.
    case defaulted
    /// The other side has no such field.
    case notRepresentable = "not representable"
  }

  /// A field, or a pair of fields that say the same.
  public struct Entry: Hashable, Sendable {
    /// OLMo's name: of a field of the `model:` section with `model.` before it, or of a section.
    public var olmo: String?
    /// Hugging Face's name.
    public var huggingFace: String?
    /// How it was translated.
    public var status: Status
    /// The value that was written, or that was read where nothing is written for it.
    public var value: String
    /// The formula, the reason or what to know.
    public var note: String?
    /// Whether OLMo's own value goes along beside the translation, or came back so.
    public var isCarried = false
  }

  /// The entries, in the order of the tables.
  public var entries: [Entry] = []

  /// A report of nothing.
  public init() {}

  /// The notes on what a user should look at.
  public var warnings: [String] = []
}
