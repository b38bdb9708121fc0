internal import CkptBase
internal import CkptHuggingFace

/// Remedies in the words of this program: the one place that spells its flags in advice.
extension Remedy {
  /// The advice on one line, which `hint:` shows and JSON has.
  var words: String {
    guard let action else { return text ?? "" }
    switch action {
    case .replaceExisting:
      return text.map { "\($0); --force replaces it" } ?? "use --force to replace it"
    case .replaceInDirectory:
      return after("remove it, choose another name, or use --force to replace files in it")
    case .freeSpace: return after("free some space or choose another place with -o")
    case .writeElsewhere: return after("choose another place with -o")
    case .writeToOtherDirectory:
      return after("write to another directory with -o", joinedBy: ", or ")
    case .writeToStandardOutput: return after("use -o - to write to a pipe or a device")

    case .allowLoss: return after("leave out --no-skeleton, or add --allow-loss to go on without")
    case .loseWithoutSkeleton: return after("--no-skeleton --allow-loss leaves it out")
    case .omitSkeleton: return after("--no-skeleton leaves out what is not tensors")
    case .ignoreSkeleton:
      return text.map { "\($0); --ignore-skeleton takes the tensors alone" }
        ?? "--ignore-skeleton takes the tensors without the rest of the object"
    case .dropUnsafe: return after("--drop-unsafe reads the rest of it")
    case .usePlainLayout: return after("--layout plain keeps them in the skeleton")
    case .useOLMoLayout: return after("write it with '--layout olmo', or give it another name")
    case .chooseLayout: return after("--layout says how to name the tensors of files beside it")
    case .joinOrCutShards:
      return after("give '-o NAME.safetensors' to join them, or --max-shard-size to cut them anew")
    case .keepFlat: return after("leave out --nest for a flat dict")
    case .keepOptimizerNames: return after("leave out --optimizer-names")

    case .convertToHuggingFace: return "\(text ?? "convert it") with 'ckptconv olmo-to-hf'"
    case .convertToOLMo: return "\(text ?? "convert it") with 'ckptconv hf-to-olmo'"
    case .includeOptimizer: return after("--optimizer takes it along")
    case .omitOptimizer: return after("leave out --optimizer to convert the model alone")
    case .nameTokenizer: return after("--tokenizer names the place of one")
    case .castToOneDType: return after("--dtype makes them one")
    case .castToFloat32: return after("--dtype f32 does that now")
    case .keepEndToken: return after("--keep-eos keeps it")
    case .omitOLMoSettings:
      return after("leave out what only OLMo knows with --no-carry", joinedBy: ", or ")
    case .useTemplateWithNorms:
      return after(
        "a --config template with layer_norm_with_affine and attention_layer_norm_with_affine true "
          + "has a place for them")
    case .chooseTarget: return after("say with --to hf or --to olmo what shall be written")
    case .chooseOtherTarget: return after("--to names what is written, not what is read")
    case .fetchOptimizer: return after("fetch it again, or resume with --reset_optimizer_state")
    case .fetchTrainerState:
      return after("fetch it again, even to use --reset_trainer_state")

    case .resume: return after("--resume goes on with the batch that wrote it")
    case .includeFiles: return after("--files takes single files in directories too")
    case .giveWithoutList: return after("checkpoints are given without --from")
    case .chooseShard:
      return after("say which part this is, such as --shard 3/8, or --shard 1/1 for all of it")
    case .shareByShards: return after("tasks of one batch share a directory with --shard I/N")
    case .compareWithOtherTree: return after("give the root of another tree with -o")
    case .nameTree: return after("below the root that -o names", joinedBy: " ")
    case .writeManifest: return after("manifests are written by 'ckptconv verify --manifest FILE'")
    }
  }

  /// The text of the remedy and then `advice`.
  private func after(_ advice: String, joinedBy separator: String = "; ") -> String {
    [text, advice].compactMap(\.self).joined(separator: separator)
  }
}

extension TrainerStart {
  /// The same as flags of `scripts/train.py`.
  var flags: [String] {
    var flags = ["--load_path=\(directory)"]
    if resetsOptimizer { flags.append("--reset_optimizer_state") }
    if resetsTrainer { flags.append("--reset_trainer_state") }
    return flags
  }
}
