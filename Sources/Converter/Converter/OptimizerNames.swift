internal import Architectures
internal import Bytes
internal import Graph

/// How an optimizer's state refers to its parameters, which decides which trainer loads it.
public enum OptimizerNames: String, Hashable, Sendable, CaseIterable {
  /// By name, as trainers under fully sharded data parallelism write and read it.
  case fsdp
  /// By number, as a trainer on one device or under distributed data parallelism does it.
  case single
}

extension OptimizerNames {
  /// Gives the parameters in the optimizer's state that `graph` is keys of this kind.
  ///
  /// OLMo's trainer takes the prefix `module.` for a part of the name under fully sharded data
  /// parallelism and then finds no parameter of that name (`_make_optim_state_dict_compatible` in
  /// `olmo/checkpoint.py`), so what a single device has written does not load there as it is. The
  /// values and their order stay what they are.
  ///
  /// - Throws: what ``OptimizerState/init(of:)`` throws.
  func apply(to graph: inout TensorGraph) throws(FormatError) {
    let state = try OptimizerState(of: graph)
    var writer = OptimizerWriter(graph)
    for parameter in state.parameters {
      writer.add(.init(name: parameter.name.clean, values: parameter.values))
    }
    for group in state.groups {
      writer.add(.init(settings: group.node, names: group.names.map(\.clean)))
    }
    writer.others = state.others
    graph = try writer.write(self)
  }

  /// The error for an input without what was to be named.
  static func nothingToName(_ reason: String) -> FormatError {
    FormatError(.unsupported, reason, hint: "leave out --optimizer-names")
  }
}
