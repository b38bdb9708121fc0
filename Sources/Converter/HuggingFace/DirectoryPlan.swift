internal import CkptBase
internal import CkptCheckpoints
internal import CkptConvert
internal import CkptFormats
internal import CkptGraph
internal import CkptPlan
internal import CkptSkeleton

/// The files that a directory will consist of, and what is to be told of them.
struct DirectoryPlan {
  private(set) var files: [DirectoryWriter.File] = []
  private(set) var report = DirectoryReport()
  private let path: String

  /// The size of all files, in bytes.
  var byteCount: Int { files.reduce(0) { $0 + $1.plan.byteCount } }

  /// A plan for the directory `path`, without files.
  init(_ path: String) { self.path = path }

  /// Adds a file that was made from `source`.
  mutating func add(
    _ name: String, from source: String, _ plan: FilePlan, format: CheckpointFormat? = nil,
    layout: Layout? = nil, tensorCount: Int = 0, aliasCount: Int = 0, warnings: [String] = []
  ) {
    files.append(.init(name: name, source: source, plan: plan))
    report.outputs.append(
      Conversion.Output(
        source: source, target: .file(FilePath(path).appending(name).text), format: format,
        layout: layout,
        tensorCount: tensorCount, aliasCount: aliasCount, byteCount: plan.byteCount,
        warnings: warnings))
  }

  /// Adds a file with these bytes.
  mutating func add(_ name: String, from source: String, bytes: [UInt8]) {
    var plan = FilePlan()
    plan.append(.literal(bytes))
    add(name, from: source, plan)
  }

  /// Adds a copy of a file.
  ///
  /// - Throws: `inputOutput` when it cannot be opened.
  mutating func add(_ name: String, copyOf source: String) throws(CheckpointError) {
    let file = try FileSource(path: source)
    var plan = FilePlan()
    plan.append(
      .copy(
        FileRegion(source: file, range: 0..<file.byteCount, name: source), range: 0..<file.byteCount
      ))
    add(name, from: source, plan)
  }

  /// Adds the files of a tokenizer: of the one at `path` where that is given, and otherwise of the one
  /// in `input`, if there is one; returns whether there was.
  ///
  /// - Throws: `inputOutput` when they cannot be opened, `unsupported` when there is none at `path`.
  mutating func addTokenizer(
    at path: String?, or input: FilePath
  ) throws(CheckpointError) -> Bool {
    let files = try HuggingFaceFolder.tokenizer(at: path ?? input.text)
    for (name, path) in files { try add(name, copyOf: path) }
    if let path, files.isEmpty {
      throw CheckpointError(.unsupported, "there is no tokenizer in this directory").framed(
        by: path)
    }
    return !files.isEmpty
  }

  /// Warns of something that was done, but not as it might be expected.
  mutating func warn(_ notice: Notice) { report.warnings.append(notice) }

  /// Notes something that could have been done and was not asked for.
  mutating func note(_ notice: Notice) { report.notes.append(notice) }

  /// Changes what is told beside the files.
  mutating func describe(_ change: (inout DirectoryReport) -> Void) { change(&report) }
}

extension DirectoryPlan {
  /// Refuses a path at which there is no directory.
  ///
  /// - Throws: `inputOutput` for nothing, `unsupported` for a file.
  static func requireDirectory(_ path: FilePath) throws(CheckpointError) {
    guard let status = try path.status() else {
      throw .missing(path.text)
    }
    guard !status.isDirectory else { return }
    throw CheckpointError(
      .unsupported, "this is a file, and a checkpoint's directory is needed"
    ).framed(by: path.text)
  }
}

/// The type of a model's weights.
enum WeightType {
  /// The types that a configuration can name and transformers computes with.
  private static let known: Set<DType> = [.float64, .float32, .float16, .bfloat16]

  /// The type of all tensors of a model; the first one's where there are several, with a warning.
  ///
  /// - Throws: `unsupported` for types that are not floating-point numbers.
  static func only(of graph: TensorGraph, _ plan: inout DirectoryPlan) throws(CheckpointError)
    -> DType
  {
    var found: [DType] = []
    for id in graph.reachableTensors() where !found.contains(graph[id].dtype) {
      found.append(graph[id].dtype)
    }
    if let other = found.first(where: { !known.contains($0) }) {
      throw CheckpointError(
        .unsupported, "weights are floating-point numbers, these are \(other.name)")
    }
    if found.count > 1 {
      plan.warn(
        Notice(
          "weights are of several types: \(found.map(\.name).joined(separator: ", "))",
          remedy: .action(.castToOneDType)))
    }
    return found.first ?? .float32
  }
}
