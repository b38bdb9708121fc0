package import CkptCheckpoints
public import CkptCopy
public import CkptFormats

/// Numbers about one checkpoint: its tensors, the updates that its optimizer was about to make, and
/// both taken together by module.
public struct CheckpointStatistics: Hashable, Sendable {
  /// The version of the measures: numbers of different versions are not compared.
  public static let version = 1

  /// The part of a checkpoint that a tensor belongs to.
  public enum Part: String, Hashable, Sendable, CaseIterable {
    /// The weights.
    case model
    /// The optimizer's state.
    case optim
  }

  /// A tensor with its statistics.
  public struct TensorRow: Hashable, Sendable {
    /// The name: as ``Inspection`` has it, and in an optimizer's state without `state.` in front.
    public var name: String
    /// The part of the checkpoint.
    public var part: Part
    /// The role of the tensor in the model.
    public var role: ParameterRole
    /// The number of the block that it is in; `nil` outside of blocks.
    public var block: Int?
    /// PyTorch's name of the element type.
    public var dtype: String
    /// The number of elements along each dimension.
    public var shape: [Int]
    /// The numbers.
    public var statistics: ElementStatistics
  }

  /// A parameter with the updates that its optimizer makes.
  public struct ParameterRow: Hashable, Sendable {
    /// The name of its weight.
    public var name: String
    /// Its role in the model.
    public var role: ParameterRole
    /// The number of the block that it is in; `nil` outside of blocks.
    public var block: Int?
    /// The settings of its group.
    public var settings: OptimizerSettings
    /// The numbers.
    public var statistics: UpdateStatistics
    /// The norm of an update, learning rate included, by the norm of the weight; `nil` where either
    /// is not known.
    public var relativeUpdate: Double?
  }

  /// The file or directory.
  public var path: String
  /// The step of training: the trainer's, else the optimizer's, else that in the directory's name.
  public var step: Int?
  /// The files that were read.
  package var files: [FileIdentity] = []
  /// The name of the optimizer, as the configuration has it.
  public var optimizer: String?
  /// The settings of the optimizer, for each group.
  public var groups: [OptimizerSettings] = []
  /// The number of tokens that the model knows; the embedding may have more rows.
  public var vocabularySize: Int?
  /// The largest norm that gradients were clipped to.
  public var gradientLimit: Double?
  /// The tensors, those of the model first; tied ones once, under their first name.
  public var tensors: [TensorRow] = []
  /// The parameters that there are two moments of.
  public var parameters: [ParameterRow] = []
  /// The losses of the last steps, if the trainer's state has them.
  public var losses = RunMetrics()
  /// Warnings about the files.
  public var warnings: [String] = []

  /// The statistics of a checkpoint, to be filled in.
  init(path: String) { self.path = path }

  /// The tensors of the model.
  public var weights: [TensorRow] { tensors.filter { $0.part == .model } }

  /// The number of parameters.
  public var parameterCount: Int {
    tensors.reduce(0) { $1.part == .model ? $0 + $1.statistics.elements : $0 }
  }
}

/// Options for measuring a checkpoint.
public struct StatisticsOptions: Sendable {
  /// The only part that is read; `nil` for all.
  public var part: CheckpointStatistics.Part?
  /// The options for reading.
  public var reading = ReadingOptions()
  /// The threads and the memory to use.
  public var budget = CopyBudget()

  /// The defaults.
  public init() {}
}
