internal import Bytes
internal import Formats

/// The files of a Hugging Face folder, those included that this program puts there.
enum HuggingFaceFolder {
  /// The configuration of the model.
  static let configuration = "config.json"
  /// The defaults of text generation.
  static let generation = "generation_config.json"
  /// The optimizer's state under the names of Hugging Face's model.
  static let optimizer = "optimizer.safetensors"
  /// What OLMo's `model.pt` has beside its tensors.
  static let modelSkeleton = "olmo/model.skeleton.json"
  /// What OLMo's `optim.pt` has beside its tensors.
  static let optimizerSkeleton = "olmo/optim.skeleton.json"
  /// OLMo's trainer state.
  static let trainer = "olmo/train.pt"

  /// What is read beside the weights, where it is there.
  static let companions = [generation, optimizer, modelSkeleton, optimizerSkeleton, trainer]

  /// The files that tokenizers are made of (`PreTrainedTokenizer.vocab_files_names` and
  /// `save_pretrained` of `transformers/tokenization_utils_base.py`).
  static let tokenizerFiles = [
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "merges.txt", "tokenizer.model", "chat_template.jinja", "chat_template.json",
  ]

  /// The tokenizer's files in a directory, or `path` itself where it is the file of one.
  ///
  /// - Returns: the name that each has in a folder, and its path.
  /// - Throws: `inputOutput` when the system does not tell.
  static func tokenizer(
    at path: String
  ) throws(FormatError) -> [(name: String, path: String)] {
    let place = FilePath(path)
    guard let status = try place.status() else { throw FormatError(SystemError.missing(path)) }
    guard status.isDirectory else { return [(tokenizerFiles[0], path)] }
    var files: [(name: String, path: String)] = []
    for name in tokenizerFiles {
      let file = place.appending(name)
      if try file.status() != nil { files.append((name, file.text)) }
    }
    return files
  }
}
