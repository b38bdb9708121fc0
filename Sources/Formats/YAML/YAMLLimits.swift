/// Bounds on what a document may ask of memory and time, each with the reason for its size.
public enum YAMLLimits: Sendable {
  /// The longest document, in bytes; the longest configuration in OLMo's repository has 0.3 MB.
  public static let documentBytes = 4 << 20
  /// The most values and names, those that aliases repeat included; one takes about 150 bytes.
  ///
  /// Few aliases of aliases can stand for billions of values.
  public static let nodes = 1 << 17
  /// The most collections inside one another; configurations have five.
  public static let depth = 100
  /// The most directives; libyaml compares each with all before it.
  public static let directives = 16
}
