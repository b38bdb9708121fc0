import Foundation
import Testing

@testable import ckptconv

@Suite("The progress line keeps out of the way")
struct ProgressLineTests {
  private static let eraser = "\r\u{1B}[K"

  @Test("It is drawn ten times a second at most, from any thread")
  func drawsSeldom() throws {
    let start = Duration.seconds(1000)
    let text = try drawn { line in
      for step in 0...1000 {
        line.update(done: step, total: 1000, at: start + .milliseconds(step))
      }
    }
    #expect(text.components(separatedBy: Self.eraser).count - 1 == 11)
    #expect(text.hasSuffix("100%  1.00 kB/1.00 kB  1.00 kB/s  0:00 left"))
  }

  @Test("It is erased once, and drawn again by the next update that is due")
  func erases() throws {
    let start = Duration.seconds(1000)
    let text = try drawn { line in
      line.erase()
      line.update(done: 1, total: 4, at: start)
      line.erase()
      line.erase()
      line.update(done: 2, total: 4, at: start + .milliseconds(200))
      line.finish()
    }
    let lines = text.components(separatedBy: Self.eraser)
    try #require(lines.count == 5)
    #expect(lines[0].isEmpty && lines[2].isEmpty && lines[4].isEmpty)
    #expect(lines[1].contains(" 25%"))
    #expect(lines[3].contains(" 50%"))
  }

  @Test("In a narrower window it is erased with the rows that it was wrapped to")
  func erasesWrappedRows() {
    #expect(ProgressLine.erasing(0, columns: 80) == Self.eraser)
    #expect(ProgressLine.erasing(79, columns: 80) == Self.eraser)
    #expect(ProgressLine.erasing(79, columns: 40) == "\u{1B}[1A\r\u{1B}[J")
    #expect(ProgressLine.erasing(79, columns: 20) == "\u{1B}[3A\r\u{1B}[J")
    #expect(ProgressLine.erasing(79, columns: 0) == Self.eraser)
  }

  @Test("It measures the next run from its own beginning")
  func startsAnew() throws {
    let start = Duration.seconds(1000)
    let text = try drawn { line in
      line.update(done: 1, total: 4, at: start)
      line.finish()
      line.update(done: 0, total: 4, at: start + .seconds(60))
      line.update(done: 2_000_000, total: 4_000_000, at: start + .seconds(62))
    }
    #expect(text.hasSuffix("50%  2.00 MB/4.00 MB  1.00 MB/s  0:02 left"))
  }

  @Test("An interruption erases it and then ends the process as if nothing had been handled")
  func interruption() async throws {
    let result = try await #require(
      processExitsWith: .signal(SIGINT), observing: [\.standardErrorContent]
    ) {
      ProgressLine(on: Stream(2, name: "", color: .never)).update(done: 1, total: 4)
      // To the process: this test's own thread has all signals blocked.
      kill(getpid(), SIGINT)
      sleep(60)
    }
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text.hasSuffix(" 25%  1 B/4 B" + Self.eraser))
  }

  @Test("An interruption that is ignored stays ignored")
  func ignoredInterruption() async {
    await #expect(processExitsWith: .success) {
      signal(SIGINT, SIG_IGN)
      ProgressLine(on: Stream(2, name: "", color: .never)).update(done: 1, total: 4)
      let handler = signal(SIGINT, SIG_DFL)
      exit(unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) ? 0 : 1)
    }
  }

  private func drawn(_ body: (ProgressLine) -> Void) throws -> String {
    let pipe = Pipe()
    body(
      ProgressLine(on: Stream(pipe.fileHandleForWriting.fileDescriptor, name: "", color: .never)))
    try pipe.fileHandleForWriting.close()
    return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  }
}
