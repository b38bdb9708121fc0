import CkptConverter
import CkptTestSupport
import Testing

@Suite("A program that uses the library can cancel a run")
struct CancellationTests {
  /// So little memory that the run of a small file takes many steps.
  private let budget = CopyBudget(threads: 1, workingMemory: 1 << 12, cancellation: Cancellation())
  private let source = Fixture.path("plain/opt-sgd.pt")

  /// Cancels in the middle of `run` and returns the error that it throws.
  private func cancelling(
    _ run: (@escaping @Sendable (_ done: Int, _ total: Int) -> Void) throws(CheckpointError) -> Void
  ) throws -> CheckpointError? {
    let cancellation = try #require(budget.cancellation)
    return #expect(throws: CheckpointError.self) {
      try run { done, total in
        if done < total { cancellation.cancel() }
      }
    }
  }

  @Test("A conversion stops in the middle of a copy, says so and leaves nothing")
  func conversion() throws {
    let directory = try TemporaryDirectory()
    var options = ConversionOptions()
    options.budget = budget
    options.manifest = directory / "manifest.json"
    let conversion = Conversion(options)
    let task = try #require(
      try conversion.tasks(for: [source], to: .path(directory / "new/")).first)
    let error = try cancelling { progress throws(CheckpointError) in
      _ = try conversion.run(task, progress: progress)
    }
    #expect(error?.code == .cancelled)
    #expect(error?.description == "\(source): the run was cancelled")
    #expect(directory.names == [])
  }

  @Test("A comparison stops")
  func verification() throws {
    let pair = try #require(try FilePairing(of: source, and: source).pairs.first)
    let error = try cancelling { progress throws(CheckpointError) in
      _ = try VerifyFinding(of: pair, budget: budget, progress: progress)
    }
    #expect(error?.code == .cancelled)
  }

  @Test("An examination stops, and does not take the request for damage")
  func examination() throws {
    var options = CheckOptions()
    options.budget = budget
    let error = try cancelling { [options] progress throws(CheckpointError) in
      _ = try CheckpointCheck(of: source, options, progress: progress)
    }
    #expect(error?.code == .cancelled)
  }

  @Test("A scan stops, and does not take the request for damage")
  func scan() throws {
    let directory = try TemporaryDirectory()
    let builder = TorchFileBuilder()
    try directory.write(
      builder.bytes(.dict([.str("x"), builder.tensor([1 << 20])])), to: "model.pt")
    let error = try cancelling { [budget] progress throws(CheckpointError) in
      _ = try FileScan(
        of: directory / "model.pt", cancellation: budget.cancellation, progress: progress)
    }
    #expect(error?.code == .cancelled)
    #expect(error?.path == [directory / "model.pt"])
  }

  @Test("The digests of a manifest stop, and no manifest appears")
  func manifest() throws {
    let directory = try TemporaryDirectory()
    let maker = ManifestMaker(budget: budget)
    let error = try cancelling { progress throws(CheckpointError) in
      _ = try maker.write(of: source, to: directory / "manifest.json", progress: progress)
    }
    #expect(error?.code == .cancelled)
    #expect(directory.names == [])
  }

  @Test("A run that is cancelled before it begins does nothing")
  func before() throws {
    budget.cancellation?.cancel()
    let pair = try #require(try FilePairing(of: source, and: source).pairs.first)
    let error = #expect(throws: CheckpointError.self) {
      _ = try DiffFinding(of: pair, budget: budget)
    }
    #expect(error?.code == .cancelled)
  }
}
