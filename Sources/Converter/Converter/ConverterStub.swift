public import Bytes

/// How a conversion is done.
public struct ConversionOptions: Sendable {
  /// How tensors are named in a safetensors file.
  public enum Layout: String, CaseIterable, Sendable {
    case olmo, plain
  }

  /// What becomes of tensors that share their bytes.
  public enum TiedTensors: String, CaseIterable, Sendable {
    case alias, copy
  }

  /// `nil` means what suits the place of the input.
  public var layout: Layout?
  /// What becomes of tensors that share their bytes.
  public var tiedTensors = TiedTensors.alias
  /// Whether what is not a tensor is written into the metadata.
  public var keepsSkeleton = true
  /// Whether a directory's `train.pt` is converted too.
  public var convertsTrainerState = false
  /// Whether what cannot be carried is a warning instead of an error.
  public var allowsLoss = false
  /// Whether values that exist to run code are replaced by None.
  public var dropsUnsafe = false
  /// Whether existing files are replaced.
  public var overwrites = false
  /// Whether outputs are on the disk before they appear under their names.
  public var synchronizes = false
  /// How many threads copy; `nil` means one for each processor.
  public var threads: Int?

  /// The defaults.
  public init() {}
}

/// Where outputs go.
public enum Destination: Hashable, Sendable {
  /// Beside each input, under its name with the new extension.
  case besideInput
  /// A file or directory.
  case path(String)
  /// The standard output.
  case standardOutput
}

/// A conversion of one or more checkpoints.
public struct Conversion: Sendable {
  /// A file that has been written.
  public struct Output: Hashable, Sendable {
    /// The file that was read.
    public var input: String
    /// The file that was written.
    public var path: String
    /// How its tensors are named.
    public var layout: ConversionOptions.Layout
    /// How many tensors it has.
    public var tensorCount: Int
    /// Its size in bytes.
    public var byteCount: Int
    /// What could not be carried over.
    public var warnings: [String]
  }

  /// Prepares nothing yet.
  public init(_ options: ConversionOptions) {}

  /// Converts each of `inputs`.
  ///
  /// - Throws: what stopped it.
  public func run(
    _ inputs: [String], to destination: Destination,
    progress: @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) -> [Output] {
    for input in inputs { _ = try Inspection(of: input) }
    return []
  }
}

/// What a checkpoint file holds.
public struct Inspection: Sendable {
  /// A tensor.
  public struct Tensor: Hashable, Sendable {
    /// The path to it.
    public var name: String
    /// The type of its elements.
    public var dtype: String
    /// Its dimensions, outermost first.
    public var shape: [Int]
    /// Its size in bytes.
    public var byteCount: Int

    /// Makes a description of a tensor.
    public init(name: String, dtype: String, shape: [Int], byteCount: Int) {
      self.name = name
      self.dtype = dtype
      self.shape = shape
      self.byteCount = byteCount
    }
  }

  /// The file.
  public var path: String
  /// What kind of file it is, in a few words.
  public var kind: String
  /// The tensors, in the order of the file.
  public var tensors: [Tensor]
  /// The values that are not tensors: path and text.
  public var values: [(path: String, text: String)]
  /// The whole as a JSON text.
  public var json: String { "{}" }

  /// Makes a description of a file.
  public init(
    path: String, kind: String, tensors: [Tensor], values: [(path: String, text: String)]
  ) {
    self.path = path
    self.kind = kind
    self.tensors = tensors
    self.values = values
  }

  /// Reads the structure of a file, and no tensor data.
  ///
  /// - Throws: what is wrong with it.
  public init(of path: String) throws(FormatError) {
    _ = try FormatError.wrapping { () throws(SystemError) in try SourceFile(path: path) }
    throw FormatError(.unsupported, "not a checkpoint").framed(by: path)
  }
}
