import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCopy

/// Runs that begin at the same time and write into one directory, which each of them would make.
struct OutputDirectoriesTests {
  let root: TemporaryDirectory

  init() throws { root = try TemporaryDirectory() }

  func stage(
    _ name: String, replacing: Bool = false, in directories: OutputDirectories? = nil
  ) throws -> StagedOutput {
    let output = try StagedOutput(
      path: root / name, .init(replacesExisting: replacing, synchronizes: true), in: directories)
    try CopyEngine().run(FilePlan([.literal(Array(name.utf8))]), into: output)
    return output
  }

  @Test("A directory is made where an output needs it, and goes with a run that fails")
  func discarded() throws {
    let directories = OutputDirectories()
    do {
      let output = try stage("a/b/x", in: directories)
      #expect(root.names == ["a"])
      withExtendedLifetime(output) {}
    }
    directories.discard()
    #expect(root.names == [])
  }

  @Test("A directory that has files of others in it stays")
  func shared() throws {
    let directories = OutputDirectories()
    _ = try stage("a/b/x", in: directories)
    try root.write([1], to: "a/other")
    directories.discard()
    #expect(root.names == ["a"])
    #expect(root.bytes(of: "a/other") == [1])
  }

  @Test("Without leave to make it, a missing directory is an error")
  func missing() throws {
    let error = #expect(throws: CheckpointError.self) { try stage("a/x") }
    #expect(error?.cause?.isMissing == true)
    #expect(root.names == [])
  }

  @Test("An output outlives the run that made its directory", arguments: [false, true])
  func outlives(replacing: Bool) throws {
    let failing = OutputDirectories()
    let first = try stage("a/b/x", in: failing)
    let second = try stage("a/b/y", replacing: replacing, in: OutputDirectories())
    // It was there when the third began, who was not to make any.
    let third = try stage("a/b/z", replacing: replacing)
    withExtendedLifetime(first) {}
    failing.discard()
    try second.commit()
    try third.commit()
    #expect(root.bytes(of: "a/b/y") == Array("a/b/y".utf8))
    #expect(root.bytes(of: "a/b/z") == Array("a/b/z".utf8))
  }

  @Test("A directory that was made again goes too when the output cannot have its name")
  func madeAgain() throws {
    let failing = OutputDirectories()
    _ = try stage("a/x", in: failing)
    let outputs = try [stage("a/y"), stage("taken")]
    failing.discard()
    try #require(root.names == [], "this file system has no files without names")
    try root.write([1], to: "taken")
    #expect(throws: CheckpointError.self) { try StagedOutput.commit(outputs) }
    #expect(root.names == ["taken"])
  }

  @Test("Of runs that fail and runs that succeed at once, those that succeed have their files")
  func race() throws {
    for round in 0..<30 {
      let root = try TemporaryDirectory()
      let state = Locked((next: 0, errors: [String]()))
      Syscalls.concurrently(8) {
        let number = state.withLock { state in
          state.next += 1
          return state.next
        }
        for file in 0..<20 {
          let directories = OutputDirectories()
          do throws(CheckpointError) {
            let output = try StagedOutput(path: root / "a/b/\(number)-\(file)", in: directories)
            try CopyEngine(threadCount: 1).run(FilePlan([.literal([7])]), into: output)
            if number.isMultiple(of: 2) { try output.commit() }
          } catch {
            state.withLock { $0.errors.append(error.description) }
          }
          if !number.isMultiple(of: 2) { directories.discard() }
        }
      }
      #expect(state.withLock { $0.errors } == [], "round \(round)")
      for number in [2, 4, 6, 8] {
        for file in 0..<20 { #expect(root.bytes(of: "a/b/\(number)-\(file)") == [7]) }
      }
    }
  }
}
