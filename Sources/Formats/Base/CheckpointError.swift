internal import Glibc

/// What is wrong: where, what was found against what was expected, and what to do.
public struct CheckpointError: Error, Hashable, Sendable {
  /// The kind of fault, for programs; people read ``message``.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: String {
      case truncated, malformed, checksumMismatch, unsupported, forbidden, limitExceeded, lossy
      case conflict, inputOutput
    }

    private let kind: Kind

    /// The file ends before what it announces.
    public static let truncated = Code(kind: .truncated)
    /// The bytes break the format's own rules.
    public static let malformed = Code(kind: .malformed)
    /// A stored CRC-32 disagrees with the bytes it covers.
    public static let checksumMismatch = Code(kind: .checksumMismatch)
    /// Well-formed, but of a kind this program does not handle.
    public static let unsupported = Code(kind: .unsupported)
    /// A pickle names something that exists to run code.
    public static let forbidden = Code(kind: .forbidden)
    /// A count or size is beyond a constant in ``Limits``.
    public static let limitExceeded = Code(kind: .limitExceeded)
    /// The output format has no place for something and losing it was not allowed.
    public static let lossy = Code(kind: .lossy)
    /// Values that must be equal are not.
    public static let conflict = Code(kind: .conflict)

    /// The operating system refused: missing, no space, no permission.
    ///
    /// See ``CheckpointError/cause``.
    public static let inputOutput = Code(kind: .inputOutput)

    /// The code's name, as `--json` output spells it.
    public var description: String { kind.rawValue }
  }

  /// The kind of fault.
  public var code: Code
  /// One lower-case sentence without final stop: found against expected.
  public var message: String
  /// The place in bytes from the start of the innermost element of ``path``, where there is one.
  public var offset: Int?
  /// File, archive entry, tensor: outermost first.
  public var path: [String]
  /// What the user can do, where there is something.
  public var hint: String?
  /// The failed system call, for code ``Code/inputOutput``.
  public var cause: SystemError?

  /// Makes an error without a path; callers add frames with ``within(_:_:)`` on the way out.
  public init(_ code: Code, _ message: String, at offset: Int? = nil, hint: String? = nil) {
    self.code = code
    self.message = message
    self.offset = offset
    self.path = []
    self.hint = hint
  }

  /// Wraps a failed system call.
  public init(_ cause: SystemError) {
    self.init(.inputOutput, cause.reason, hint: cause.hint)
    self.cause = cause
    path = [cause.path]
  }

  /// Runs `body` and turns a failed system call into a ``CheckpointError``.
  ///
  /// - Throws: `inputOutput` when `body` throws.
  package static func wrapping<Result: ~Copyable>(
    _ body: () throws(SystemError) -> Result
  ) throws(CheckpointError) -> Result {
    do {
      return try body()
    } catch {
      throw CheckpointError(error)
    }
  }

  /// Runs `body` and puts `frame` in front of the path of any error it throws.
  ///
  /// - Throws: what `body` throws, with one more frame.
  @inlinable
  public static func within<Result: ~Copyable>(
    _ frame: @autoclosure () -> String, _ body: () throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result {
    do {
      return try body()
    } catch {
      throw error.framed(by: frame())
    }
  }

  /// The same error with `frame` as the outermost element of its path, if it is not that already.
  public func framed(by frame: String) -> CheckpointError {
    var error = self
    if error.path.first != frame { error.path.insert(frame, at: 0) }
    return error
  }
}

extension CheckpointError: CustomStringConvertible {
  /// `file: entry: byte 0x1f3: message`, on one line and without the hint.
  public var description: String {
    var parts = path
    if let offset { parts.append("byte 0x" + String(offset, radix: 16)) }
    parts.append(message)
    return parts.joined(separator: ": ")
  }
}

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
