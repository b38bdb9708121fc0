import Foundation
import Testing

@Suite("stats measures checkpoints and judges them")
struct StatsTests {
  static let cases = [
    SessionCase("checkpoint", of: "stats", "run/step6-unsharded", exit: 0),
    SessionCase("optimizer", of: "stats", "--part optim --limit 5 run/step6-unsharded", exit: 0),
    SessionCase("run", of: "stats", "run", exit: 0),
    SessionCase("modules", of: "stats", "--by module run/step6-unsharded", exit: 0),
    SessionCase("blocks", of: "stats", "--by block run/step6-unsharded/model.pt", exit: 0),
    SessionCase(
      "sorted", of: "stats",
      "--sort kurtosis --limit 3 --columns name,kurtosis,at_limit run/step6-unsharded", exit: 0),
    SessionCase(
      "kept", of: "stats", "-q run -o kept", exit: 0, appears: "kept/",
      "kept/.ckptconv-batch/", "kept/.ckptconv-batch/journal.jsonl", "kept/.ckptconv-batch/lock",
      "kept/step6-unsharded.stats.json", "kept/step7-unsharded.stats.json"),
    SessionCase("failing", of: "stats", "--fail-on warning -q run", exit: 1),
    SessionCase("unknown-column", of: "stats", "--sort size run", exit: 64),
    SessionCase("missing", of: "stats", "missing.pt run/step6-unsharded/config.yaml", exit: 74),
  ]

  @Test("Tables, findings and exit codes are as recorded", arguments: cases)
  func measures(_ test: SessionCase) throws {
    let workspace = try Workspace()
    try workspace.copy("olmo2-fsdp/step6-unsharded", as: "run/step6-unsharded")
    for name in ["config.yaml", "model.pt"] {
      try workspace.copy("olmo2-fsdp/step6-unsharded/\(name)", as: "run/step7-unsharded/\(name)")
    }
    try test.run(in: workspace)
  }
}
