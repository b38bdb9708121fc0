public import Formats

/// What the caller decides about a conversion.
public struct ConversionOptions: Sendable {
  /// How tensors are named; `nil` for what suits the place of the input.
  public var layout: Layout?
  /// What becomes of tied tensors; `nil` for what the layout's readers need.
  public var tied: SafetensorsEncoder.Options.TiedTensors?
  /// Whether what is not tensors goes along in the skeleton.
  public var includesSkeleton = true
  /// Whether a directory's `train.pt` is converted instead of carried along.
  public var convertsTrainerState = false
  /// Whether what cannot be carried becomes a warning instead of an error.
  public var allowsLoss = false
  /// Whether values that exist to run code become `None` instead of an error.
  public var dropsUnsafe = false
  /// Whether existing files are replaced.
  public var replacesExisting = false
  /// Whether outputs are on the disk before they appear under their names.
  public var synchronises = false
  /// How many threads copy; `nil` for one per processor.
  public var threads: Int?

  /// The defaults.
  public init() {}
}

/// Where outputs go.
public enum Destination: Hashable, Sendable {
  /// Beside each input, under its name with the new extension.
  case besideInput
  /// A file or a directory.
  case path(String)
  /// The standard output.
  case standardOutput
}

/// A conversion of one or more checkpoints.
public struct Conversion: Sendable {
  /// A file that has been written.
  public struct Output: Hashable, Sendable {
    /// The file that was read.
    public var source: String
    /// The file that was written.
    public var path: String
    /// How its tensors are named; `nil` for a file that was carried along.
    public var layout: Layout?
    /// How many tensors it has.
    public var tensorCount: Int
    /// Its size in bytes.
    public var byteCount: Int
    /// What the user should know.
    public var warnings: [String]
  }

  /// Prepares nothing yet.
  public init(_ options: ConversionOptions) {}

  /// Converts each of `inputs`.
  ///
  /// - Throws: what stopped it.
  public func run(
    _ inputs: [String], to destination: Destination,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) -> [Output] {
    for input in inputs { _ = try Inspection(of: input) }
    return []
  }
}

/// What a checkpoint holds.
public struct Inspection: Sendable {
  /// A tensor under one of its names.
  public struct TensorRow: Hashable, Sendable {
    /// The path to it, as layout `plain` names it.
    public var name: String
    /// PyTorch's name of the element type.
    public var dtype: String
    /// The number of elements along each dimension.
    public var shape: [Int]
    /// The size of its elements in bytes.
    public var byteCount: Int
    /// The distances between neighbours in elements, where they are not packed in row-major order.
    public var strides: [Int]?
    /// The key of its storage, `nil` on the meta device.
    public var storage: String?
    /// How many tensors are views of that storage.
    public var storageUses: Int
    /// The size of its storage in bytes.
    public var storageByteCount: Int
    /// Whether autograd records operations on it.
    public var requiresGradient: Bool
  }

  /// A value that is not a tensor.
  public struct ValueRow: Hashable, Sendable {
    /// The path to it.
    public var name: String
    /// Much like Python's `repr`, cut when long.
    public var text: String
  }

  /// The file.
  public var path: String
  /// The container.
  public var source: SourceDescription
  /// The tensors in the order of the file, once per name.
  public var tensors: [TensorRow]
  /// The values beside them.
  public var values: [ValueRow]
  /// What the user should know.
  public var warnings: [String]
  /// The whole as a JSON text.
  public var json: String { "{}" }

  /// Reads a file's structure.
  ///
  /// - Throws: what is wrong with it.
  public init(of path: String) throws(FormatError) {
    _ = try FormatError.wrapping { () throws(SystemError) in try SourceFile(path: path) }
    throw FormatError(.unsupported, "not a checkpoint").framed(by: path)
  }
}
