internal import CCkptSystem
internal import Glibc

/// Calls about the machine and the process.
extension Syscalls {
  /// Returns the number of bytes that an unprivileged user can write at `path`; `nil` if the file
  /// system does not tell (`statvfs`).
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

  /// Returns the directory for temporary files: `TMPDIR`, or `/tmp` (`getenv`).
  package static func temporaryDirectory() -> String {
    guard let path = environment("TMPDIR"), !path.isEmpty else { return "/tmp" }
    return path
  }

  /// Returns the value of an environment variable (`getenv`).
  package static func environment(_ name: String) -> String? {
    // Safe: nothing in this program changes the environment; the string is copied at once.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// Returns the number of processors for this process, at least one (`sched_getaffinity`).
  ///
  /// A job queue can give a process only a part of a machine.
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

  /// Returns the nanoseconds of a clock that never goes back (`clock_gettime`).
  package static func monotonicNanoseconds() -> Int {
    var time = timespec()
    // Safe: `time` is alive for the call; this clock exists on every Linux.
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  /// Returns the seconds since 1970 by the machine's clock (`time`).
  package static func secondsSince1970() -> Int { time(nil) }

  /// Pauses the calling thread (`nanosleep`); a signal ends the pause early.
  package static func rest(nanoseconds: Int) {
    var time = timespec()
    time.tv_sec = nanoseconds / 1_000_000_000
    time.tv_nsec = nanoseconds % 1_000_000_000
    // Safe: `time` is alive for the call, and what is left of the rest is not asked for.
    _ = unsafe nanosleep(&time, nil)
  }
}
