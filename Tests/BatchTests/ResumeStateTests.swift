import CkptBase
import CkptCheckpoints
import CkptTestSupport
import Testing

@testable import CkptBatch

@Suite("An item is done again exactly when something is not what the journal says")
struct ResumeStateTests {
  /// A root with an input and what a batch wrote for it, and the journal of that.
  private struct Scene {
    let directory: TemporaryDirectory
    var work: FakeWork
    var record: JournalRecord

    init() throws {
      directory = try TemporaryDirectory()
      try directory.write([1, 2, 3], to: "model.pt")
      try directory.write([4, 5], to: "out")
      work = FakeWork(reads: [directory / "model.pt"], writes: [directory / "out"])
      record = JournalRecord(.done, verb: "fake", settings: "--a", item: "model.pt")
      record.run = 1
      record.inputs = [try FileIdentity(of: directory / "model.pt", hashing: true)]
      record.outputs = [try FileIdentity(of: directory / "out", as: "out")]
    }

    func standing(
      resumes: Bool = true, force: Bool = false, settings: String = "--a", hashing: Bool = false,
      after records: [JournalRecord]? = nil
    ) -> String {
      let item = BatchItem(
        name: "model.pt", input: directory / "model.pt", work: .success(work), readByteCount: 3)
      var history = JournalHistory()
      for record in records ?? [record] { history.add(record) }
      var rules = BatchRules()
      rules.settings = settings
      rules.resumes = resumes
      rules.replacesExisting = force
      rules.hashesInputs = hashing
      let check = ResumeCheck(root: directory.path, verb: "fake", rules: rules)
      switch check.standing(of: item, in: history) {
      case .fresh: return "fresh"
      case .finished: return "finished"
      case .again(let stale): return "again, removing \(stale.count)"
      case .impossible(let error):
        return "impossible: \(error.code), \(error.remedy ?? "no remedy")"
      }
    }
  }

  @Test("What is as it was is finished")
  func finished() throws {
    #expect(try Scene().standing() == "finished")
  }

  @Test("Without --resume an output that exists stops it, and the remedy is to resume")
  func withoutResume() throws {
    let scene = try Scene()
    #expect(
      scene.standing(resumes: false)
        == "impossible: inputOutput, resume")
    #expect(scene.standing(resumes: false, force: true) == "fresh")
  }

  @Test("An output of a batch with other flags is not this one's")
  func otherSettings() throws {
    #expect(
      try Scene().standing(settings: "--b")
        == "impossible: inputOutput, a batch of fake with --a wrote it; replaceExisting")
  }

  @Test("What another verb did to the item later changes nothing")
  func otherVerb() throws {
    let scene = try Scene()
    var other = JournalRecord(.done, verb: "other", settings: "", item: "model.pt")
    other.run = 2
    #expect(scene.standing(after: [scene.record, other]) == "finished")
    other.outputs = scene.record.outputs
    #expect(
      scene.standing(after: [other])
        == "impossible: inputOutput, a batch of other without flags wrote it; replaceExisting")
  }

  @Test("What had been begun is made anew, and its output makes room")
  func begun() throws {
    var scene = try Scene()
    scene.record.state = .planned
    scene.record.outputs = []
    #expect(scene.standing() == "again, removing 1")
  }

  @Test("What a kill has left of a directory makes room too")
  func leftovers() throws {
    var scene = try Scene()
    scene.record.state = .planned
    scene.record.outputs = []
    try scene.directory.write([4], to: ".out.tmp")
    scene.work.leftovers = [scene.directory / ".out.tmp"]
    #expect(scene.standing() == "again, removing 2")
    scene.record.state = .done
    scene.record.outputs = [try FileIdentity(of: scene.directory / "out", as: "out")]
    #expect(scene.standing() == "finished")
  }

  @Test("What was to be replaced is not the batch's own, and needs --force once more")
  func begunOverExisting() throws {
    var scene = try Scene()
    scene.record.state = .planned
    scene.record.outputs = [try FileIdentity(of: scene.directory / "out", as: "out")]
    #expect(scene.standing(force: true) == "again, removing 0")
    #expect(scene.standing() == "impossible: inputOutput, replaceExisting")
    try scene.directory.write([7, 7, 7], to: "out")
    #expect(scene.standing() == "again, removing 1")
  }

  @Test("What had failed left nothing behind: an output that is there is somebody else's")
  func failed() throws {
    var scene = try Scene()
    scene.record.state = .failed
    #expect(scene.standing() == "impossible: inputOutput, replaceExisting")
  }

  @Test("A changed input is converted again, and the old output makes room")
  func changedInput() throws {
    let scene = try Scene()
    try scene.directory.write([1, 2, 3, 4], to: "model.pt")
    #expect(scene.standing() == "again, removing 1")
  }

  @Test("Every file that was read counts, though two of them have one name")
  func severalInputs() throws {
    var scene = try Scene()
    let other = try TemporaryDirectory()
    try other.write([9], to: "model.pt")
    scene.work.reads.append(other / "model.pt")
    #expect(scene.standing() == "again, removing 1")
    scene.record.inputs.append(try FileIdentity(of: other / "model.pt"))
    #expect(scene.standing() == "finished")
    // The same files by another path.
    for index in scene.record.inputs.indices { scene.record.inputs[index].path = "a/model.pt" }
    #expect(scene.standing() == "finished")
    try other.write([8, 8], to: "model.pt")
    #expect(scene.standing() == "again, removing 1")
  }

  @Test("A missing output is made again, a changed one is somebody's work")
  func changedOutput() throws {
    var scene = try Scene()
    try scene.directory.write([4, 5, 6], to: "out")
    #expect(
      scene.standing()
        == "impossible: inputOutput, it was changed after the batch wrote it; replaceExisting")
    #expect(scene.standing(force: true) == "again, removing 0")
    scene.record.outputs = [FileIdentity(path: "gone", byteCount: 1, modified: 1)]
    #expect(scene.standing(force: true) == "again, removing 0")
  }

  @Test("With hashes, a touched input is still the same, and a changed one of equal time is not")
  func hashes() throws {
    var scene = try Scene()
    scene.record.inputs[0].modified += 1
    #expect(scene.standing() == "again, removing 1")
    #expect(scene.standing(hashing: true) == "finished")
    try scene.directory.write([1, 2, 9], to: "model.pt")
    scene.record.inputs[0].modified = try FileIdentity(of: scene.directory / "model.pt").modified
    #expect(scene.standing() == "finished")
    #expect(scene.standing(hashing: true) == "again, removing 1")
  }
}
