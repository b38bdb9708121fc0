public import Plan

extension SafetensorsEncoder {
  /// What the caller decides.
  public struct Options: Sendable {
    /// What becomes of tensors that show the same bytes.
    public enum TiedTensors: String, Sendable, CaseIterable {
      /// The bytes are stored once; `__metadata__` maps the other names to the one that has them.
      case alias
      /// Every name has its bytes.
      case copy
    }

    /// How tensors are named.
    public var layout: Layout
    /// Whether what is not tensors goes along in the skeleton.
    public var includesSkeleton: Bool
    /// What becomes of tied tensors; `nil` for what the layout's readers need.
    public var tied: TiedTensors?
    /// Whether what has no place in the file becomes a warning instead of an error.
    public var allowsLoss: Bool
    /// The metadata beside what the skeleton and tied tensors need; `nil` for that of the
    /// safetensors file that the checkpoint was made from.
    public var metadata: [(key: String, value: String)]?

    /// Makes options.
    public init(
      layout: Layout = .plain, includesSkeleton: Bool = true, tied: TiedTensors? = nil,
      allowsLoss: Bool = false, metadata: [(key: String, value: String)]? = nil
    ) {
      self.layout = layout
      self.includesSkeleton = includesSkeleton
      self.tied = tied
      self.allowsLoss = allowsLoss
      self.metadata = metadata
    }
  }

  /// The result: a plan and what to tell the user of it.
  public struct Encoding: Sendable {
    /// The file.
    public var plan: FilePlan
    /// How many entries hold tensors.
    public var tensorCount: Int
    /// How many names share the bytes of another.
    public var aliasCount: Int
    /// What the user should know.
    public var warnings: [String]
  }
}
