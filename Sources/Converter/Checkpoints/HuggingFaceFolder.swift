package import CkptBase
internal import CkptFormats
internal import CkptModels

/// The files of a Hugging Face model directory, including those that this program adds.
package enum HuggingFaceFolder {
  /// The configuration of the model.
  package static let configuration = "config.json"
  /// The defaults of text generation.
  package static let generation = "generation_config.json"
  /// The optimizer state with the names of the Hugging Face model.
  package static let optimizer = "optimizer.safetensors"
  /// The skeleton of OLMo's `model.pt`: everything but the tensors.
  package static let modelSkeleton = "olmo/model.skeleton.json"
  /// The skeleton of OLMo's `optim.pt`: everything but the tensors.
  package static let optimizerSkeleton = "olmo/optim.skeleton.json"
  /// The state of OLMo's trainer.
  package static let trainer = "olmo/train.pt"

  /// The files of the `Trainer` of transformers beside a model (`transformers/trainer.py`).
  package static let trainerFiles = [
    "optimizer.pt", "optimizer.bin", "scheduler.pt", "rng_state.pth", "trainer_state.json",
    "training_args.bin", "scaler.pt",
  ]

  /// The files that are read beside the weights, if they exist.
  package static let companions = [
    generation, optimizer, modelSkeleton, optimizerSkeleton, trainer,
  ]

  /// The files of tokenizers (`PreTrainedTokenizer.vocab_files_names` and `save_pretrained` of
  /// `transformers/tokenization_utils_base.py`).
  static let tokenizerFiles = [
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "merges.txt", "tokenizer.model", "chat_template.jinja", "chat_template.json",
  ]

  /// Returns the tokenizer files in a directory, or `path` itself if it is such a file.
  ///
  /// - Returns: the name and path of each file.
  /// - Throws: `inputOutput` if the system fails.
  package static func tokenizer(
    at path: String
  ) throws(CheckpointError) -> [(name: String, path: String)] {
    let place = FilePath(path)
    guard let status = try place.status() else { throw .missing(path) }
    guard status.isDirectory else { return [(tokenizerFiles[0], path)] }
    var files: [(name: String, path: String)] = []
    for name in tokenizerFiles {
      let file = place.appending(name)
      if try file.status() != nil { files.append((name, file.text)) }
    }
    return files
  }
}

extension TokenizerFile {
  /// The name of the file in a directory.
  package static let name = HuggingFaceFolder.tokenizerFiles[0]

  /// Returns the number of tokens in the `tokenizer.json` of `directory`; `nil` without such a file
  /// or number.
  ///
  /// - Throws: an error for an invalid file.
  package static func vocabularySize(in directory: FilePath) throws(CheckpointError) -> Int? {
    let tokenizer = directory.appending(name)
    guard try tokenizer.status() != nil else { return nil }
    let size = try TokenizerFile(path: tokenizer.text).vocabularySize
    return size > 0 ? size : nil
  }
}
