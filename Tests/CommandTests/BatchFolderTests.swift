import Foundation
import Testing

@Suite("batch converts whole directories to Hugging Face folders and back")
struct BatchFolderTests {
  private static func workspace() throws -> Workspace {
    let workspace = try Workspace()
    try workspace.copy("olmo2-fsdp/step6-unsharded", as: "runs/a/step6-unsharded")
    try workspace.copy("olmo1-lionw/step12-unsharded", as: "runs/b/step12-unsharded")
    // The trainer leaves the configuration of a run beside its checkpoints.
    try workspace.copy("olmo1-lionw/step12-unsharded/config.yaml", as: "runs/b/config.yaml")
    return workspace
  }

  private static let folders = [
    "a/step6-unsharded/model.safetensors", "b/step12-unsharded/model.safetensors",
  ]

  static let cases = [
    BatchCase(
      "to-hf", then: "olmo-to-hf runs -o out", exit: 0, outputs: folders[0], folders[1]),
    BatchCase(
      "to-hf-existing", before: "olmo-to-hf runs -o out", then: "olmo-to-hf runs/a -o out/a",
      exit: 74, outputs: folders[0], folders[1]),
    BatchCase(
      "to-hf-resumed", before: "olmo-to-hf runs/*/step6* -o out",
      then: "olmo-to-hf runs -o out --resume -j2 -q", exit: 0, outputs: folders[0], folders[1]),
    BatchCase(
      "to-hf-resumed-otherwise", before: "olmo-to-hf runs -o out",
      then: "olmo-to-hf runs -o out --resume --dtype bf16", exit: 74, outputs: folders[0],
      folders[1]),
    BatchCase("to-hf-into-itself", then: "olmo-to-hf runs -o runs", exit: 65),
    BatchCase(
      "to-hf-without-tokenizer", then: "olmo-to-hf runs -o out --tokenizer none.json", exit: 74),
    BatchCase("to-hf-files", then: "olmo-to-hf runs/a/step6-unsharded/model.pt -o out", exit: 65),
    BatchCase(
      "to-olmo", before: "olmo-to-hf runs -o hf", then: "hf-to-olmo hf -o out", exit: 0,
      outputs: "a/step6-unsharded/model.pt", "a/step6-unsharded/train.pt",
      "b/step12-unsharded/model.pt", "b/step12-unsharded/train.pt"),
  ]

  @Test("What it prints and leaves behind is as recorded", arguments: cases)
  func runs(_ test: BatchCase) throws { try test.run(in: Self.workspace()) }
}
