/// A Python object as the calls that would rebuild it; none of them is ever made.
public struct ObjectNode: Sendable {
  /// Which pickle operation creates the object.
  public enum Form: Hashable, Sendable {
    /// `callable(*arguments)`: REDUCE.
    case call
    /// `callable.__new__(callable, *arguments)`: NEWOBJ.
    case new
    /// `callable.__new__(callable, *arguments, **keywords)`: NEWOBJ_EX.
    case newWithKeywords
    /// A Python 2 instance: INST and OBJ.
    case instance
  }

  /// Which pickle operation creates the object.
  public var form: Form
  /// The class or function.
  public var callable: NodeID
  /// A tuple.
  public var arguments: NodeID
  /// A dict, for ``Form/newWithKeywords`` only.
  public var keywords: NodeID?
  /// Items appended afterwards.
  public var items: NodeRun
  /// Keys and values set afterwards, alternating.
  public var pairs: NodeRun
  /// The state handed to the object afterwards: BUILD.
  public var state: NodeID?

  package init(form: Form, callable: NodeID, arguments: NodeID, keywords: NodeID? = nil) {
    self.form = form
    self.callable = callable
    self.arguments = arguments
    self.keywords = keywords
    items = .empty
    pairs = .empty
  }
}
