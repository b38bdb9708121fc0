/// One step from a container to what it holds.
public enum PathComponent: Hashable, Sendable {
  /// A dict key: any hashable object.
  case key(NodeID)
  /// The index of a list's or tuple's item.
  case index(Int)
  /// The name of an attribute or of a part of an object.
  case attribute(String)
}
