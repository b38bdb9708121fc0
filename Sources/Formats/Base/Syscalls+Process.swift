internal import CCkptSystem
internal import Glibc

/// Calls that ask what the machine has.
extension Syscalls {
  /// How many bytes an unprivileged user may still write where `path` lies; `nil` where the file
  /// system does not say (`statvfs`).
  package static func availableBytes(at path: String) throws(CheckpointError) -> Int? {
    var status = statvfs()
    // Safe: the call fills `status`; the path is a copy that ends with a zero and outlives the call.
    _ = try retrying("statvfs", path) { unsafe statvfs(path, &status) }
    // File systems without a fixed size (some network ones, tmpfs without a limit) report zeros.
    guard status.f_blocks > 0 else { return nil }
    let (bytes, overflow) = UInt64(status.f_bavail)
      .multipliedReportingOverflow(by: UInt64(status.f_frsize))
    return overflow ? nil : Int(exactly: bytes)
  }

  /// Where the user wants temporary files: `TMPDIR`, or `/tmp` (`getenv`).
  package static func temporaryDirectory() -> String {
    guard let path = environment("TMPDIR"), !path.isEmpty else { return "/tmp" }
    return path
  }

  /// The value of an environment variable (`getenv`).
  package static func environment(_ name: String) -> String? {
    // Safe: nothing in this program changes the environment; the string is copied at once.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// How many processors this process may run on, at least one (`sched_getaffinity`).
  ///
  /// Job queues give a process a part of a machine; the number of processors in it is not that part.
  package static func availableProcessors() -> Int {
    var set = cpu_set_t()
    let size = MemoryLayout<cpu_set_t>.size
    // Safe: the size given is that of `set`.
    guard unsafe sched_getaffinity(0, UInt(size), &set) == 0 else { return 1 }
    // Safe: a `cpu_set_t` is an array of plain integers.
    let count = unsafe withUnsafeBytes(of: &set) { bytes in
      unsafe bytes.reduce(0) { $0 + $1.nonzeroBitCount }
    }
    return max(count, 1)
  }

  /// Nanoseconds on a clock that never goes back (`clock_gettime`).
  package static func monotonicNanoseconds() -> Int {
    var time = timespec()
    // Safe: `time` is alive for the call; this clock exists on every Linux.
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  /// Seconds since 1970, as far as the machine's clock is right (`time`).
  package static func secondsSince1970() -> Int { time(nil) }

  /// Lets the calling thread rest (`nanosleep`); a signal ends the rest early.
  package static func rest(nanoseconds: Int) {
    var time = timespec()
    time.tv_sec = nanoseconds / 1_000_000_000
    time.tv_nsec = nanoseconds % 1_000_000_000
    // Safe: `time` is alive for the call, and what is left of the rest is not asked for.
    _ = unsafe nanosleep(&time, nil)
  }
}
