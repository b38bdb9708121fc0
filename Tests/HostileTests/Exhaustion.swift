import CkptSkeleton
import Glibc
import CkptHostileSupport
import CkptSafetensors

/// Runs a file through the program's own code with little time and memory.
enum Exhaustion {
  /// What a conversion may take beside what its file makes it take, in bytes.
  static let fixedCeiling = 96 << 20
  /// What it may take for each byte of the file, in bytes: a node, its place on the stack and in the
  /// memo, its spelling in a skeleton and in another pickle.
  static let ceilingPerByte = 400
  /// The seconds of a processor after which a file has won; an honest one takes less than one.
  static let seconds = 40

  /// Ends the process with a signal when time is over, and fails when memory was.
  static func survive(_ bytes: [UInt8]) throws -> HostileFile.Outcome {
    // More than this is not even given, so that a file that wins takes nothing from others.
    limit(RLIMIT_DATA, to: 2 << 30)
    limit(RLIMIT_CPU, to: seconds)
    let before = peakBytes()
    let outcome = try HostileFile.check(bytes, layout: .plain)
    try HostileFile.check(bytes, layout: .olmo, ignoringSkeleton: true)
    let used = peakBytes() - before
    guard used <= fixedCeiling + ceilingPerByte * bytes.count else {
      throw HostileFile.Violation(
        "it took \(used) bytes of memory for \(bytes.count) bytes")
    }
    return outcome
  }

  private static func limit(_ resource: __rlimit_resource, to value: Int) {
    var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
    setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
  }

  private static func peakBytes() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss << 10
  }
}
