internal import CkptBase

/// The name of a parameter without the names of wrappers around the model.
///
/// Fully sharded data parallelism, `torch.compile`, activation checkpointing and distributed data
/// parallelism wrap modules. The attributes of the wrappers are part of the names: `module.` at the
/// front, the others anywhere (`clean_tensor_name` in `torch/distributed/fsdp/_common_utils.py`).
package struct ParameterName: Hashable, Sendable {
  /// The name in the unwrapped model.
  package let clean: String

  /// Creates the name of the parameter that a wrapped model calls `name`.
  package init(_ name: String) {
    var steps = name.parts(between: ".")
    steps.removeAll { Self.wrappers.contains(String($0)) }
    if steps.first == "module" { steps.removeFirst() }
    clean = steps.joined(separator: ".")
  }

  /// Whether the bytes of the names are equal.
  package static func == (left: ParameterName, right: ParameterName) -> Bool {
    ExactString(left.clean) == ExactString(right.clean)
  }

  /// Hashes the bytes of the name.
  package func hash(into hasher: inout Hasher) { ExactString(clean).hash(into: &hasher) }

  /// The attributes of wrappers that hold the wrapped module.
  private static let wrappers: Set<String> = [
    "_fsdp_wrapped_module", "_orig_mod", "_checkpoint_wrapped_module",
  ]

  /// The name under distributed data parallelism.
  package var underDataParallelism: String { "module." + clean }
}

extension ParameterName {
  /// Returns the name with the number of the block instead of the number of its group and its
  /// position there, or the reverse.
  ///
  /// Files of any `block_group_size` can then be read for a model of `groupSize`; OLMo's loader
  /// does the same (`_make_state_dict_compatible` in `olmo/model.py`).
  ///
  /// `foundGroupSize` is the group size in the file.
  package func regrouped(from foundGroupSize: Int, to groupSize: Int) -> String {
    guard foundGroupSize != groupSize, let (layer, rest) = layer(groupSize: foundGroupSize) else {
      return clean
    }
    return groupSize > 1
      ? "\(NameTable.olmoBlockGroups).\(layer / groupSize).\(layer % groupSize).\(rest)"
      : "\(NameTable.olmoBlocks).\(layer).\(rest)"
  }

  /// Returns the number of the parameter's block, and its name below the block.
  private func layer(groupSize: Int) -> (layer: Int, rest: Substring)? {
    let numbers = groupSize > 1 ? 2 : 1
    let steps = clean.split(separator: ".", maxSplits: 2 + numbers)
    guard steps.count == 3 + numbers,
      steps[0] + "." + steps[1]
        == (groupSize > 1 ? NameTable.olmoBlockGroups : NameTable.olmoBlocks),
      let first = Int(steps[2])
    else { return nil }
    guard groupSize > 1 else { return (first, steps[3]) }
    guard let second = Int(steps[3]), second < groupSize else { return nil }
    let (product, overflow) = first.multipliedReportingOverflow(by: groupSize)
    guard !overflow, product <= .max - second else { return nil }
    return (product + second, steps[4])
  }

  /// Returns the number of blocks in a group: that of the first group, or 1 without groups.
  package static func groupSize(of names: some Sequence<ParameterName>) -> Int {
    let prefix = "\(NameTable.olmoBlockGroups).0."
    let places = names.lazy.filter { $0.clean.hasPrefix(prefix) }.compactMap {
      Int($0.clean.dropFirst(prefix.count).prefix { $0 != "." })
    }
    return places.max().map { $0 < .max ? $0 + 1 : 1 } ?? 1
  }
}
