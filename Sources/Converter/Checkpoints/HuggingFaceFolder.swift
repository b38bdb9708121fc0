package import CkptBase
internal import CkptFormats
internal import CkptModels

/// The files of a Hugging Face folder, those included that this program puts there.
package enum HuggingFaceFolder {
  /// The configuration of the model.
  package static let configuration = "config.json"
  /// The defaults of text generation.
  package static let generation = "generation_config.json"
  /// The optimizer's state under the names of Hugging Face's model.
  package static let optimizer = "optimizer.safetensors"
  /// What OLMo's `model.pt` has beside its tensors.
  package static let modelSkeleton = "olmo/model.skeleton.json"
  /// What OLMo's `optim.pt` has beside its tensors.
  package static let optimizerSkeleton = "olmo/optim.skeleton.json"
  /// OLMo's trainer state.
  package static let trainer = "olmo/train.pt"

  /// What is read beside the weights, where it is there.
  package static let companions = [
    generation, optimizer, modelSkeleton, optimizerSkeleton, trainer,
  ]

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
  /// What the file is called in a directory.
  package static let name = HuggingFaceFolder.tokenizerFiles[0]

  /// The number of tokens in the `tokenizer.json` of `directory`; `nil` without one, or if
  /// it has none itself.
  ///
  /// - Throws: what is wrong with the file.
  package static func vocabularySize(in directory: FilePath) throws(CheckpointError) -> Int? {
    let tokenizer = directory.appending(name)
    guard try tokenizer.status() != nil else { return nil }
    let size = try TokenizerFile(path: tokenizer.text).vocabularySize
    return size > 0 ? size : nil
  }
}
