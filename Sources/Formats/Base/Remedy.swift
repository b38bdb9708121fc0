/// A remedy for an error, a warning or a finding.
///
/// A remedy is advice in words, an option of the program, or both. The library knows no command
/// line: it names an ``Action``. The program that uses the library says which flag, button or
/// property the user needs.
public struct Remedy: Hashable, Sendable {
  /// The advice in words, without flags of the program; with an action, its reason.
  public var text: String?
  /// The option of the program that helps; the executable spells it.
  public var action: Action?

  /// Creates a remedy in words, with an option of the program.
  public static func text(_ text: String, _ action: Action? = nil) -> Remedy {
    Remedy(text: text, action: action)
  }

  /// Creates a remedy that is an option of the program.
  public static func action(_ action: Action) -> Remedy { Remedy(text: nil, action: action) }

  /// A function that turns a remedy into words, with the flags of the program that the user runs.
  public typealias Wording = @Sendable (Remedy) -> String

  /// An option of the program.
  @nonexhaustive
  public enum Action: String, Hashable, Sendable, CaseIterable {
    // MARK: Outputs

    /// Replace the existing file.
    case replaceExisting
    /// Replace files in the existing directory.
    case replaceInDirectory
    /// Free some space, or write to another place.
    case freeSpace
    /// Write to another place.
    case writeElsewhere
    /// Write to another directory.
    case writeToOtherDirectory
    /// Write to the standard output, which can be a pipe or a device.
    case writeToStandardOutput

    // MARK: Contents

    /// Drop contents that the output cannot hold, or write a skeleton, which can.
    case allowLoss
    /// Write no skeleton, and drop contents that only it can hold.
    case loseWithoutSkeleton
    /// Write no skeleton.
    case omitSkeleton
    /// Read only the tensors, without the skeleton.
    case ignoreSkeleton
    /// Replace objects that can run code by `None`.
    case dropUnsafe
    /// Write the layout `plain`, which keeps values in the skeleton.
    case usePlainLayout
    /// Write the layout `olmo`, which OLMo's trainer reads.
    case useOLMoLayout
    /// Choose the layout of files in the directory.
    case chooseLayout
    /// Write the shards as one file, or split them differently.
    case joinOrCutShards
    /// Merge the distributed checkpoint into whole files.
    case unshard
    /// Write a flat dict instead of nested ones.
    case keepFlat
    /// Keep the parameter names of the optimizer.
    case keepOptimizerNames

    // MARK: OLMo and Hugging Face

    /// Convert the OLMo checkpoint to a Hugging Face model.
    case convertToHuggingFace
    /// Convert the Hugging Face model to an OLMo checkpoint.
    case convertToOLMo
    /// Include the optimizer state.
    case includeOptimizer
    /// Convert only the model.
    case omitOptimizer
    /// Give the path of a tokenizer.
    case nameTokenizer
    /// Cast all weights to one dtype.
    case castToOneDType
    /// Cast the weights to float32.
    case castToFloat32
    /// Keep the end-of-text token of the configuration.
    case keepEndToken
    /// Drop OLMo's own settings.
    case omitOLMoSettings
    /// Use a template whose norms have weights.
    case useTemplateWithNorms
    /// Choose the target of the translation.
    case chooseTarget
    /// Choose another target: the configuration is of that kind already.
    case chooseOtherTarget
    /// Download the optimizer state, or resume without it.
    case fetchOptimizer
    /// Download the trainer state, which resuming always needs.
    case fetchTrainerState

    // MARK: Many inputs

    /// Continue the batch that wrote the output.
    case resume
    /// Include single files in directories.
    case includeFiles
    /// Pass checkpoints directly, not as a list.
    case giveWithoutList
    /// Choose a part of the batch.
    case chooseShard
    /// Divide the batch among the tasks that share a directory.
    case shareByShards
    /// Compare with another tree.
    case compareWithOtherTree
    /// Give the tree with the counterparts.
    case nameTree
    /// Write a manifest.
    case writeManifest
  }
}

extension Remedy: ExpressibleByStringInterpolation {
  /// Creates advice in words.
  public init(stringLiteral text: String) { self.init(text: text) }
}

extension Remedy: CustomStringConvertible {
  /// The words and the name of the action, for logs.
  public var description: String {
    [text, action?.rawValue].compactMap(\.self).joined(separator: "; ")
  }
}

/// A message for the user, with a remedy.
public struct Notice: Hashable, Sendable {
  /// One sentence without capital and full stop.
  public var message: String
  /// The remedy, if there is one.
  public var remedy: Remedy?

  /// Creates a notice.
  public init(_ message: String, remedy: Remedy? = nil) {
    self.message = message
    self.remedy = remedy
  }

  /// Returns the message and the remedy on one line.
  public func sentence(_ wording: Remedy.Wording) -> String {
    [message, remedy.map(wording)].compactMap(\.self).joined(separator: "; ")
  }

  /// Returns the notice with a prefix, such as a path and a colon.
  package func prefixed(by prefix: String) -> Notice {
    Notice(prefix + message, remedy: remedy)
  }
}

extension Notice: ExpressibleByStringInterpolation {
  /// Creates a notice without a remedy.
  public init(stringLiteral message: String) { self.init(message) }
}
