public import Pickle

/// One thing that a scan has found in a file.
public struct ScanFinding: Hashable, Sendable {
  /// How much it matters, the worst first.
  public enum Severity: String, Hashable, Sendable, CaseIterable {
    /// A global that exists to run code.
    case dangerous
    /// Something that cannot be read as what it claims to be, so that nobody knows what it holds.
    case broken
    /// Something that honest programs do not write, and in which nothing dangerous was found.
    case suspicious
    /// A class, function or code whose meaning is not known.
    case opaque
    /// A global that checkpoints are made of.
    case known
  }

  /// How much it matters.
  public var severity: Severity
  /// The archive entry or tensor, and the value inside of it where a pickle holds another one.
  public var place: [String]
  /// Where it is, in bytes from the start of the innermost ``place``, or of the file without one.
  public var offset: Int?
  /// The global, where it is one.
  public var global: GlobalUse?
  /// What was found: one lower-case sentence without final stop.
  public var message: String

  /// Describes a finding that is no global.
  init(_ severity: Severity, at place: [String], offset: Int? = nil, _ message: String) {
    self.severity = severity
    self.place = place
    self.offset = offset
    self.message = message
  }

  /// Describes a global.
  init(_ global: GlobalUse, at place: [String]) {
    severity =
      switch global.verdict {
      case .known: .known
      case .opaque: .opaque
      case .dangerous: .dangerous
      }
    self.place = place
    offset = global.offset
    self.global = global
    message = global.words
  }
}

extension GlobalUse {
  /// The name and what becomes of it.
  fileprivate var words: String {
    var words = qualifiedName
    if mentions > 1 { words += ", named \(mentions) times" }
    if calls > 0 {
      words += calls == 1 ? ", called" : ", called \(calls) times"
    } else if !ways.contains(.result) {
      words += ", not called"
    }
    let names = Way.allCases.filter(ways.contains).map(\.rawValue)
    if !names.isEmpty { words += " (\(names.joined(separator: ", ")))" }
    if let remark { words += ": \(remark)" }
    return words
  }
}
