internal import Glibc

/// The reason for a failed system call: a value of `errno`.
public struct SystemCode: Hashable, Sendable {
  /// The value of `errno`.
  public let number: Int32
  /// The name of the failed C function, if known.
  ///
  /// Messages do not show it.
  public let call: String?

  /// Creates a reason from a value of `errno`.
  public init(_ number: Int32, call: String? = nil) {
    self.number = number
    self.call = call
  }

  /// Whether the file is missing.
  public var isMissing: Bool { number == ENOENT }
  /// Whether a part of the path is a file, not a directory.
  public var isNoDirectory: Bool { number == ENOTDIR }
  /// Whether the file exists already.
  public var isPresent: Bool { number == EEXIST }
  /// Whether the disk, or the user's quota, is full.
  public var isOutOfSpace: Bool { number == ENOSPC || number == EDQUOT }
  /// Whether the file system does not support the operation.
  public var isUnsupported: Bool { [EOPNOTSUPP, ENOSYS, ENOLCK].contains(number) }
  /// Whether the reader of a pipe is gone.
  public var isBrokenPipe: Bool { number == EPIPE }
}

/// Errors of the operating system. Their path is the file of the call.
extension CheckpointError {
  /// Creates the error of a failed call.
  ///
  /// - Parameters:
  ///   - call: the name of the C function.
  ///   - path: the file.
  ///   - errno: the value of `errno`.
  ///   - remedy: the remedy; by default that for the reason.
  package init(call: String, path: String, errno: Int32, remedy: Remedy? = nil) {
    self.init(
      .inputOutput, Syscalls.message(for: errno),
      remedy: remedy ?? Self.remedies[errno] ?? (errno == ENOENT ? Remedy(missing: path) : nil))
    self.path = [path]
    cause = SystemCode(errno, call: call)
  }

  private static let remedies: [Int32: Remedy] = [
    ENOSPC: .action(.freeSpace),
    EDQUOT: .text("the disk quota is used up", .writeElsewhere),
    EROFS: .text("the file system is read-only", .writeElsewhere),
    EEXIST: .action(.replaceExisting),
  ]

  /// The error for a file system without enough space at `path`.
  package static func outOfSpace(_ path: String) -> CheckpointError {
    CheckpointError(call: "statvfs", path: path, errno: ENOSPC)
  }

  /// The error for a missing path.
  package static func missing(_ path: String) -> CheckpointError {
    CheckpointError(call: "stat", path: path, errno: ENOENT)
  }

  /// The error for an output path with something that must not be replaced.
  ///
  /// Devices and pipes are always refused: a rename over `/dev/null` would break it for everybody.
  package static func occupied(_ path: String, _ status: Syscalls.FileStatus) -> CheckpointError {
    if status.isDirectory {
      return CheckpointError(
        call: "open", path: path, errno: EISDIR, remedy: "pass the path of a file")
    }
    guard status.isRegular || status.isSymbolicLink else {
      return CheckpointError(
        call: "open", path: path, errno: EEXIST,
        remedy: .text("it is not a regular file", .writeToStandardOutput))
    }
    return CheckpointError(call: "open", path: path, errno: EEXIST)
  }

  /// The error for the path of a new directory that exists already.
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
