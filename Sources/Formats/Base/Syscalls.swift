internal import Glibc

/// All calls into the operating system.
///
/// `EINTR` is retried, and errors name the file.
///
/// Nothing above this file imports the C library for files, so everything that the program can do
/// to a disk is here.
package enum Syscalls {
  /// An access mode for opening a file.
  package enum Access: Sendable {
    /// For reading.
    case read
    /// For writing a new file, which must not exist.
    case createNew
    /// For reading, and for writing at the end; a missing file is created.
    case append
  }

  /// The status of a file (`fstat`).
  package struct FileStatus: Hashable, Sendable {
    /// The device of the file.
    package var device: UInt64
    /// The number of the file on its device.
    package var inode: UInt64
    /// The length in bytes.
    package var byteCount: Int
    /// The modification time, in nanoseconds since 1970.
    package var modified: Int
    /// The permission bits.
    package var permissions: UInt32
    /// Whether it is a regular file.
    package var isRegular: Bool
    /// Whether it is a directory.
    package var isDirectory: Bool
    /// Whether it is a symbolic link.
    package var isSymbolicLink: Bool

    init(_ status: stat) {
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
      byteCount = Int(status.st_size)
      modified = status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
      permissions = status.st_mode & 0o7777
      isRegular = status.st_mode & S_IFMT == S_IFREG
      isDirectory = status.st_mode & S_IFMT == S_IFDIR
      isSymbolicLink = status.st_mode & S_IFMT == S_IFLNK
    }
  }

  /// Returns the operating system's message for an `errno` value, in lower case.
  package static func message(for code: Int32) -> String {
    // Safe: `strerror` returns a valid C string for every number; it is copied at once.
    let text = unsafe String(cString: strerror(code))
    return text.prefix(1).lowercased() + text.dropFirst()
  }

  /// Opens a file and returns its descriptor (`open`).
  package static func open(_ path: String, _ access: Access, permissions: UInt32 = 0o666)
    throws(CheckpointError) -> Int32
  {
    let flags =
      switch access {
      // Without `O_NONBLOCK`, opening a named pipe would wait for a writer.
      case .read: O_RDONLY | O_NONBLOCK | O_CLOEXEC
      case .createNew: O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC
      case .append: O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC
      }
    // Safe: a path is passed as a copy that ends with a zero and outlives the call.
    return try retrying("open", path) { unsafe Glibc.open(path, flags, mode_t(permissions)) }
  }

  /// Closes a descriptor (`close`).
  ///
  /// Errors are ignored, because nothing could be done about them.
  package static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

  /// Returns the status of an open file (`fstat`).
  package static func status(of descriptor: Int32, path: String) throws(CheckpointError)
    -> FileStatus
  {
    var status = stat()
    // Safe: the call fills `status`, which lives until it returns.
    _ = try retrying("fstat", path) { unsafe fstat(descriptor, &status) }
    return FileStatus(status)
  }

  /// Returns the status of the file at a path, or `nil` if there is none (`stat`, `lstat`).
  package static func status(
    at path: String, followingLinks: Bool = true
  ) throws(CheckpointError) -> FileStatus? {
    var status = stat()
    do {
      // Safe: the call fills `status`; the path is a copy that ends with a zero and outlives the call.
      _ = try retrying(followingLinks ? "stat" : "lstat", path) {
        unsafe followingLinks ? stat(path, &status) : lstat(path, &status)
      }
    } catch {
      guard [ENOENT, ENOTDIR].contains(error.cause?.number) else { throw error }
      return nil
    }
    return FileStatus(status)
  }

  /// Reads at an offset until `buffer` is full or the file ends.
  ///
  /// Returns the number of bytes (`pread`).
  package static func read(
    _ descriptor: Int32, at offset: Int, into buffer: inout MutableRawSpan, path: String
  ) throws(CheckpointError) -> Int {
    var filled = 0
    while filled < buffer.byteCount {
      let count = try retrying("pread", path) {
        var rest = buffer._mutatingExtracting(filled...)
        // Safe: the pointer and count describe the unfilled rest of `buffer`, alive for the call.
        return unsafe rest.withUnsafeMutableBytes { bytes in
          unsafe pread(descriptor, bytes.baseAddress, bytes.count, off_t(offset + filled))
        }
      }
      guard count > 0 else { break }
      filled += count
    }
    return filled
  }

  /// Writes all of `bytes` at an offset (`pwrite`).
  package static func write(
    _ descriptor: Int32, at offset: Int, _ bytes: RawSpan, path: String
  ) throws(CheckpointError) {
    var written = 0
    while written < bytes.byteCount {
      written += try writing("pwrite", path) {
        // Safe: the pointer and count describe the unwritten rest of `bytes`, alive for the call.
        unsafe bytes.extracting(written...).withUnsafeBytes { rest in
          unsafe pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + written))
        }
      }
    }
  }

  /// Writes all of `bytes` at the current position (`write`), for pipes and terminals.
  package static func append(
    _ descriptor: Int32, _ bytes: RawSpan, path: String
  ) throws(CheckpointError) {
    var written = 0
    while written < bytes.byteCount {
      written += try writing("write", path) {
        // Safe: the pointer and count describe the unwritten rest of `bytes`, alive for the call.
        unsafe bytes.extracting(written...).withUnsafeBytes { rest in
          unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
        }
      }
    }
  }

  /// Calls `body` like ``retrying(_:_:_:)``.
  ///
  /// Writing nothing is an error too, because it could repeat forever.
  private static func writing(
    _ call: String, _ path: String, _ body: () -> Int
  ) throws(CheckpointError) -> Int {
    let count = try retrying(call, path, body)
    guard count > 0 else { throw CheckpointError(call: call, path: path, errno: EIO) }
    return count
  }

  /// Calls `body` until it is not interrupted.
  ///
  /// A negative result becomes an error.
  static func retrying<Result: SignedInteger>(
    _ call: String, _ path: String, _ body: () -> Result
  ) throws(CheckpointError) -> Result {
    #if DEBUG
      if let code = FaultInjection.code(for: path) {
        throw CheckpointError(call: call, path: path, errno: code)
      }
    #endif
    while true {
      let result = body()
      if result >= 0 { return result }
      guard errno != EINTR else { continue }
      throw CheckpointError(call: call, path: path, errno: errno)
    }
  }
}

#if DEBUG

  /// Makes system calls fail on demand, to test what a program leaves behind.
  ///
  /// Only debug builds have it.
  package enum FaultInjection {
    private struct Fault {
      let directory: String
      let code: Int32
      var callsBefore: Int
      var hasFailed = false
    }

    private static let faults = Locked<[Int: Fault]>([:])

    /// Runs `body` while one call fails with the `errno` value `code`: call number `index` on a
    /// path that begins with `directory`.
    ///
    /// - Returns: whether there were that many calls.
    package static func failing(
      _ index: Int, under directory: String, code: Int32, _ body: () -> Void
    ) -> Bool {
      let fault = Fault(directory: directory, code: code, callsBefore: index)
      let key = faults.withLock { faults in
        let key = (faults.keys.max() ?? 0) + 1
        faults[key] = fault
        return key
      }
      body()
      return faults.withLock { $0.removeValue(forKey: key)?.hasFailed ?? false }
    }

    /// Returns the error for a call on `path`, if it is its turn.
    static func code(for path: String) -> Int32? {
      faults.withLock { faults in
        var code: Int32?
        for (key, fault) in faults where path.hasPrefix(fault.directory) && !fault.hasFailed {
          if fault.callsBefore > 0 {
            faults[key]?.callsBefore -= 1
          } else {
            faults[key]?.hasFailed = true
            code = fault.code
          }
        }
        return code
      }
    }
  }
#endif
