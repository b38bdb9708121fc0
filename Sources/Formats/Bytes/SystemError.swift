internal import Glibc

/// A system call that failed: the call, the file and the reason.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The name of the C function.
  public var call: String
  /// The file it was called on.
  public var path: String
  /// The value of `errno`.
  public var code: Int32
  /// What the user can do, where there is something.
  public var hint: String?

  /// Makes an error from the name of a call, its file and its `errno`.
  public init(_ call: String, path: String, code: Int32, hint: String? = nil) {
    self.call = call
    self.path = path
    self.code = code
    self.hint = hint ?? SystemError.hints[code]
  }

  private static let hints: [Int32: String] = [
    ENOSPC: "free some space or choose another place with -o",
    EDQUOT: "the disk quota is used up; choose another place with -o",
    EROFS: "the file system is read-only; choose another place with -o",
    EEXIST: "use --force to replace it",
  ]

  /// `path: reason (call)`.
  public var description: String { "\(path): \(reason)" }

  /// `reason (call)`.
  public var reason: String { "\(Syscalls.message(for: code)) (\(call))" }

  /// Whether the file is absent.
  public var isMissing: Bool { code == ENOENT }
  /// Whether a part of the path is a file, and no directory.
  public var isNoDirectory: Bool { code == ENOTDIR }
  /// Whether the file is there already.
  public var isPresent: Bool { code == EEXIST }
  /// Whether the disk, or the user's part of it, is full.
  public var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }
  /// Whether the file system lacks the operation.
  public var isUnsupported: Bool { [EOPNOTSUPP, ENOSYS, ENOLCK].contains(code) }
  /// Whether a signal asked the program to end.
  public var isInterruption: Bool { code == EINTR }
  /// Whether the reader of a pipe has gone.
  public var isBrokenPipe: Bool { code == EPIPE }
}

extension SystemError {
  /// The error of work that was given up because a signal asked the program to end.
  package static func interrupted(_ path: String) -> SystemError {
    SystemError("signal", path: path, code: EINTR)
  }

  /// The error for a file system that has not enough room at `path`.
  package static func outOfSpace(_ path: String) -> SystemError {
    SystemError("statvfs", path: path, code: ENOSPC)
  }

  /// The error for a path where there is nothing.
  package static func missing(_ path: String) -> SystemError {
    SystemError("stat", path: path, code: ENOENT)
  }

  /// The error for an output path that something which must not be replaced has already.
  ///
  /// Devices and pipes are refused whatever the user asked for: a rename over `/dev/null` would
  /// take it from everybody.
  package static func occupied(_ path: String, _ status: Syscalls.FileStatus) -> SystemError {
    if status.isDirectory {
      return SystemError("open", path: path, code: EISDIR, hint: "name the output file itself")
    }
    guard status.isRegular || status.isSymbolicLink else {
      return SystemError(
        "open", path: path, code: EEXIST,
        hint: "it is not a regular file; use -o - to write to a pipe or a device")
    }
    return SystemError("open", path: path, code: EEXIST)
  }

  /// The error for the path of a new directory at which there is something already.
  package static func occupiedDirectory(_ path: String) -> SystemError {
    SystemError(
      "mkdir", path: path, code: EEXIST,
      hint: "remove it, choose another name, or use --force to replace files in it")
  }

  /// The error for a path that should have been a regular file.
  static func notRegular(_ path: String, _ status: Syscalls.FileStatus) -> SystemError {
    guard status.isDirectory else {
      return SystemError(
        "open", path: path, code: EINVAL,
        hint: "a regular file is needed: pipes and devices cannot be read at any offset")
    }
    return SystemError("open", path: path, code: EISDIR)
  }
}
