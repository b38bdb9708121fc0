#if DEBUG
  import CkptBase
  import Glibc
  import CkptGraph
  import CkptTestSupport
  import Testing

  import CkptPlan

  @testable import CkptCopy

  /// Every system call of a run fails once: the run says so and leaves nothing behind, or does
  /// without the call.
  struct FaultTests {
    struct Case: Sendable, CustomTestStringConvertible {
      let name: String
      let code: Int32
      var replacing = false
      var testDescription: String { name }
    }

    static let cases = [
      Case(name: "a broken disk", code: EIO),
      Case(name: "a full disk", code: ENOSPC),
      Case(name: "a broken disk while replacing", code: EIO, replacing: true),
      Case(name: "calls the file system lacks", code: EOPNOTSUPP),
      Case(name: "calls the file system lacks while replacing", code: EOPNOTSUPP, replacing: true),
    ]

    /// A run that reads, decodes into a temporary file, writes two files and names them.
    static func run(in directory: TemporaryDirectory, replacing: Bool) throws {
      let file = try FileSource(path: directory / "source")
      let region = FileRegion(source: file, range: 0..<5000, name: "weight")
      let deflated = FileRegion(
        source: file, range: 5000..<file.byteCount, encoding: .deflated, byteCount: 50_000,
        name: "deflated")
      let plan = FilePlan([.copy(region, range: 0..<5000), .copy(deflated, range: 0..<1000)])
      let outputs = try ["a", "b"].map { name throws(CheckpointError) in
        try StagedOutput(
          path: directory / name, .init(replacesExisting: replacing, synchronizes: true))
      }
      for output in outputs { try CopyEngine(threadCount: 2).run(plan, into: output) }
      try StagedOutput.commit(outputs)
    }

    static func directory(replacing: Bool) throws -> TemporaryDirectory {
      let directory = try TemporaryDirectory()
      try directory.write(
        sampleBytes(5000) + Deflate.stored(DeflatedRegionTests.bytes), to: "source")
      if replacing { try directory.write([1], to: "b") }
      return directory
    }

    static func state(of directory: TemporaryDirectory) -> [String: [UInt8]] {
      Dictionary(uniqueKeysWithValues: directory.names.map { ($0, directory.bytes(of: $0) ?? []) })
    }

    @Test("A failing call is reported and nothing is left behind", arguments: cases)
    func eachCall(_ example: Case) throws {
      let whole = try Self.directory(replacing: example.replacing)
      try Self.run(in: whole, replacing: example.replacing)
      let done = Self.state(of: whole)
      #expect(done["a"] == sampleBytes(5000) + DeflatedRegionTests.bytes[..<1000])

      var failures = 0
      for call in 0... {
        let directory = try Self.directory(replacing: example.replacing)
        let before = Self.state(of: directory)
        var error: CheckpointError?
        let wasReached = FaultInjection.failing(call, under: directory.path, code: example.code) {
          do {
            try Self.run(in: directory, replacing: example.replacing)
          } catch let caught as CheckpointError {
            error = caught
          } catch {
            Issue.record("call \(call): \(error)")
          }
        }
        guard wasReached else { break }
        let after = Self.state(of: directory)
        if let error {
          failures += 1
          #expect(error.cause?.number == example.code, "call \(call)")
          // Of files that replace others, the first may be in place when the second fails.
          let isHalfDone = example.replacing && after["a"] == done["a"]
          #expect(after == before || isHalfDone, "call \(call): \(error), \(after.keys)")
        } else {
          #expect(after == done, "call \(call)")
        }
        #expect(!after.keys.contains { $0.hasPrefix(".") }, "call \(call)")
      }
      #expect(failures > 10)
    }

    /// Stages `b` as on a file system whose files must have names.
    static func stageHidden(in directory: TemporaryDirectory, replacing: Bool) throws
      -> StagedOutput
    {
      var output: StagedOutput?
      // The calls of the initializer are lstat, stat and open.
      let wasReached = FaultInjection.failing(2, under: directory.path, code: EOPNOTSUPP) {
        output = try? StagedOutput(path: directory / "b", .init(replacesExisting: replacing))
      }
      #expect(wasReached)
      return try #require(output)
    }

    /// Runs `body` while the calls on `path` fail, one by one, with `codes`.
    static func failing(_ codes: [Int32], on path: String, first: Int = 0, _ body: () -> Void) {
      guard let code = codes.first else { return body() }
      let wasReached = FaultInjection.failing(first, under: path, code: code) {
        failing(Array(codes.dropFirst()), on: path, first: first + 1, body)
      }
      #expect(wasReached)
    }

    @Test(
      "Where files must have names, a hidden one is used and removed", arguments: [false, true])
    func hidden(replacing: Bool) throws {
      let directory = try Self.directory(replacing: replacing)
      let before = Self.state(of: directory)
      do {
        let output = try Self.stageHidden(in: directory, replacing: replacing)
        #expect(directory.names.count { $0.hasPrefix(".ckptconv-") } == 1)
        withExtendedLifetime(output) {}
      }
      #expect(Self.state(of: directory) == before)

      let output = try Self.stageHidden(in: directory, replacing: replacing)
      try CopyEngine().run(FilePlan([.literal([7])]), into: output)
      try output.commit()
      #expect(directory.names == ["b", "source"])
      #expect(directory.bytes(of: "b") == [7])
    }

    /// Errors of file systems without hard links, and of those without exclusive renames too.
    static let lacks: [[Int32]] = [[], [EPERM], [EPERM, EINVAL]]

    @Test("A hidden file gets its name with whatever call there is for it", arguments: lacks)
    func hiddenName(codes: [Int32]) throws {
      let directory = try TemporaryDirectory()
      let output = try Self.stageHidden(in: directory, replacing: false)
      Self.failing(codes, on: directory / "b") {
        #expect(throws: Never.self) { try output.commit() }
      }
      #expect(directory.names == ["b"])
    }

    @Test("A hidden file never takes a name that is taken", arguments: lacks)
    func hiddenNameTaken(codes: [Int32]) throws {
      let directory = try TemporaryDirectory()
      do {
        let output = try Self.stageHidden(in: directory, replacing: false)
        try directory.write([1], to: "b")
        Self.failing(codes, on: directory / "b") {
          let error = #expect(throws: CheckpointError.self) { try output.commit() }
          #expect(error?.cause?.isPresent == true)
        }
      }
      #expect(directory.names == ["b"])
      #expect(directory.bytes(of: "b") == [1])
    }
  }
#endif
