import CkptBase
import CkptSkeleton
import Glibc
import CkptHostileSupport
import CkptSafetensors

/// Runs a file through the program's own code with little time and memory.
enum Exhaustion {
  /// The memory that a conversion may use for any file, in bytes.
  static let fixedCeiling = 96 << 20
  /// The additional memory per byte of the file, in bytes: a node, its place on the stack and in
  /// the memo, its text in a skeleton and in another pickle.
  static let ceilingPerByte = 400
  /// The allowed visits per byte of the file in all of some fifteen passes: nodes of its graph and
  /// bytes, as ``WorkCount`` counts them.
  static let workPerByte = 8000
  /// The visits that are allowed for any file, in nodes and bytes.
  static let fixedWork = 1 << 20

  /// Fails when the file makes its readers or writers look at more, or take more memory, than they
  /// may.
  static func survive(_ bytes: [UInt8]) throws -> HostileFile.Outcome {
    // More than this is not even given, so that a file that wins takes nothing from others.
    limit(RLIMIT_DATA, to: 4 << 30)
    let before = peakBytes()
    let work = WorkCount.total
    let outcome = try HostileFile.check(bytes, layout: .plain)
    try HostileFile.check(bytes, layout: .olmo, ignoringSkeleton: true)
    let used = peakBytes() - before
    guard used <= fixedCeiling + ceilingPerByte * bytes.count else {
      throw HostileFile.Violation(
        "it took \(used) bytes of memory for \(bytes.count) bytes")
    }
    let looks = WorkCount.total - work
    guard looks <= fixedWork + workPerByte * bytes.count else {
      throw HostileFile.Violation(
        "it made \(looks) nodes and bytes be looked at for \(bytes.count) bytes")
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
