import CkptBase
import CkptPlan
import Glibc
import CkptGraph
import CkptTestSupport
import Testing

@testable import CkptCopy

/// A directory with a file in it and one in a directory inside.
struct StagedDirectoryTests {
  static let files = ["x", "inner/y"]
  let root: TemporaryDirectory

  init() throws { root = try TemporaryDirectory() }

  /// Stages the directory `name` with its files, and gives it its name unless `isAbandoned`.
  static func make(
    _ name: String, in root: TemporaryDirectory, synchronizing: Bool = false,
    abandoned isAbandoned: Bool = false, beforeCommit: () throws -> Void = {}
  ) throws {
    let directory = try StagedDirectory(path: root / name, inner: ["inner"])
    do {
      let outputs = try files.map { file in
        try StagedOutput(path: directory.place(of: file), .init(synchronizes: synchronizing))
      }
      for (output, file) in zip(outputs, files) {
        try CopyEngine().run(FilePlan([.literal(Array(file.utf8))]), into: output)
      }
      try StagedOutput.commit(outputs)
      try beforeCommit()
      guard !isAbandoned else { return directory.discard(files) }
      try directory.commit(synchronizing: synchronizing)
    } catch {
      directory.discard(files)
      throw error
    }
  }

  func isWhole(_ name: String) -> Bool {
    Self.files.allSatisfy { root.bytes(of: "\(name)/\($0)") == Array($0.utf8) }
  }

  @Test("A directory appears with everything in it and not before", arguments: [false, true])
  func appears(isSynchronizing: Bool) throws {
    try Self.make("a/b", in: root, synchronizing: isSynchronizing) {
      #expect(root.names == ["a"])
      let status = try Syscalls.status(at: root / "a/b")
      #expect(status == nil)
    }
    #expect(try Syscalls.names(in: root / "a") == ["b"])
    #expect(isWhole("a/b"))
  }

  @Test("A slash behind the name makes no difference")
  func trailingSlash() throws {
    try Self.make("a//", in: root)
    #expect(isWhole("a"))
  }

  @Test("A directory that is given up leaves nothing, nor do those made for it")
  func abandoned() throws {
    try Self.make("a/b", in: root, abandoned: true)
    #expect(root.names == [])
  }

  @Test("An empty directory of the name is taken")
  func empty() throws {
    _ = try Syscalls.makeDirectories(root / "a")
    try Self.make("a", in: root)
    #expect(isWhole("a"))
  }

  @Test("What has the name is left alone, with the way out of it", arguments: ["file", "full"])
  func occupied(name: String) throws {
    try root.write([1], to: "file")
    _ = try Syscalls.makeDirectories(root / "full")
    try root.write([1], to: "full/x")
    let error = #expect(throws: CheckpointError.self) { try Self.make(name, in: root) }
    #expect(error?.cause?.isPresent == true)
    #expect(error?.remedy == .action(.replaceInDirectory))
    #expect(root.names == ["file", "full"])
    #expect(root.bytes(of: "full/x") == [1])
  }

  @Test("A name that is taken meanwhile is left to whoever took it")
  func taken() throws {
    let error = #expect(throws: CheckpointError.self) {
      try Self.make("a", in: root) {
        _ = try Syscalls.makeDirectories(root / "a")
        try root.write([1], to: "a/x")
      }
    }
    #expect(error?.code == .inputOutput)
    #expect(root.names == ["a"])
    #expect(try Syscalls.names(in: root / "a") == ["x"])
    #expect(root.bytes(of: "a/x") == [1])
  }

  #if DEBUG
    @Test(
      "A failing call is reported and nothing is left behind, or the run does without it",
      arguments: [EIO, ENOSPC, EOPNOTSUPP])
    func eachCall(code: Int32) throws {
      var failures = 0
      for call in 0... {
        let root = try TemporaryDirectory()

        let wasReached = FaultInjection.failing(call, under: root.path, code: code) {
          do {
            try Self.make("a/b", in: root, synchronizing: true)
          } catch {
            #expect(error is CheckpointError, "call \(call)")
            failures += 1
          }
        }
        guard wasReached else { break }
        #expect([[], ["a"]].contains(root.names), "call \(call)")
        let whole = Self.files.filter { root.bytes(of: "a/b/\($0)") == Array($0.utf8) }
        #expect(whole == (root.names.isEmpty ? [] : Self.files), "call \(call)")
      }
      #expect(failures > 10)
    }
  #endif
}
