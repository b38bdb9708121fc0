internal import Bytes

/// The directories that a run makes where its outputs need them, and takes away again if it fails.
///
/// Runs that begin at the same time may need the same one. A run that fails removes what it made if
/// that is empty, and it is as long as outputs in it have no names yet (``StagedOutput``). Those make
/// their directory again when it has gone.
public final class OutputDirectories: Sendable {
  /// How often a directory is made again.
  ///
  /// To need it even twice, another run has to fail between two system calls of this one.
  private static let attempts = 16

  private let made = Locked<[String]>([])

  /// None yet.
  public init() {}

  /// Removes what was made, as far as it is empty.
  public func discard() {
    made.withLock { $0 = Syscalls.removeEmptyDirectories($0) }
  }

  /// Runs what needs `directory` to exist, and once more with a new one when it has gone.
  func providing<Result>(
    _ directory: String, _ body: () throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    for _ in 1..<Self.attempts {
      do throws(SystemError) {
        return try body()
      } catch {
        guard error.isMissing else { throw error }
      }
      let new = try Syscalls.makeDirectories(directory)
      made.withLock { $0 += new }
    }
    return try body()
  }

  /// The directories in which the names of those that were made are.
  var parents: [String] {
    made.withLock { made in made.map { FilePath($0).directory.text } }
  }
}
