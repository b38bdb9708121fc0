/// The container of a checkpoint as it was found, so that it can be described and written again.
///
/// Each container has a type of its own for this. Code that works with checkpoints of any kind asks
/// what stands here; code that is about one kind casts to its type.
public protocol ContainerDescription: Sendable {
  /// The word for it in JSON, such as `torch-zip`.
  var kind: String { get }
  /// A noun for people, such as `safetensors`.
  var title: String { get }
  /// The rest of what is known, in the order in which it is listed.
  var facts: [ContainerFact] { get }
  /// The format of the file; `nil` for a container of several files.
  var format: CheckpointFormat? { get }
  /// Whether it holds an object with its types, order and identity; otherwise names with tensors.
  var holdsObject: Bool { get }
  /// The texts that stand beside the tensors, in their order.
  var metadata: [(key: String, value: String)] { get }
  /// Whether there is a place for ``metadata`` in the file, which may be empty.
  var hasMetadata: Bool { get }
  /// The container that the contents were in before, where this one tells.
  var origin: (any ContainerDescription)? { get }
}

extension ContainerDescription {
  /// None: most containers have no place for them.
  public var metadata: [(key: String, value: String)] { [] }
  /// No: most containers have none.
  public var hasMetadata: Bool { false }
  /// None: most containers do not tell.
  public var origin: (any ContainerDescription)? { nil }
}

/// One fact of a container, for listings.
public struct ContainerFact: Sendable {
  /// A value as JSON has it.
  public enum Value: Sendable {
    case text(String)
    case number(Int)
    case flag(Bool)
    case texts([String])
    case list([[ContainerFact]])
    case unknown
  }

  /// The name of the member in JSON.
  public var name: String
  /// The value.
  public var value: Value
  /// The fact in words for people; `nil` for one that only scripts are told.
  public var words: String?

  /// A fact.
  public init(_ name: String, _ value: Value, _ words: String? = nil) {
    self.name = name
    self.value = value
    self.words = words
  }

  /// The keys of metadata.
  package static func metadata(_ metadata: [(key: String, value: String)]) -> ContainerFact {
    let keys = metadata.map(\.key)
    return ContainerFact(
      "metadata", .texts(keys),
      keys.isEmpty ? "no metadata" : "metadata: \(keys.joined(separator: " "))")
  }
}

/// The formats that checkpoints are converted from and to.
public enum CheckpointFormat: String, Hashable, Sendable {
  /// Safetensors.
  case safetensors
  /// The files of `torch.save`.
  case torch

  /// The end of a file's name, without the dot.
  public var fileExtension: String {
    switch self {
    case .safetensors: "safetensors"
    case .torch: "pt"
    }
  }

  /// The format that is converted to this one.
  package var source: CheckpointFormat { self == .torch ? .safetensors : .torch }
}
