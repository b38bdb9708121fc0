@_exported public import CkptPickle

/// One result of a scan.
public struct ScanFinding: Hashable, Sendable {
  /// The importance of a finding, the worst first.
  @nonexhaustive
  public enum Severity: String, Hashable, Sendable, CaseIterable {
    /// A global that exists to run code, or a pickle that hides what it runs.
    case dangerous
    /// Contents that cannot be read as what they claim to be.
    case broken
    /// Contents that were not looked at.
    case unread
    /// Contents that honest programs do not write.
    case suspicious
    /// A class, function or code with unknown effects.
    case opaque
    /// A global that checkpoints are made of.
    case known
  }

  /// The importance.
  public var severity: Severity
  /// The archive entry or tensor, then values inside pickles; empty for the file itself.
  public var place: [String]
  /// The offset in bytes in the innermost ``place``, or in the file.
  public var offset: Int?
  /// The global, for a finding about one.
  public var global: GlobalUse?
  /// The result: one lower-case sentence without final stop.
  public var message: String

  /// Describes a finding about something other than a global.
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
      case .suspicious: .suspicious
      case .dangerous: .dangerous
      }
    self.place = place
    offset = global.offset
    self.global = global
    message = global.words
  }
}

extension ScanFinding.Severity {
  /// The order of findings: the worse, the smaller.
  var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension GlobalUse {
  /// The name and what the pickle does with it.
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
    if let reason { words += ": \(reason)" }
    return words
  }
}
