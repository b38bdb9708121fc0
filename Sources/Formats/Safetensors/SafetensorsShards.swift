public import Plan

/// A checkpoint as one safetensors file or several with an index, as `save_pretrained` of
/// transformers lays out a folder.
public struct SafetensorsShards: Sendable {
  /// One of the files.
  public struct File: Sendable {
    /// Its name.
    public var name: String
    /// Its bytes.
    public var plan: FilePlan
    /// How many entries hold tensors.
    public var tensorCount: Int
  }

  /// The files, in the order of their numbers.
  public var files: [File]
  /// The bytes of ``indexName``; `nil` where one file holds everything.
  public var index: [UInt8]?
  /// The size of all tensors in bytes.
  public var totalByteCount: Int
  /// How many names share the bytes of another.
  public var aliasCount: Int
  /// What the user should know.
  public var warnings: [String]

  /// The name of the index.
  public static let indexName = "model.safetensors.index.json"

  /// The name of file `number` of `count`, counted from one; of a file that is alone without
  /// numbers.
  public static func fileName(_ number: Int, of count: Int) -> String {
    guard count > 1 else { return "model.safetensors" }
    return "model-\(digits(number))-of-\(digits(count)).safetensors"
  }

  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }
}
