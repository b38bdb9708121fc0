internal import Glibc

/// The reason that the operating system gives for a failed call: a value of `errno`.
public struct SystemCode: Hashable, Sendable {
  /// The value of `errno`.
  public let number: Int32

  /// Makes a reason from a value of `errno`.
  public init(_ number: Int32) { self.number = number }

  /// Whether the file is absent.
  public var isMissing: Bool { number == ENOENT }
  /// Whether a part of the path is a file, and no directory.
  public var isNoDirectory: Bool { number == ENOTDIR }
  /// Whether the file is there already.
  public var isPresent: Bool { number == EEXIST }
  /// Whether the disk, or the user's part of it, is full.
  public var isOutOfSpace: Bool { number == ENOSPC || number == EDQUOT }
  /// Whether the file system lacks the operation.
  public var isUnsupported: Bool { [EOPNOTSUPP, ENOSYS, ENOLCK].contains(number) }
  /// Whether the reader of a pipe has gone.
  public var isBrokenPipe: Bool { number == EPIPE }
}

/// Errors of the operating system: the path is the file that a call was made on.
extension CheckpointError {
  /// Makes the error of a failed call.
  ///
  /// - Parameters:
  ///   - call: the name of the C function.
  ///   - path: the file it was called on.
  ///   - errno: the value of `errno`.
  ///   - remedy: what the user can do; by default what helps against the reason.
  package init(call: String, path: String, errno: Int32, remedy: Remedy? = nil) {
    self.init(
      .inputOutput, "\(Syscalls.message(for: errno)) (\(call))",
      remedy: remedy ?? Self.remedies[errno])
    self.path = [path]
    cause = SystemCode(errno)
  }

  private static let remedies: [Int32: Remedy] = [
    ENOSPC: .action(.freeSpace),
    EDQUOT: .text("the disk quota is used up", .writeElsewhere),
    EROFS: .text("the file system is read-only", .writeElsewhere),
    EEXIST: .action(.replaceExisting),
  ]

  /// The error for a file system that has not enough room at `path`.
  package static func outOfSpace(_ path: String) -> CheckpointError {
    CheckpointError(call: "statvfs", path: path, errno: ENOSPC)
  }

  /// The error for a path where there is nothing.
  package static func missing(_ path: String) -> CheckpointError {
    CheckpointError(call: "stat", path: path, errno: ENOENT)
  }

  /// The error for an output path that something which must not be replaced has already.
  ///
  /// Devices and pipes are refused whatever the user asked for: a rename over `/dev/null` would
  /// take it from everybody.
  package static func occupied(_ path: String, _ status: Syscalls.FileStatus) -> CheckpointError {
    if status.isDirectory {
      return CheckpointError(
        call: "open", path: path, errno: EISDIR, remedy: "name the output file itself")
    }
    guard status.isRegular || status.isSymbolicLink else {
      return CheckpointError(
        call: "open", path: path, errno: EEXIST,
        remedy: .text("it is not a regular file", .writeToStandardOutput))
    }
    return CheckpointError(call: "open", path: path, errno: EEXIST)
  }

  /// The error for the path of a new directory at which there is something already.
  package static func occupiedDirectory(_ path: String) -> CheckpointError {
    CheckpointError(
      call: "mkdir", path: path, errno: EEXIST,
      remedy: .action(.replaceInDirectory))
  }

  /// The error for a path that should have been a regular file.
  static func notRegular(_ path: String, _ status: Syscalls.FileStatus) -> CheckpointError {
    guard status.isDirectory else {
      return CheckpointError(
        call: "open", path: path, errno: EINVAL,
        remedy: "a regular file is needed: pipes and devices cannot be read at any offset")
    }
    return CheckpointError(call: "open", path: path, errno: EISDIR)
  }
}
