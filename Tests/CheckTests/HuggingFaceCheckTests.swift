import CkptBase
import CkptCheck
import CkptModels
import CkptTestSupport
import Testing

@Suite("What is wrong with a Hugging Face folder is found, each thing once")
struct HuggingFaceCheckTests {
  /// A sound folder that a test spoils before it is written and checked.
  struct Folder {
    /// The members of `config.json`, as text.
    var configuration: String
    var tensors: [(name: String, shape: [Int])]
    /// The metadata of the safetensors file, as JSON.
    var metadata: String? = #"{"format":"pt"}"#
    /// Files that are written in place of others or beside them; those that are `nil` are left out.
    var files: [String: [UInt8]?] = [:]

    init() throws {
      let olmo = try CheckScene().configuration()
      configuration = String(
        decoding: try HuggingFaceTranslation(olmo).config.text(), as: UTF8.self)
      tensors = try TensorMap(of: olmo.model).huggingFace.map { ($0.name, $0.shape) }
    }

    /// The file of the weights.
    var weights: [UInt8] {
      var members = metadata.map { ["\"__metadata__\":\($0)"] } ?? []
      var offset = 0
      for (name, shape) in tensors {
        let end = offset + 4 * shape.reduce(1, *)
        members.append(
          #""\#(name)":{"dtype":"F32","shape":\#(shape),"data_offsets":[\#(offset),\#(end)]}"#)
        offset = end
      }
      return SafetensorsFile(
        "{\(members.joined(separator: ","))}", data: [UInt8](repeating: 0, count: offset)
      ).bytes
    }

    func check(for target: LoadTarget? = nil) throws -> (lines: [String], CheckpointCheck) {
      let directory = try TemporaryDirectory()
      var contents: [String: [UInt8]?] = [
        "config.json": Array(configuration.utf8), "model.safetensors": weights,
      ]
      contents.merge(files) { $1 }
      for (file, bytes) in contents {
        if let bytes { try directory.write(bytes, to: file) }
      }
      var options = CheckOptions()
      options.consumer = target
      return try CheckScene.check(directory.path, options)
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let target: LoadTarget?
    let start: String?
    let words: String
    let spoil: @Sendable (inout Folder) throws -> Void

    init(
      _ testDescription: String, for target: LoadTarget? = nil, _ start: String?,
      _ words: String = "",
      _ spoil: @escaping @Sendable (inout Folder) throws -> Void = { _ in }
    ) {
      self.testDescription = testDescription
      self.target = target
      self.start = start
      self.words = words
      self.spoil = spoil
    }
  }

  static let cases = [
    Case("nothing wrong", nil),
    Case("nothing wrong for transformers", for: .huggingFace, nil),
    Case("no configuration", "problem files config.json", "missing") {
      $0.files["config.json"] = .some(nil)
    },
    Case("a configuration that is no JSON", "problem configuration config.json") {
      $0.configuration += "}"
    },
    Case("weights for a configuration", "problem content config.json", "tensors") {
      $0.files["config.json"] = $0.weights
    },
    Case("no weights", "problem files", "no model.safetensors") {
      $0.files["model.safetensors"] = .some(nil)
    },
    Case("weights that are cut off", "problem content model.safetensors") {
      $0.files["model.safetensors"] = Array($0.weights.dropLast(5))
    },
    Case("a tensor is missing", "problem tensors model.safetensors", "is missing") {
      $0.tensors.removeAll { $0.name == "model.norm.weight" }
    },
    Case("a tensor too many", "problem tensors model.safetensors", "not part of the model") {
      $0.tensors.append(("extra", [2]))
    },
    Case("a tensor of another shape", "problem tensors model.safetensors", "has shape [9]") {
      for index in $0.tensors.indices where $0.tensors[index].name == "model.norm.weight" {
        $0.tensors[index].shape = [9]
      }
    },
    Case("layers are missing", "problem tensors model.safetensors", "1 block is missing") {
      $0.tensors.removeAll { $0.name.hasPrefix("model.layers.1.") }
    },
    Case("a model of another kind", "note configuration config.json", "not compared") {
      $0.configuration = $0.configuration.replacing("\"olmo2\"", with: "\"gpt2\"")
    },
    Case(
      "metadata without a format", for: .huggingFace, "problem loading model.safetensors", "format"
    ) { $0.metadata = #"{"a":"b"}"# },
    Case(
      "metadata of another format", for: .huggingFace, "problem loading model.safetensors",
      "'format: tf'"
    ) { $0.metadata = #"{"format":"tf"}"# },
    Case("no metadata at all", for: .huggingFace, nil) { $0.metadata = nil },
    Case("OLMo's trainer", for: .olmo, "problem loading", "cannot read a Hugging Face model"),
    Case("torch.load", for: .torch, "note loading model.safetensors", "since PyTorch 2.13"),
  ]

  @Test("Each fault is a finding of its kind", arguments: cases)
  func finds(_ test: Case) throws {
    var folder = try Folder()
    try test.spoil(&folder)
    let (lines, check) = try folder.check(for: test.target)
    guard let start = test.start else {
      #expect(lines == [])
      #expect(check.isSound)
      return
    }
    #expect(lines.count == 1, "\(lines)")
    #expect(lines[0].hasPrefix(start))
    #expect(lines[0].contains(test.words))
    #expect(check.isSound == !start.hasPrefix("problem"))
  }
}
