package import CkptBase
internal import CkptCheckpoints
internal import CkptConvert
package import CkptFormats
internal import CkptGraph
package import CkptPlan
package import CkptSkeleton

/// The planned files of an output directory, and its report.
package struct DirectoryPlan {
  private(set) var files: [DirectoryWriter.File] = []
  private(set) var report = DirectoryReport()
  private let path: String

  /// The size of all files, in bytes.
  package var byteCount: Int { files.reduce(0) { $0 + $1.plan.byteCount } }

  /// Creates a plan without files for the directory `path`.
  package init(_ path: String) { self.path = path }

  /// Adds a file that was made from `source`.
  package mutating func add(
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

  /// Adds a file with the given bytes.
  package mutating func add(_ name: String, from source: String, bytes: [UInt8]) {
    var plan = FilePlan()
    plan.append(.literal(bytes))
    add(name, from: source, plan)
  }

  /// Adds a copy of a file.
  ///
  /// - Throws: `inputOutput` if it cannot be opened.
  package mutating func add(_ name: String, copyOf source: String) throws(CheckpointError) {
    let file = try FileSource(path: source)
    var plan = FilePlan()
    plan.append(
      .copy(
        FileRegion(source: file, range: 0..<file.byteCount, name: source), range: 0..<file.byteCount
      ))
    add(name, from: source, plan)
  }

  /// Adds the files of a tokenizer: the one at `path` if given, otherwise the one in `input`.
  ///
  /// Returns whether there was one.
  ///
  /// - Throws: `inputOutput` if they cannot be opened, `unsupported` if `path` has no tokenizer.
  mutating func addTokenizer(
    at path: String?, or input: FilePath
  ) throws(CheckpointError) -> Bool {
    let files = try HuggingFaceFolder.tokenizer(at: path ?? input.text)
    for (name, path) in files { try add(name, copyOf: path) }
    if let path, files.isEmpty {
      throw CheckpointError(.unsupported, "this directory has no tokenizer").framed(
        by: path)
    }
    return !files.isEmpty
  }

  /// Adds a warning to the report.
  package mutating func warn(_ notice: Notice) { report.warnings.append(notice) }

  /// Adds a hint about an unused option to the report.
  package mutating func note(_ notice: Notice) { report.notes.append(notice) }

  /// Changes the report.
  mutating func describe(_ change: (inout DirectoryReport) -> Void) { change(&report) }
}

extension DirectoryPlan {
  /// Checks that a path is a directory.
  ///
  /// - Throws: `inputOutput` for a missing path, `unsupported` for a file.
  package static func requireDirectory(_ path: FilePath) throws(CheckpointError) {
    guard let status = try path.status() else {
      throw .missing(path.text)
    }
    guard !status.isDirectory else { return }
    throw CheckpointError(
      .unsupported, "this is a file; pass the directory of a checkpoint"
    ).framed(by: path.text)
  }
}

/// The dtype of a model's weights.
enum WeightType {
  /// The dtypes that a configuration can name and that transformers computes with.
  private static let known: Set<DType> = [.float64, .float32, .float16, .bfloat16]

  /// Returns the dtype of a model's tensors.
  ///
  /// If there are several, it warns and returns the first.
  ///
  /// - Throws: `unsupported` for dtypes that are not floating-point.
  static func only(of graph: TensorGraph, _ plan: inout DirectoryPlan) throws(CheckpointError)
    -> DType
  {
    var found: [DType] = []
    for id in graph.reachableTensors() where !found.contains(graph[id].dtype) {
      found.append(graph[id].dtype)
    }
    if let other = found.first(where: { !known.contains($0) }) {
      throw CheckpointError(
        .unsupported, "weights must be floating-point numbers, found \(other.name)")
    }
    if found.count > 1 {
      plan.warn(
        Notice(
          "weights have several dtypes: \(found.map(\.name).joined(separator: ", "))",
          remedy: .action(.castToOneDType)))
    }
    return found.first ?? .float32
  }
}
