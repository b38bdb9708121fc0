import Foundation
import CkptTestSupport
import Testing

/// Descriptors of another process are seen there.
private let hasProcesses = FileManager.default.fileExists(atPath: "/proc/self/fd")

@Suite("An interruption leaves nothing behind", .enabled(if: hasProcesses))
struct InterruptionTests {
  /// Large enough that no machine copies it before a signal arrives.
  private static let byteCount = 768 << 20

  @Test(
    "A signal in the middle of a copy ends the run and no file appears",
    arguments: [SIGINT, SIGTERM])
  func interrupts(signal: Int32) throws {
    let workspace = try Workspace()
    try writeSparseCheckpoint(to: workspace.directory.appendingPathComponent("model.pt"))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Tool.path)
    process.arguments = ["pt-to-safetensors", "model.pt", "--threads", "1"]
    process.environment = Tool.environment
    process.currentDirectoryURL = workspace.directory
    process.standardError = FileHandle.nullDevice
    try withDelivery(of: signal) { try process.run() }
    while process.isRunning, !hasStarted(process, in: workspace.directory) { usleep(500) }
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal)
    #expect(process.terminationStatus == signal)
    #expect(try workspace.files() == ["model.pt"])
  }

  /// Tests run on threads that hold signals back, jobs in the background ignore some, and a child
  /// inherits both.
  private func withDelivery(of number: Int32, _ body: () throws -> Void) rethrows {
    var (all, mask) = (sigset_t(), sigset_t())
    sigfillset(&all)
    pthread_sigmask(SIG_UNBLOCK, &all, &mask)
    let handler = signal(number, SIG_DFL)
    defer {
      signal(number, handler)
      pthread_sigmask(SIG_SETMASK, &mask, nil)
    }
    try body()
  }

  /// Whether the process has opened a file in the directory besides its input.
  private func hasStarted(_ process: Process, in directory: URL) -> Bool {
    let folder = "/proc/\(process.processIdentifier)/fd"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.contains { name in
      let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
      guard let target, target.contains(directory.deletingLastPathComponent().lastPathComponent)
      else { return false }
      return !target.hasSuffix("/model.pt")
    }
  }

  /// A tensor of zeros that take no room on the disk.
  private func writeSparseCheckpoint(to file: URL) throws {
    let count = littleEndian(UInt32(Self.byteCount / 4))
    let pickle: [[UInt8]] = [
      [0x80, 2], Array("}X".utf8), [1, 0, 0, 0], Array("w".utf8),
      Array("ctorch._utils\n_rebuild_tensor_v2\n((X".utf8), [7, 0, 0, 0], Array("storage".utf8),
      Array("ctorch\nFloatStorage\nX".utf8), [1, 0, 0, 0], Array("0X".utf8), [3, 0, 0, 0],
      Array("cpuJ".utf8), count, Array("tQK\0J".utf8), count, [0x85], Array("K\u{1}".utf8),
      [0x85, 0x89], Array("ccollections\nOrderedDict\n)RtRs.".utf8),
    ]
    var archive = ZipBuilder.torch(pickle: Array(pickle.joined()), storages: [[0]])
    let storage = Array("archive/data/0".utf8)
    for index in archive.records.indices where archive.records[index].name == storage {
      // The checksum that goes with the zeros is of no use: it is compared at the end.
      archive.records[index].holeByteCount = Self.byteCount - 1
      archive.records[index].byteCount = Self.byteCount
    }
    let (runs, byteCount) = archive.runs()
    let handle = try Tool.handle(writing: file)
    try handle.truncate(atOffset: UInt64(byteCount))
    for run in runs {
      try handle.seek(toOffset: UInt64(run.offset))
      try handle.write(contentsOf: Data(run.bytes))
    }
    try handle.close()
  }
}
