internal import CkptBase
internal import CkptZip

/// A ZIP archive of another program than `torch.save`, told by the names of its entries.
struct ForeignArchive {
  /// The name of its kind, with an article.
  private let name: String
  /// The way to a file that is read.
  private let advice: String

  /// Returns the error for an archive of a kind that is known.
  static func refusal(of directory: ZipDirectory) -> CheckpointError? {
    let kind = kinds.first { kind in directory.entries.contains { kind.has($0.name) } }
    return kind.map {
      CheckpointError(
        .unsupported, "this is \($0.archive.name), not a file of torch.save",
        remedy: .text($0.archive.advice))
    }
  }

  /// The kinds, each with a test of an entry that only this kind has.
  private static let kinds: [(archive: ForeignArchive, has: @Sendable (String) -> Bool)] = [
    // `torch/_export/serde/serialize.py` of 2.1 and `torch/export/pt2_archive/constants.py` of 2.7.
    (
      .init(
        name: "a program of torch.export.save",
        advice: "load it with torch.export.load and save its state_dict with torch.save"),
      {
        $0.ends(with: "serialized_exported_program.json") || $0.ends(with: "/archive_format")
          || $0 == "archive_format"
      }
    ),
    // `torch/package/package_exporter.py`.
    (
      .init(
        name: "a package of torch.package",
        advice: "load it with torch.package.PackageImporter and save the state_dict with torch.save"
      ),
      { $0.ends(with: ".data/extern_modules") }
    ),
    (
      .init(
        name: "a Keras model",
        advice: "load it with Keras and save the weights with safetensors.numpy.save_file"),
      { $0 == "model.weights.h5" }
    ),
    (
      .init(
        name: "an archive of NumPy arrays (.npz)",
        advice: "load it with numpy.load and save the arrays with safetensors.numpy.save_file"),
      { $0.ends(with: ".npy") }
    ),
    (
      .init(
        name: "a ZIP archive with a checkpoint in it",
        advice: "unpack it, for example with 'unzip', and give the file inside"),
      { name in [".pt", ".pth", ".ckpt", ".bin", ".safetensors"].contains { name.ends(with: $0) } }
    ),
  ]
}
