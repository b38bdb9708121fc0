import CkptBase
import Testing

@testable import CkptCopy

struct ProgressMeterTests {
  @Test("Reports come at most twenty times a second, and at the end")
  func rate() {
    let reports = Locked<[Int]>([])
    let meter = ProgressMeter(total: 100_000) { done, total in
      #expect(total == 100_000)
      reports.withLock { $0.append(done) }
    }
    let start = Syscalls.monotonicNanoseconds()
    for _ in 0..<99_999 { meter.add(1) }
    let elapsed = Syscalls.monotonicNanoseconds() - start
    let count = reports.withLock { $0.count }
    #expect(count >= 1)
    #expect(count <= 1 + elapsed / 50_000_000)
    meter.add(1)
    meter.finish()
    #expect(reports.withLock { $0.last } == 100_000)
    #expect(reports.withLock { $0.count } == count + 1)
  }
}
