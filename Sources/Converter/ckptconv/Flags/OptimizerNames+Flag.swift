internal import Converter

extension BoundFlag {
  /// How an optimizer's state refers to parameters, which is otherwise as the text `standard` says.
  static func optimizerNames(
    _ property: Property<OptimizerNames?>, otherwise standard: String
  ) -> Self {
    .choice(
      "optimizer-names", "KIND", property, in: .content,
      "key the optimizer's state for fsdp or single",
      manual: """
        How the optimizer's state refers to parameters. The default is \(standard). What a trainer on
        one device has saved does not load under FSDP, because its names begin with `module.`; `fsdp`
        repairs that.
        """)
  }
}

extension OptimizerNames: FlagChoice {
  var meaning: String {
    switch self {
    case .fsdp: "by name, for trainers under fully sharded data parallelism"
    case .single: "by number, for one device or distributed data parallelism"
    }
  }
}
