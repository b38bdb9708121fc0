import CkptBase
import CkptTestSupport
import Testing

/// Runs that begin at the same time and write below one directory.
struct DirectoryRaceTests {
  @Test("A directory that several threads make at once is made by one of them and had by all")
  func makesOnce() throws {
    for round in 0..<50 {
      let root = try TemporaryDirectory()
      let path = root / "a/b/c"
      let results = Locked((made: [String](), failures: [CheckpointError]()))
      Syscalls.concurrently(8) {
        do throws(CheckpointError) {
          let made = try Syscalls.makeDirectories(path)
          results.withLock { $0.made += made }
        } catch {
          results.withLock { $0.failures.append(error) }
        }
      }
      let (made, failures) = results.withLock { $0 }
      #expect(failures.isEmpty, "round \(round)")
      #expect(made.sorted() == [root / "a", root / "a/b", root / "a/b/c"], "round \(round)")
      Syscalls.removeEmptyDirectories(made.sorted())
    }
  }

  @Test("A file in the place of a directory is still an error")
  func refusesFile() throws {
    let root = try TemporaryDirectory()
    try root.write([1], to: "a")
    #expect(throws: CheckpointError.self) { try Syscalls.makeDirectories(root / "a/b") }
  }
}
