public import CkptBase
internal import CkptCheckpoints
internal import CkptJSON
internal import CkptModels
internal import CkptYAML

/// The first answer about a directory: the model, its size, its optimizer, its files.
public struct CheckpointSummary: Hashable, Sendable {
  /// The directory.
  public var path: String
  /// The kind of directory, in words.
  public var kind: String
  /// The architecture of the configuration, in words; `nil` if it is unknown.
  public var architecture: String?
  /// The number of layers; `nil` if it is unknown.
  public var layerCount: Int?
  /// The number of parameters of the model; `nil` without a model.
  public var parameterCount: Int?
  /// The dtypes of the model's tensors, the most frequent first.
  public var dtypes: [String] = []
  /// The training step; `nil` if it is unknown.
  public var step: Int?
  /// The name of the optimizer in the configuration; `nil` if it is unknown.
  public var optimizerName: String?
  /// The optimizer's state; `nil` for none.
  public var optimizer: OptimizerFacts?
  /// The names and sizes of the files with contents, and the configuration.
  public var files: [File] = []
  /// The unusual facts, in words.
  public var remarks: [String] = []

  /// A file of the directory.
  public struct File: Hashable, Sendable {
    /// The name.
    public var name: String
    /// The size in bytes.
    public var byteCount: Int
  }

  /// Summarizes a directory from its configuration and the contents of its files.
  ///
  /// - Throws: `inputOutput` if the directory cannot be read.
  public init(of path: String, _ contents: [Inspection]) throws(CheckpointError) {
    self.path = path
    let place = FilePath(path)
    kind =
      switch try DirectoryKind(of: place) {
      case .olmo, .run: "OLMo checkpoint"
      case .huggingFace: "Hugging Face model"
      case .distributed(let name), .sharded(let name): name
      case .unknown: "checkpoint"
      }
    for file in contents {
      files.append(File(name: FilePath(file.path).name, byteCount: file.byteCount))
      step = step ?? (file.facts.kind == .model ? nil : file.facts.step)
      optimizer = optimizer ?? file.facts.optimizer
      remarks += file.remarks
      guard parameterCount == nil, file.facts.kind == .model || contents.count == 1 else {
        continue
      }
      layerCount = file.facts.layerCount
      parameterCount = file.elementCount
      dtypes = file.dtypes.map(\.dtype)
    }
    for name in CheckpointMembers.configurations {
      let file = place.appending(name)
      guard let status = try file.status(), status.isRegular else { continue }
      files.append(File(name: name, byteCount: status.byteCount))
      do throws(CheckpointError) {
        try readConfiguration(name, at: file.text)
      } catch {
        remarks.append("\(name) could not be read: \(error.message)")
      }
    }
  }

  private mutating func readConfiguration(
    _ name: String, at path: String
  ) throws(CheckpointError) {
    if name == OLMoDirectory.configuration {
      let config = try OLMoConfig(path: path)
      architecture = (try? Architecture(of: config.model))?.title ?? "OLMo"
      layerCount = config.model.layerCount
      if case .string(let name)? = config.document["optimizer"]?.mapping?["name"]?.scalar {
        optimizerName = Self.optimizers[name] ?? name
      }
    } else if architecture == nil {
      let config = try HuggingFaceConfig(path: path)
      architecture =
        (try? Architecture(of: config))?.title
        ?? config["architectures"]?.sequence?.first?.scalar?.description
      if case .integer(let count)? = config["num_hidden_layers"]?.scalar { layerCount = count }
    }
  }

  /// The names of OLMo's optimizers (`OptimizerType` of `olmo/config.py`).
  private static let optimizers = ["adamw": "AdamW", "lionw": "LionW"]
}

extension CheckpointSummary {
  /// The summary as one JSON object; `Documentation/json.md` describes its members.
  func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("path", path)
    json.member("kind", kind)
    json.member("architecture", architecture)
    json.member("layers", layerCount)
    json.member("parameters", parameterCount)
    json.member("dtypes", dtypes)
    json.member("step", step)
    json.member("optimizer_name", optimizerName)
    json.key("optimizer")
    if let optimizer { optimizer.write(to: &json) } else { json.null() }
    json.key("files")
    json.beginArray()
    for file in files {
      json.beginObject()
      json.member("name", file.name)
      json.member("bytes", file.byteCount)
      json.endObject()
    }
    json.endArray()
    json.member("remarks", remarks)
    json.endObject()
  }
}

extension Architecture {
  /// The name for people.
  fileprivate var title: String {
    switch self {
    case .olmo: "OLMo 1"
    case .olmo2: "OLMo 2"
    case .olmo3: "OLMo 3"
    case .llama: "Llama"
    }
  }
}
