/// An error with its location, the found and the expected value, and a remedy.
public struct CheckpointError: Error, Hashable, Sendable {
  /// The kind of error, for programs; people read ``message``.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: String {
      case truncated, malformed, checksumMismatch, unsupported, forbidden, limitExceeded, lossy
      case conflict, cancelled, inputOutput
    }

    private let kind: Kind

    /// The file ends too early.
    public static let truncated = Code(kind: .truncated)
    /// The bytes break the rules of the format.
    public static let malformed = Code(kind: .malformed)
    /// A stored CRC-32 does not match its bytes.
    public static let checksumMismatch = Code(kind: .checksumMismatch)
    /// The input is well-formed, but not supported.
    public static let unsupported = Code(kind: .unsupported)
    /// A pickle can run code.
    public static let forbidden = Code(kind: .forbidden)
    /// A count or size exceeds a limit, such as 512 MiB for a pickle.
    public static let limitExceeded = Code(kind: .limitExceeded)
    /// The output format cannot hold something, and losing it was not allowed.
    public static let lossy = Code(kind: .lossy)
    /// Values that must be equal differ.
    public static let conflict = Code(kind: .conflict)

    /// The work was cancelled; see ``Cancellation``.
    public static let cancelled = Code(kind: .cancelled)

    /// The operating system failed: a missing file, no space, no permission.
    ///
    /// See ``CheckpointError/cause``.
    public static let inputOutput = Code(kind: .inputOutput)

    /// Whether the input is at fault, not the system or a cancellation.
    package var isOfTheInput: Bool { self != .inputOutput && self != .cancelled }

    /// The name of the code, as in `--json` output.
    public var description: String { kind.rawValue }
  }

  /// The kind of error.
  public var code: Code
  /// One lower-case sentence without final stop: found against expected.
  public var message: String
  /// The offset in bytes from the start of the innermost element of ``path``, if there is one.
  public var offset: Int?
  /// The file, archive entry and tensor, outermost first.
  public var path: [String]
  /// The remedy, if there is one.
  public var remedy: Remedy?
  /// The reason of a failed system call, for the code ``Code/inputOutput``.
  public var cause: SystemCode?

  /// Creates an error without a path.
  ///
  /// Callers add frames with ``within(_:_:)``.
  public init(_ code: Code, _ message: String, at offset: Int? = nil, remedy: Remedy? = nil) {
    self.code = code
    self.message = message
    self.offset = offset
    self.path = []
    self.remedy = remedy
  }

  /// Runs `body` and adds `frame` to the front of the path of any error.
  ///
  /// - Throws: the error of `body`, with one more frame.
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

  /// Returns the error with `frame` as the first element of its path, unless it is that already.
  public func framed(by frame: String) -> CheckpointError {
    var error = self
    if error.path.first != frame { error.path.insert(frame, at: 0) }
    return error
  }
}

extension CheckpointError: CustomStringConvertible {
  /// The error as `file: entry: byte 0x1f3: message`, without the remedy.
  public var description: String {
    var parts = path
    if let offset { parts.append("byte 0x" + String(offset, radix: 16)) }
    parts.append(message)
    return parts.joined(separator: ": ")
  }
}
