/// A named value inside an object or tensor that its construction does not name by itself.
///
/// Readers that know a library's classes attach parts; a sparse tensor has `indices` and `values`, a
/// parameter has one part without a name of its own, the tensor.
public struct Part: Sendable {
  /// The step from the object to the part, or `nil` if the part goes by the object's name.
  public var component: PathComponent?
  /// The part.
  public var node: NodeID

  package init(_ component: PathComponent?, _ node: NodeID) {
    self.component = component
    self.node = node
  }
}
