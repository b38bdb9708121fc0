/// What is wrong: where, what was found against what was expected, and what to do.
public struct CheckpointError: Error, Hashable, Sendable {
  /// The kind of fault, for programs; people read ``message``.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: String {
      case truncated, malformed, checksumMismatch, unsupported, forbidden, limitExceeded, lossy
      case conflict, cancelled, inputOutput
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
    /// A pickle has something that can run code.
    public static let forbidden = Code(kind: .forbidden)
    /// A count or size is beyond what is read, such as a pickle of more than 512 MiB.
    public static let limitExceeded = Code(kind: .limitExceeded)
    /// The output format has no place for something and losing it was not allowed.
    public static let lossy = Code(kind: .lossy)
    /// Values that must be equal are not.
    public static let conflict = Code(kind: .conflict)

    /// Somebody asked for the work to stop: see ``Cancellation``.
    public static let cancelled = Code(kind: .cancelled)

    /// The operating system refused: missing, no space, no permission.
    ///
    /// See ``CheckpointError/cause``.
    public static let inputOutput = Code(kind: .inputOutput)

    /// Whether the input is at fault, and neither the system nor whoever stopped the work.
    package var isOfTheInput: Bool { self != .inputOutput && self != .cancelled }

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
  public var remedy: Remedy?
  /// The reason of a failed system call, for code ``Code/inputOutput``.
  public var cause: SystemCode?

  /// Makes an error without a path; callers add frames with ``within(_:_:)`` on the way out.
  public init(_ code: Code, _ message: String, at offset: Int? = nil, remedy: Remedy? = nil) {
    self.code = code
    self.message = message
    self.offset = offset
    self.path = []
    self.remedy = remedy
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
  /// `file: entry: byte 0x1f3: message`, on one line and without the remedy.
  public var description: String {
    var parts = path
    if let offset { parts.append("byte 0x" + String(offset, radix: 16)) }
    parts.append(message)
    return parts.joined(separator: ": ")
  }
}
