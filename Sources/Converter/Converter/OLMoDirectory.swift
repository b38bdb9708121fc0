internal import Bytes
internal import Formats

/// The files of an OLMo checkpoint directory (`olmo/checkpoint.py`).
enum OLMoDirectory {
  /// The state dicts that conversions are about.
  static let states = ["model", "optim"]
  /// The trainer's own state, which it wants as a pickle.
  static let trainer = "train"
  /// What is carried along as it is.
  static let configuration = "config.yaml"

  /// Whether `directory` has an OLMo configuration: a `config.yaml` with a `model` section.
  static func isCheckpoint(_ directory: FilePath) -> Bool {
    let path = directory.appending(configuration).text
    guard let file = try? SourceFile(path: path),
      let bytes = try? file.bytes(in: 0..<min(file.byteCount, sniffedByteCount))
    else { return false }
    let text = String(decoding: bytes, as: UTF8.self)
    return text.split(separator: "\n").contains { $0.hasPrefix("model:") }
  }

  private static let sniffedByteCount = 1 << 20
}
