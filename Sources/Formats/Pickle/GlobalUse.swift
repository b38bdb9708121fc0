/// A global that a pickle names, what it is taken for and what would be done with it.
public struct GlobalUse: Hashable, Sendable {
  /// What a pickle does with a global beside naming it.
  public enum Way: String, Hashable, Sendable, CaseIterable {
    /// Calls it.
    case reduce = "REDUCE"
    /// Has it make an object.
    case newObject = "NEWOBJ"
    /// Has it make an object with named arguments.
    case newObjectEx = "NEWOBJ_EX"
    /// Calls it as Python 2's pickles do, named by text.
    case instance = "INST"
    /// Calls it as Python 2's pickles do.
    case object = "OBJ"
    /// Gives it, or what it made, a state: `__setstate__` runs, or attributes are set.
    case build = "BUILD"
    /// Takes it from the registry of `copyreg` by a number.
    case registered = "EXT"
    /// Reaches it as an attribute of something else.
    case attribute = "getattr"
    /// Calls what it returned.
    case result = "call of its result"
  }

  /// The module, by its Python 3 name.
  public var module: String
  /// The name in the module, dotted where it is an attribute of something there; empty for the
  /// module itself.
  public var name: String
  /// What it is taken for.
  public var verdict: GlobalPolicy.Verdict
  /// What is done with it.
  public var ways: Set<Way> = []
  /// How many times the pickle names it or reaches it.
  public var mentions = 0
  /// How many times it would be called.
  public var calls = 0
  /// The place of the first mention, in bytes; `nil` where there are no bytes to count.
  public var offset: Int?
  /// What makes it worse than its name.
  public var remark: String?

  /// The dotted name.
  public var qualifiedName: String { name.isEmpty ? module : "\(module).\(name)" }
}
