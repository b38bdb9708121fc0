/// Advice on an error, a warning or a finding.
///
/// A remedy is advice in words, something that the program can be told to do, or both. The library
/// knows no command line: it names an ``Action``, and the program that uses the library says with
/// which flag, button or property the user gets it.
public struct Remedy: Hashable, Sendable {
  /// Advice in words, which names no flag of the program; the reason for the action where there is one.
  public var text: String?
  /// An option of the program that helps, which the executable spells.
  public var action: Action?

  /// Advice in words, and what the program can be told to do beside it or instead.
  public static func text(_ text: String, _ action: Action? = nil) -> Remedy {
    Remedy(text: text, action: action)
  }

  /// Something that the program can be told to do.
  public static func action(_ action: Action) -> Remedy { Remedy(text: nil, action: action) }

  /// Puts a remedy into words, with the flags of the program that the user runs.
  public typealias Wording = @Sendable (Remedy) -> String

  /// Something that the user can tell the program to do.
  @nonexhaustive
  public enum Action: String, Hashable, Sendable, CaseIterable {
    // MARK: Outputs

    /// Replace the file that exists.
    case replaceExisting
    /// Replace files in the directory that exists.
    case replaceInDirectory
    /// Free some space, or write to another place.
    case freeSpace
    /// Write to another place.
    case writeElsewhere
    /// Write to another directory.
    case writeToOtherDirectory
    /// Write to the standard output, which may be a pipe or a device.
    case writeToStandardOutput

    // MARK: Contents

    /// Leave out what the output has no place for, or write the skeleton that has.
    case allowLoss
    /// Write no skeleton, and lose what only it has a place for.
    case loseWithoutSkeleton
    /// Write no skeleton.
    case omitSkeleton
    /// Read the tensors and not the skeleton.
    case ignoreSkeleton
    /// Replace what can run code by `None`.
    case dropUnsafe
    /// Write the layout `plain`, which keeps values in the skeleton.
    case usePlainLayout
    /// Write the layout `olmo`, which the trainer of OLMo reads.
    case useOLMoLayout
    /// Choose the layout of files in the directory.
    case chooseLayout
    /// Write the shards as one file, or cut them anew.
    case joinOrCutShards
    /// Merge the distributed checkpoint into whole files.
    case unshard
    /// Build a flat dict and no nested one.
    case keepFlat
    /// Keep the optimizer's parameter names as they are.
    case keepOptimizerNames

    // MARK: OLMo and Hugging Face

    /// Convert the OLMo checkpoint to a Hugging Face folder.
    case convertToHuggingFace
    /// Convert the Hugging Face folder to an OLMo checkpoint.
    case convertToOLMo
    /// Convert the optimizer's state too.
    case includeOptimizer
    /// Convert the model alone.
    case omitOptimizer
    /// Name the place of a tokenizer.
    case nameTokenizer
    /// Cast all weights to one dtype.
    case castToOneDType
    /// Cast the weights to float32.
    case castToFloat32
    /// Keep the end-of-text token that the configuration names.
    case keepEndToken
    /// Leave out the settings that only OLMo knows.
    case omitOLMoSettings
    /// Take a configuration whose norms have weights as template.
    case useTemplateWithNorms
    /// Choose what the configuration is translated to.
    case chooseTarget
    /// Choose another target: the configuration is of that kind already.
    case chooseOtherTarget
    /// Fetch the optimizer's state, or resume without.
    case fetchOptimizer
    /// Fetch the trainer's state, which a resume needs in any case.
    case fetchTrainerState

    // MARK: Many inputs

    /// Go on with the batch that wrote the output.
    case resume
    /// Take single files in directories too.
    case includeFiles
    /// Give checkpoints themselves and not as a list.
    case giveWithoutList
    /// Say which part of the batch this is.
    case chooseShard
    /// Divide the batch among the tasks that share a directory.
    case shareByShards
    /// Compare with another tree.
    case compareWithOtherTree
    /// Name the tree that holds the counterparts.
    case nameTree
    /// Write a manifest.
    case writeManifest
  }
}

extension Remedy: ExpressibleByStringInterpolation {
  /// Advice in words.
  public init(stringLiteral text: String) { self.init(text: text) }
}

extension Remedy: CustomStringConvertible {
  /// The words, and the action by its name: for logs.
  public var description: String {
    [text, action?.rawValue].compactMap(\.self).joined(separator: "; ")
  }
}

/// Something to tell the user, and what can be done about it.
public struct Notice: Hashable, Sendable {
  /// One sentence without capital and full stop.
  public var message: String
  /// Advice on it, where there is any.
  public var remedy: Remedy?

  /// Makes a notice.
  public init(_ message: String, remedy: Remedy? = nil) {
    self.message = message
    self.remedy = remedy
  }

  /// The message and what can be done, on one line.
  public func sentence(_ wording: Remedy.Wording) -> String {
    [message, remedy.map(wording)].compactMap(\.self).joined(separator: "; ")
  }

  /// The same notice with more in front of its message, such as a path and a colon.
  package func prefixed(by prefix: String) -> Notice {
    Notice(prefix + message, remedy: remedy)
  }
}

extension Notice: ExpressibleByStringInterpolation {
  /// A notice without a remedy.
  public init(stringLiteral message: String) { self.init(message) }
}
