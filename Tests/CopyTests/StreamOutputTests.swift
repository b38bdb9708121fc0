import CkptBase
import CkptPlan
import Glibc
import CkptGraph
import CkptTestSupport
import Testing

@testable import CkptCopy

struct StreamOutputTests {
  @Test("A pipe gets the bytes of a file, in order")
  func pipe() throws {
    let (plan, expected) = try CopyEngineTests.mixedPlan()
    var ends: [Int32] = [0, 0]
    #expect(Glibc.pipe(&ends) == 0)
    let (reader, writer) = (ends[0], ends[1])
    let received = Locked<[UInt8]>([])
    let failure = Locked<CheckpointError?>(nil)
    let isTaken = Locked(false)
    Syscalls.concurrently(2) {
      let isReader = isTaken.withLock { isTaken in
        defer { isTaken = true }
        return isTaken
      }
      if isReader {
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = read(reader, &chunk, chunk.count), count > 0 {
          received.withLock { $0 += chunk.prefix(count) }
        }
      } else {
        do throws(CheckpointError) {
          try CopyEngine().run(plan, into: StreamOutput(descriptor: writer, name: "pipe"))
        } catch {
          failure.withLock { $0 = error }
        }
        close(writer)
      }
    }
    close(reader)
    #expect(failure.withLock { $0 } == nil)
    #expect(received.withLock { $0 } == expected)
  }

  @Test("A reader that has gone is an error that says so")
  func brokenPipe() throws {
    signal(SIGPIPE, SIG_IGN)
    var ends: [Int32] = [0, 0]
    #expect(Glibc.pipe(&ends) == 0)
    close(ends[0])
    defer { close(ends[1]) }
    let error = #expect(throws: CheckpointError.self) {
      try CopyEngine().run(
        FilePlan([.literal([1])]), into: StreamOutput(descriptor: ends[1], name: "pipe"))
    }
    #expect(error?.cause?.isBrokenPipe == true)
  }
}
