import Foundation
import Testing

@Suite("batch does to many inputs what its verb does to one")
struct BatchTests {
  private static func workspace() throws -> Workspace {
    let workspace = try Workspace()
    for (name, step) in [("runs/a", 9), ("runs/a", 10), ("runs/b", 3)] {
      try workspace.copy(
        "olmo1-lionw/step12-unsharded/model.pt", as: "\(name)/step\(step)-unsharded/model.pt")
    }
    try workspace.copy("plain/state_dict-tied.pt", as: "files/model.pt")
    try workspace.copy("plain/state_dict-tied.pt", as: "files/model.bin")
    try workspace.copy("plain/opt-sgd.pt", as: "files/optim.pt")
    try workspace.write(workspace.bytes("files/optim.pt").prefix(5000), to: "files/cut.pt")
    try workspace.write(Data("# two of them\nfiles/optim.pt\n\nruns/b\n".utf8), to: "list.txt")
    try workspace.write(Data("files/optim.pt\ns3://bucket/step1\n".utf8), to: "urls.txt")
    return workspace
  }

  private static let all = [
    "a/step10-unsharded/model.safetensors", "a/step9-unsharded/model.safetensors",
    "b/step3-unsharded/model.safetensors",
  ]

  static let cases = [
    BatchCase(
      "tree", then: "pt-to-safetensors runs -o out", exit: 0, outputs: all[0], all[1], all[2]),
    BatchCase(
      "flags", then: "pt-to-safetensors runs/b --layout olmo --no-skeleton -o out", exit: 0,
      outputs: "step3-unsharded/model.safetensors"),
    BatchCase(
      "pattern", then: "pt-to-safetensors runs/*/step?-* -o out -j4 --quiet", exit: 0,
      outputs: all[1], all[2]),
    BatchCase(
      "list", then: "pt-to-safetensors --from list.txt -o out", exit: 0,
      outputs: "files/optim.safetensors", "runs/b/step3-unsharded/model.safetensors"),
    BatchCase("list-of-urls", then: "pt-to-safetensors --from urls.txt -o out", exit: 65),
    BatchCase("missing", then: "pt-to-safetensors runs files/none.pt -o out", exit: 74),
    BatchCase(
      "missing-going-on", then: "pt-to-safetensors -k runs/b files/none.pt -o out", exit: 74,
      outputs: "runs/b/step3-unsharded/model.safetensors"),
    BatchCase("nothing-found", then: "safetensors-to-pt runs -o out", exit: 65),
    BatchCase(
      "collision", then: "pt-to-safetensors files/model.pt files/model.bin runs -o out", exit: 65),
    BatchCase(
      "failure", then: "pt-to-safetensors files/cut.pt files/optim.pt -o out", exit: 65),
    BatchCase(
      "failure-going-on", then: "pt-to-safetensors -k files/cut.pt files/optim.pt -o out", exit: 65,
      outputs: "optim.safetensors"),
    BatchCase(
      "existing", before: "pt-to-safetensors runs/b -o out",
      then: "pt-to-safetensors runs/b -o out", exit: 74,
      outputs: "step3-unsharded/model.safetensors"),
    BatchCase(
      "resumed", before: "pt-to-safetensors runs/*/step9* -o out",
      then: "pt-to-safetensors runs/ -o out --resume", exit: 0, outputs: all[0], all[1], all[2]),
    BatchCase(
      "resumed-otherwise", before: "pt-to-safetensors runs -o out",
      then: "pt-to-safetensors runs -o out --resume --layout olmo", exit: 74, outputs: all[0],
      all[1], all[2]),
    BatchCase(
      "beside-inputs", then: "pt-to-safetensors files/optim.pt -o files", exit: 0),
    BatchCase(
      "merged", before: "pt-to-safetensors runs -o out --shard 1/2",
      then: "pt-to-safetensors runs -o out --merge-reports", exit: 1, outputs: all[0], all[2]),
    BatchCase(
      "report-in-place-of-file", then: "pt-to-safetensors runs -o out --resume --report list.txt",
      exit: 74),
    BatchCase(
      "report-again", before: "pt-to-safetensors runs/b -o out --report all.jsonl",
      then: "pt-to-safetensors runs/b -o out --resume --report all.jsonl", exit: 0,
      outputs: "step3-unsharded/model.safetensors"),
    BatchCase("json", then: "pt-to-safetensors runs/none -k -o out --json", exit: 74),
  ]

  @Test("What it prints and leaves behind is as recorded", arguments: cases)
  func runs(_ test: BatchCase) throws {
    try test.run(in: Self.workspace())
  }
}
