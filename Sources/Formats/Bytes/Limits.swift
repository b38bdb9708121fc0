/// Bounds on what a file may ask of memory and time, each with the reason for its size.
public enum Limits: Sendable {
  /// The largest pickle read, in bytes.
  ///
  /// A pickle is held in memory. Real ones stay below 30 MB even with 100,000 tensors, because
  /// tensor data lies outside them; NumPy arrays are inside and set the bound.
  public static let pickleBytes = 512 << 20
  /// The most nodes one graph may hold; a node takes about 24 bytes.
  public static let graphNodes = 32 << 20
  /// The most bytes of an archive record that is neither the pickle nor a storage.
  ///
  /// These are version numbers and TorchScript source; they are carried inside the skeleton.
  public static let smallRecordBytes = 16 << 20
  /// The most entries an archive may list; torch itself has been seen with 66,000.
  public static let archiveEntries = 1 << 20
  /// The most dimensions of a tensor.
  ///
  /// PyTorch and safetensors set no bound; NumPy 2 stops at 64.
  public static let dimensions = 1024
  /// The longest header the reference safetensors reader accepts, in bytes.
  public static let safetensorsHeaderBytes = 100_000_000
  /// The longest index of shards, in bytes: it repeats the names of their headers.
  public static let indexBytes = 100_000_000
  /// The best ratio deflate can reach (RFC 1951: 258 bytes from two bits), rounded up.
  public static let deflateRatio = 1040
  /// The most values a checkpoint may have once it is flattened, per Python object in it.
  ///
  /// Shared containers are flattened once per place, so a few bytes can announce any number.
  public static let leavesPerNode = 4
  /// The values a checkpoint may have in any case once it is flattened.
  public static let leavesAtLeast = 1 << 16
  /// The most keys and indices that the paths to all values may have together.
  public static let pathSteps = 16 << 20
  /// The most containers a tensor's name may lead through; Python's own recursion ends there.
  public static let pathLength = 1000
}
