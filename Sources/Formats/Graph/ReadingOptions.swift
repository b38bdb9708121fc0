/// What the caller decides about how a checkpoint file is read.
public struct ReadingOptions: Sendable {
  /// Whether `None` is put where a pickle names something that exists to run code; otherwise the
  /// file is refused.
  public var dropsUnsafe: Bool
  /// Whether a safetensors file is taken as if it had no skeleton.
  public var ignoresSkeleton: Bool

  /// Makes options.
  public init(dropsUnsafe: Bool = false, ignoresSkeleton: Bool = false) {
    self.dropsUnsafe = dropsUnsafe
    self.ignoresSkeleton = ignoresSkeleton
  }
}
