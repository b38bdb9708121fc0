import CkptBase
import CkptFormats
import CkptTestSupport
import Testing

@testable import CkptCheck

@Suite("An optimizer's state is held against the model")
struct OptimizerCheckTests {
  @Test("Names that only Unicode calls the same are two parameters")
  func exactNames() throws {
    let file = TorchFileBuilder()
    let names = [Spellings.composed, Spellings.decomposed]
    var states: [PickledValue] = []
    for name in names {
      states += [.str(name), ["exp_avg": file.tensor([2]), "exp_avg_sq": file.tensor([2])]]
    }
    let keys = PickledValue.list(names.map { .str($0) })
    let directory = try TemporaryDirectory()
    try directory.write(
      file.bytes(["state": .dict(states), "param_groups": [["params": keys]]]), to: "optim.pt")
    let graph = try CheckpointFile.read(directory / "optim.pt").graph
    let shapes: [ExactString: [Int]] = [ExactString(names[0]): [2], ExactString(names[1]): [2]]
    let check = try OptimizerCheck(graph, at: "optim.pt", model: shapes, optimizer: nil)
    #expect(check.parameterCount == 2)
    #expect(check.findings.isEmpty)
  }
}
