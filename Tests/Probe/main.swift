import CkptBase
import CkptCopy
import CkptFormats
import CkptGraph
import CkptPlan
import CkptTorch

/// Calls of the library that tests judge and benchmarks time apart from the commands they are a part
/// of.
///
///     probe cast SOURCE-DTYPE TARGET-DTYPE INPUT OUTPUT [THREADS]
///     probe halves INPUT OUTPUT
///     probe open INPUT
///     probe pickles
///     probe metadata RANKS OUTPUT
///
/// `cast` takes a file of nothing but little-endian elements. `halves` takes a checkpoint of one
/// tensor, and makes a `.pt` file of its upper rows, its lower rows, and both joined in the other
/// order. `open` reads a checkpoint's structure and prints nothing. `pickles` reads pickles from the
/// standard input and prints what each of them names: see `PickleAnswer`. `metadata` writes the metadata of
/// a checkpoint for a cluster and prints the number of chunks: see `ClusterMetadata`.
enum Probe {
  struct Misuse: Error {}

  static func run(_ arguments: [String]) throws {
    switch (arguments.first, arguments.count) {
    case ("cast", 5...6): try cast(arguments)
    case ("halves", 3): try halves(arguments[1], arguments[2])
    case ("open", 2): _ = try CheckpointFile.read(arguments[1])
    case ("pickles", 1): PickleAnswer.answerAll()
    case ("metadata", 3): try metadata(arguments[1], arguments[2])
    default: throw Misuse()
    }
  }

  private static func metadata(_ ranks: String, _ output: String) throws {
    guard let rankCount = Int(ranks) else { throw Misuse() }
    let (bytes, chunkCount) = try ClusterMetadata.make(rankCount: rankCount)
    var plan = FilePlan()
    plan.append(.literal(bytes))
    try write(plan, to: output, threads: 1).commit()
    print(chunkCount)
  }

  private static func cast(_ arguments: [String]) throws {
    let (input, output) = (arguments[3], arguments[4])
    let threads = arguments.count == 6 ? Int(arguments[5]) : nil
    guard let source = DType(rawValue: arguments[1]), let target = DType(rawValue: arguments[2]),
      let cast = ElementCast(from: source, to: target)
    else { throw Misuse() }
    let file = try FileSource(path: input)
    let elements = StridedElements(
      byteOffset: 0, shape: [file.byteCount / source.byteCount], byteStrides: [source.byteCount],
      elementByteCount: source.byteCount)
    var plan = FilePlan()
    plan.append(
      .cast(FileRegion(source: file, range: 0..<file.byteCount, name: input), elements, cast))
    try write(plan, to: output, threads: threads).commit()
  }

  private static func halves(_ input: String, _ output: String) throws {
    var checkpoint = try CheckpointFile.read(input)
    guard let whole = checkpoint.graph.reachableTensors().first else { throw Misuse() }
    let rows = checkpoint.graph[whole].shape[0]
    let upper = try checkpoint.graph.addRows(0..<rows / 2, of: whole)
    let lower = try checkpoint.graph.addRows(rows / 2..<rows, of: whole)
    let turned = try checkpoint.graph.addJoined([lower, upper])
    var entries: [(key: NodeID, value: NodeID)] = []
    for (name, id) in [("upper", upper), ("lower", lower), ("turned", turned)] {
      entries.append((try checkpoint.graph.addString(name), checkpoint.graph[id].node))
    }
    checkpoint.graph.root = try checkpoint.graph.addDict(entries)
    let prefix = TorchEncoder.prefix(forFileAt: output)
    let encoding = try TorchEncoder.encode(checkpoint, options: .init(prefix: prefix))
    try write(encoding.plan, to: output).commit()
  }

  private static func write(
    _ plan: FilePlan, to path: String, threads: Int? = nil
  ) throws -> StagedOutput {
    let output = try StagedOutput(path: path, .init(replacesExisting: true))
    try CopyEngine(threadCount: threads).run(plan, into: output)
    return output
  }
}

try Probe.run(Array(CommandLine.arguments.dropFirst()))
