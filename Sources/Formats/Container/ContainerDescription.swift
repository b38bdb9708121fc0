/// The description of a container: enough to show it and to write it again.
///
/// Each container has a type of its own for it. Code for checkpoints of any kind uses this
/// protocol; code for one kind casts to its type.
package protocol ContainerDescription: Sendable {
  /// The kind as a word for JSON, such as `torch-zip`.
  var kind: String { get }
  /// The kind as a noun for people, such as `safetensors`.
  var title: String { get }
  /// All other facts, in listing order.
  var facts: [ContainerFact] { get }
  /// The format of the file; `nil` for a container of several files.
  var format: CheckpointFormat? { get }
  /// Whether it holds an object with its types, order and identity; otherwise it holds named
  /// tensors.
  var holdsObject: Bool { get }
  /// The metadata texts, in their order.
  var metadata: [(key: String, value: String)] { get }
  /// Whether the file can hold ``metadata``, even if it is empty.
  var hasMetadata: Bool { get }
  /// The container that held the contents before, if this one records it.
  var origin: (any ContainerDescription)? { get }
}

extension ContainerDescription {
  /// Empty: most containers cannot hold metadata.
  package var metadata: [(key: String, value: String)] { [] }
  /// False: most containers cannot hold metadata.
  package var hasMetadata: Bool { false }
  /// `nil`: most containers do not record it.
  package var origin: (any ContainerDescription)? { nil }
}

/// One fact of a container, for listings.
package struct ContainerFact: Sendable {
  /// A JSON value.
  package enum Value: Sendable {
    case text(String)
    case number(Int)
    case flag(Bool)
    case texts([String])
    case list([[ContainerFact]])
    case unknown
  }

  /// The name of the JSON member.
  package var name: String
  /// The value.
  package var value: Value
  /// The fact in words; `nil` for a fact that only scripts need.
  package var words: String?

  /// Creates a fact.
  package init(_ name: String, _ value: Value, _ words: String? = nil) {
    self.name = name
    self.value = value
    self.words = words
  }

  /// Returns the keys of metadata as a fact.
  package static func metadata(_ metadata: [(key: String, value: String)]) -> ContainerFact {
    let keys = metadata.map(\.key)
    return ContainerFact(
      "metadata", .texts(keys),
      keys.isEmpty ? "no metadata" : "metadata: \(keys.joined(separator: " "))")
  }
}

/// A format that checkpoints are converted from and to.
@nonexhaustive
public enum CheckpointFormat: String, Hashable, Sendable {
  /// Safetensors.
  case safetensors
  /// The format of `torch.save`.
  case torch

  /// The file name extension, without the dot.
  public var fileExtension: String {
    switch self {
    case .safetensors: "safetensors"
    case .torch: "pt"
    }
  }

  /// The format that is converted to this one.
  package var source: CheckpointFormat { self == .torch ? .safetensors : .torch }
}

/// The containers of `.pt` files that can be written.
public enum TorchContainer: String, Sendable, CaseIterable {
  /// The ZIP archive of PyTorch 1.6 and later.
  case zip
  /// The file of PyTorch before 1.6.
  case legacy
}
