internal import Bytes
internal import Configs

extension TokenizerFile {
  /// What the file is called in a directory.
  static let name = HuggingFaceFolder.tokenizerFiles[0]

  /// The number of tokens in the `tokenizer.json` of `directory`; `nil` without one, or if
  /// it has none itself.
  ///
  /// - Throws: what is wrong with the file.
  static func vocabularySize(in directory: FilePath) throws(FormatError) -> Int? {
    let tokenizer = directory.appending(name)
    guard try tokenizer.status() != nil else { return nil }
    let size = try TokenizerFile(path: tokenizer.text).vocabularySize
    return size > 0 ? size : nil
  }
}
