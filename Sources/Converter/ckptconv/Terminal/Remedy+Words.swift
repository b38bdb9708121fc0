internal import CkptBase
internal import CkptHuggingFace

/// Remedies in the words of this program. Only this file spells flags in advice.
extension Remedy {
  /// The advice on one line, for `hint:` and JSON.
  var words: String {
    guard let action else { return text ?? "" }
    switch action {
    case .replaceExisting:
      return text.map { "\($0); use --force to replace it" } ?? "use --force to replace it"
    case .replaceInDirectory:
      return after("remove it, choose another name, or use --force to replace files in it")
    case .freeSpace: return after("free some space, or choose another output with -o")
    case .writeElsewhere: return after("choose another output with -o")
    case .writeToOtherDirectory:
      return after("write to another directory with -o", joinedBy: ", or ")
    case .writeToStandardOutput: return after("use -o - to write to a pipe or a device")

    case .allowLoss:
      return after("remove --no-skeleton, or add --allow-loss to continue without it")
    case .loseWithoutSkeleton: return after("add --no-skeleton --allow-loss to continue without it")
    case .omitSkeleton: return after("add --no-skeleton to write only tensors")
    case .ignoreSkeleton:
      return text.map { "\($0); add --ignore-skeleton to read only the tensors" }
        ?? "add --ignore-skeleton to read only the tensors"
    case .dropUnsafe: return after("add --drop-unsafe to read everything else")
    case .usePlainLayout: return after("use --layout plain, which keeps them in the skeleton")
    case .useOLMoLayout: return after("use --layout olmo, or choose another name")
    case .chooseLayout: return after("choose the naming of its tensors with --layout")
    case .unshard: return after("merge it with 'ckptconv unshard'")
    case .joinOrCutShards:
      return after(
        "pass -o NAME.safetensors to join them, or --max-shard-size to split them differently")
    case .keepFlat: return after("remove --nest to get a flat dict")
    case .keepOptimizerNames: return after("remove --optimizer-names")

    case .convertToHuggingFace: return "\(text ?? "convert it") with 'ckptconv olmo-to-hf'"
    case .convertToOLMo: return "\(text ?? "convert it") with 'ckptconv hf-to-olmo'"
    case .includeOptimizer: return after("add --optimizer to include it")
    case .omitOptimizer: return after("remove --optimizer to convert only the model")
    case .nameTokenizer: return after("pass --tokenizer PATH to add one")
    case .castToOneDType: return after("add --dtype to cast them to one type")
    case .castToFloat32: return after("add --dtype f32 to cast them now")
    case .keepEndToken: return after("add --keep-eos to keep it")
    case .omitOLMoSettings:
      return after("add --no-carry to drop OLMo's own settings", joinedBy: ", or ")
    case .useTemplateWithNorms:
      return after(
        "use a --config template with layer_norm_with_affine and attention_layer_norm_with_affine "
          + "set to true")
    case .chooseTarget: return after("choose the target with --to hf or --to olmo")
    case .chooseOtherTarget: return after("--to is the target, not the source")
    case .fetchOptimizer: return after("download it, or resume with --reset_optimizer_state")
    case .fetchTrainerState:
      return after("download it; the trainer needs it even with --reset_trainer_state")

    case .resume: return after("add --resume to continue the batch that wrote it")
    case .includeFiles: return after("add --files to include single files in directories")
    case .giveWithoutList: return after("pass checkpoints without --from")
    case .chooseShard:
      return after("choose a part, such as --shard 3/8, or --shard 1/1 for the whole batch")
    case .shareByShards: return after("use --shard I/N to run several tasks in one directory")
    case .compareWithOtherTree: return after("pass the root of another tree with -o")
    case .nameTree: return after("below the root that -o names", joinedBy: " ")
    case .writeManifest: return after("write a manifest with 'ckptconv verify --manifest FILE'")
    }
  }

  /// Returns the text of the remedy, followed by `advice`.
  private func after(_ advice: String, joinedBy separator: String = "; ") -> String {
    [text, advice].compactMap(\.self).joined(separator: separator)
  }
}

extension TrainerStart {
  /// The flags of `scripts/train.py` that start the trainer in this way.
  var flags: [String] {
    var flags = ["--load_path=\(directory)"]
    if resetsOptimizer { flags.append("--reset_optimizer_state") }
    if resetsTrainer { flags.append("--reset_trainer_state") }
    return flags
  }
}
