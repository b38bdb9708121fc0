/// A program that loads a distributed checkpoint.
///
/// It decides names, folders and the form of the optimizer state.
@nonexhaustive
public enum ReshardTarget: String, Hashable, Sendable, CaseIterable {
  /// Programs that call `torch.distributed.checkpoint` with a model and an optimizer.
  case torch
  /// OLMo's trainer, with `sharded_checkpointer: torch_new`.
  case olmo
  /// OLMo-core's trainer.
  case olmoCore = "olmo-core"
  /// accelerate and the trainer of transformers, under FSDP.
  case accelerate
  /// torchtitan.
  case torchtitan
}

/// A form of the optimizer state.
@nonexhaustive
public enum OptimizerForm: String, Hashable, Sendable, CaseIterable {
  /// `state` and a list `param_groups`, as `get_optimizer_state_dict` returns them.
  case nested
  /// One entry for each value and parameter, as with `flatten_optimizer_state_dict=True`.
  case flat
}

extension ReshardTarget {
  /// The form of the optimizer state that the program writes itself.
  var optimizerForm: OptimizerForm {
    switch self {
    case .torch, .olmo, .accelerate: .nested
    case .olmoCore, .torchtitan: .flat
    }
  }

  /// The key of the optimizer state; `nil` for that of the input.
  var optimizerKey: String? {
    switch self {
    case .torch: nil
    case .olmo, .olmoCore: "optim"
    case .accelerate, .torchtitan: "optimizer"
    }
  }

  /// Whether parameter groups keep the fields that only OLMo's trainer knows.
  var keepsOLMoFields: Bool { self == .olmo }

  /// Whether its trainer continues from the trainer state of a rank.
  var takesTrainerState: Bool { self == .olmo || self == .olmoCore }
}
