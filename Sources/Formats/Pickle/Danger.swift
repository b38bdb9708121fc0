/// The reason why a global is refused.
///
/// Every listed name belongs to one of these groups, and `Documentation/scan.md` tells of each.
public enum Danger: String, Hashable, Sendable, CaseIterable {
  /// Runs code that it is given as text or as a code object.
  case runsCode = "runs code"
  /// Starts other programs.
  case startsPrograms = "starts programs"
  /// Imports modules, which runs their code.
  case importsModules = "imports modules"
  /// Loads a pickle, or builds objects from text in another format that names them.
  case loadsObjects = "loads objects"
  /// Looks up or calls whatever its arguments name, now or later.
  case reachesAnything = "reaches other functions"
  /// Reads, writes or deletes files.
  case touchesFiles = "touches files"
  /// Opens network connections.
  case opensConnections = "opens connections"
  /// Changes or ends the running process, or the interpreter in it.
  case changesProcess = "changes the process"
  /// Reads, writes or runs raw memory and machine code.
  case touchesMemory = "touches memory"
}
