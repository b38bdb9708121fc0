import CkptBase
import CkptCopy
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptBatch

/// The work for an item.
private typealias ItemBody = @Sendable (WorkBudget) throws(CheckpointError) -> WorkResult

/// A root for items that read one file each and write another unless their body fails.
private struct Scene {
  let directory: TemporaryDirectory
  let recorder = Recorder()
  var rules = BatchRules()
  var bodies: [String: ItemBody] = [:]

  init() throws { directory = try TemporaryDirectory() }

  mutating func add(_ name: String, _ body: @escaping ItemBody) { bodies[name] = body }

  /// Runs the batch of these bodies, in the order of their names.
  func run() throws -> BatchReport {
    let items = bodies.keys.sorted().map { name in
      let (directory, body) = (directory, bodies[name])
      let output = directory / "\(name).out"
      let work = FakeWork(reads: [], writes: [output]) { budget throws(CheckpointError) in
        var result = WorkResult()
        if let body { result = try body(budget) }
        Syscalls.close(try Syscalls.open(output, .createNew))
        result.outputs = [output]
        return result
      }
      return BatchItem(name: name, input: name, work: .success(work), readByteCount: 10)
    }
    let store = try BatchStore(root: directory.path, for: FakeVerb(), shard: nil, \.description)
    let schedule = BatchSchedule(
      BatchPlan(items: items), store.history, verb: FakeVerb(), root: directory.path, rules)
    return try BatchRun(
      schedule, verb: FakeVerb(), store: store, rules, observer: recorder
    ).run()
  }

  func outcomes(_ report: BatchReport) -> [String] {
    report.items.map { "\($0.name) \($0.outcome)" }
  }

  /// The states in the journal, each item's in their order.
  func journal() throws -> [String: JournalRecord] {
    let history = try BatchStore.history(of: directory.path, for: FakeVerb())
    return Dictionary(uniqueKeysWithValues: history.records.map { ($0.item, $0) })
  }
}

/// Counts calls from any thread.
private final class CallCount: Sendable {
  private let count = Locked(0)

  /// Returns the number of earlier calls.
  func next() -> Int {
    count.withLock { count in
      count += 1
      return count - 1
    }
  }
}

/// A body that fails on every input.
private let fails: ItemBody = { _ throws(CheckpointError) in
  throw CheckpointError(.truncated, "cut off")
}

@Suite("A run does what can be done and writes down what became of it")
struct BatchRunTests {
  @Test("All items are done, whatever the number of jobs", arguments: [1, 2, 7, 64])
  func doesAll(jobs: Int) throws {
    var scene = try Scene()
    scene.rules.jobs = jobs
    for number in 0..<40 { scene.add("item\(number)") { _ in WorkResult() } }
    let report = try scene.run()
    #expect(report.isComplete)
    #expect(report.count(.done) == 40)
    #expect(try scene.journal().values.allSatisfy { $0.state == .done && $0.outputs.count == 1 })
    let told = scene.recorder.finished.withLock { $0 }
    #expect(told.map(\.progress.itemsDone) == Array(1...40))
    #expect(told.last?.progress.bytesDone == 400)
    scene.rules.resumes = true
    #expect(try scene.run().count(.finished) == 40)
  }

  @Test("The first failure ends the batch, and what was not begun stays to do")
  func stops() throws {
    var scene = try Scene()
    scene.bodies = ["a": { _ in WorkResult() }, "b": fails, "c": { _ in WorkResult() }]
    let report = try scene.run()
    #expect(scene.outcomes(report) == ["a done", "b failed", "c pending"])
    #expect(report.stop?.code == .truncated)
    #expect(try scene.journal()["b"]?.failure?.code == "truncated")
    #expect(try scene.journal()["c"]?.state == .planned)
  }

  @Test("A resumed run that stops at failures does first what has not failed")
  func failuresComeLast() throws {
    var scene = try Scene()
    scene.bodies = ["a": fails, "b": { _ in WorkResult() }, "c": { _ in WorkResult() }]
    #expect(try scene.outcomes(scene.run()) == ["a failed", "b pending", "c pending"])
    scene.rules.resumes = true
    #expect(try scene.outcomes(scene.run()) == ["a failed", "b done", "c done"])
  }

  @Test("With --keep-going the others are done, and a resumed run does the rest")
  func keepsGoing() throws {
    var scene = try Scene()
    scene.rules.keepsGoing = true
    scene.bodies = ["a": { _ in WorkResult() }, "b": fails, "c": { _ in WorkResult() }]
    #expect(try scene.outcomes(scene.run()) == ["a done", "b failed", "c done"])
    scene.rules.resumes = true
    scene.add("b") { _ in WorkResult() }
    #expect(try scene.outcomes(scene.run()) == ["a finished", "b done", "c finished"])
  }

  @Test("A full disk ends the batch even with --keep-going")
  func stopsOnFullDisk() throws {
    var scene = try Scene()
    scene.rules.keepsGoing = true
    scene.bodies = [
      "a": { _ throws(CheckpointError) in throw CheckpointError.outOfSpace("out") },
      "b": { _ in WorkResult() },
    ]
    #expect(try scene.outcomes(scene.run()) == ["a failed", "b pending"])
  }

  @Test(
    "A batch that is cancelled begins no other item, and leaves what it has begun to the next run")
  func stopsWhenCancelled() throws {
    var scene = try Scene()
    scene.rules.keepsGoing = true
    let cancellation = Cancellation()
    scene.rules.budget.cancellation = cancellation
    scene.bodies = [
      "a": { _ in WorkResult() },
      "b": { budget throws(CheckpointError) in
        cancellation.cancel()
        try budget.copying.cancellation?.check()
        return WorkResult()
      },
      "c": { _ in WorkResult() },
    ]
    let report = try scene.run()
    #expect(scene.outcomes(report) == ["a done", "b pending", "c pending"])
    #expect(report.stop?.code == .cancelled)
    #expect(try scene.journal()["b"]?.state == .planned)
  }

  struct Retry: Sendable, CustomTestStringConvertible {
    let error: CheckpointError
    let attempts: Int
    var testDescription: String { error.description }
  }

  static let retries = [
    Retry(error: CheckpointError(.inputOutput, "stumbled"), attempts: 3),
    Retry(error: CheckpointError(call: "read", path: "a", errno: 5), attempts: 3),
    Retry(error: CheckpointError.missing("a"), attempts: 1),
    Retry(error: CheckpointError.outOfSpace("a"), attempts: 1),
    Retry(error: CheckpointError(.malformed, "broken"), attempts: 1),
  ]

  @Test("Only what may pass is tried again", arguments: retries)
  func triesAgain(_ test: Retry) throws {
    var scene = try Scene()
    scene.rules.retries = 2
    let (calls, error) = (CallCount(), test.error)
    scene.add("a") { _ throws(CheckpointError) in
      _ = calls.next()
      throw error
    }
    let report = try scene.run()
    #expect(calls.next() == test.attempts)
    #expect(report.items[0].attempts == test.attempts)
    #expect(report.items[0].outcome == .failed)
  }

  @Test("An attempt that succeeds after failures is a success")
  func retrySucceeds() throws {
    var scene = try Scene()
    scene.rules.retries = 1
    let calls = CallCount()
    scene.add("a") { _ throws(CheckpointError) in
      if calls.next() == 0 { throw CheckpointError(.inputOutput, "stumbled") }
      return WorkResult()
    }
    #expect(try scene.outcomes(scene.run()) == ["a done"])
  }

  @Test("Threads and memory are those of one run, however many items are done at once")
  func sharesBudget() throws {
    for jobs in [1, 2, 4] {
      var scene = try Scene()
      scene.rules.jobs = jobs
      scene.rules.budget.threads = 4
      let budgets = Locked<[WorkBudget]>([])
      for number in 0..<8 {
        scene.add("item\(number)") { budget in
          budgets.withLock { $0.append(budget) }
          return WorkResult()
        }
      }
      _ = try scene.run()
      let found = budgets.withLock { $0 }
      #expect(found.allSatisfy { $0.copying.workingMemory == (20 << 20) / jobs })
      // The last items have the threads of those that have ended.
      #expect(found.prefix(8 - jobs + 1).allSatisfy { $0.copying.threads == 4 / jobs })
    }
  }

  @Test("What a verb found is a problem, and stays one when the batch is resumed")
  func problems() throws {
    var scene = try Scene()
    scene.add("a") { _ in
      var result = WorkResult()
      result.problems = ["a weight is NaN"]
      return result
    }
    #expect(try scene.outcomes(scene.run()) == ["a problem"])
    scene.rules.resumes = true
    let report = try scene.run()
    #expect(scene.outcomes(report) == ["a problem"])
    #expect(report.items[0].problems == ["a weight is NaN"])
    #expect(!report.isComplete)
  }

  @Test("One merged report tells what all journals say")
  func merges() throws {
    var scene = try Scene()
    scene.rules.keepsGoing = true
    scene.bodies = ["a": { _ in WorkResult() }, "b": fails]
    _ = try scene.run()
    scene.rules.resumes = true
    let items = ["a", "b", "c"].map { name in
      BatchItem(
        name: name, input: name,
        work: .success(FakeWork(reads: [], writes: [scene.directory / "\(name).out"])),
        readByteCount: 10)
    }
    let history = try BatchStore.history(of: scene.directory.path, for: FakeVerb())
    let schedule = BatchSchedule(
      BatchPlan(items: items), history, verb: FakeVerb(), root: scene.directory.path, scene.rules)
    let report = BatchReport(merging: schedule, history, verb: FakeVerb())
    #expect(scene.outcomes(report) == ["a finished", "b failed", "c pending"])
    #expect(report.items[1].failure?.message == "cut off")
    #expect(!report.isComplete)
  }
}
