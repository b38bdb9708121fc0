public import Formats

/// What the caller decides about a conversion.
public struct ConversionOptions: Sendable {
  /// The format that is written.
  public var format: CheckpointFormat
  /// How tensors are named; `nil` for what suits the place of the input.
  public var layout: Layout?
  /// What becomes of tied tensors; `nil` for what the layout's readers need.
  public var tied: SafetensorsEncoder.Options.TiedTensors?
  /// Whether what is not tensors goes along in the skeleton.
  public var includesSkeleton = true
  /// Whether a directory's `train.pt` is converted instead of carried along.
  public var convertsTrainerState = false
  /// Whether a safetensors file is taken as if it had no skeleton.
  public var ignoresSkeleton = false
  /// Whether the metadata of a safetensors file without a skeleton goes along in a `.pt` file.
  public var keepsMetadata = true
  /// How an optimizer's state refers to parameters; `nil` for as it does.
  public var optimizerNames: OptimizerNames?
  /// Whether names with dots become nested dicts.
  public var nestsNames = false
  /// Whether what cannot be carried becomes a warning instead of an error.
  public var allowsLoss = false
  /// Whether values that exist to run code become `None` instead of an error.
  public var dropsUnsafe = false
  /// Whether existing files are replaced.
  public var replacesExisting = false
  /// Whether outputs are on the disk before they appear under their names.
  public var synchronises = false
  /// Whether outputs are read again and compared with their sources before they get their names.
  public var verifiesOutputs = false
  /// Where a manifest of the input goes; `nil` for none.
  public var manifest: String?
  /// What it may use of the machine.
  public var budget = CopyBudget()

  /// Whether outputs hold all that inputs hold, so that these can be made again from them.
  ///
  /// An optimizer's state that is keyed anew does not tell how it was keyed.
  public var keepsEverything: Bool {
    guard optimizerNames == nil else { return false }
    switch format {
    case .safetensors: return includesSkeleton
    case .torch: return !ignoresSkeleton && keepsMetadata && !nestsNames
    }
  }

  /// The defaults for conversions to `format`.
  public init(to format: CheckpointFormat = .safetensors) { self.format = format }
}
