/// A look at the first bytes of a file.
public struct Archive: Sendable {
  /// Whether a ZIP archive begins with these bytes.
  public static func begins(with bytes: [UInt8]) -> Bool { bytes.starts(with: [0x50, 0x4b, 3, 4]) }
}
