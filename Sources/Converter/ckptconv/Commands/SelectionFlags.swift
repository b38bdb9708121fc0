internal import CkptConvert
internal import CkptFormats

extension Selection {
  /// The flags for the part of a checkpoint to convert.
  static let flags: [BoundFlag<Selection>] = [
    .text(
      "key", "PATH", \.key, needs: "a path such as state_dict", in: .selection,
      "convert only the dict under a key",
      manual: """
        Converts the dict at PATH as if it were the whole checkpoint, such as `state_dict` or
        `model.encoder`. A dot separates keys; a key that has dots itself is found as well.
        """
    ) { $0.isEmpty ? nil : $0 },
    .patterns(
      "only", \.only, "convert only tensors with matching names",
      manual: """
        Converts only the tensors whose names match one of the patterns, which are separated by
        commas. `*` stands for any characters, `?` for one. Quote the patterns, so that the shell
        does not expand them. `ckptconv inspect` lists the names. Values that are not tensors are
        converted in any case.
        """),
    .patterns(
      "skip", \.skip, "leave out tensors with matching names",
      manual: "Leaves out the tensors whose names match one of the patterns, as for `--only`."),
    .text(
      "strip-prefix", "PREFIX", \.strippedPrefix, needs: "the beginning of a name", in: .selection,
      "remove a prefix such as module. from names",
      manual: """
        Removes PREFIX from the names that begin with it, such as `module.` of DistributedDataParallel
        or `_orig_mod.` of torch.compile. With `--key` these are the names below that key.
        """
    ) { $0.isEmpty ? nil : $0 },
    .choice(
      "dtype", "TYPE", \.weightDType, in: .selection, "cast floating-point tensors",
      manual: """
        Casts tensors of floating-point numbers, rounding to nearest even like PyTorch. Integers and
        truth values stay as they are.
        """),
  ]

  /// The dtype as a choice of `--dtype`.
  private var weightDType: WeightDType? {
    get { WeightDType.allCases.first { DType($0) == dtype } }
    set { dtype = newValue.map(DType.init) }
  }
}

extension BoundFlag {
  /// Returns a flag for patterns of names that are separated by commas.
  static func patterns(
    _ long: String, _ property: Property<[String]>, in section: Flag.Section = .selection,
    _ summary: String, manual: String
  ) -> Self {
    BoundFlag(
      flag: Flag(
        long: long, short: nil, argument: .text("GLOB"), section: section, summary: summary,
        manual: manual)
    ) { target, text throws(UsageError) in
      let patterns = text.split(separator: ",", omittingEmptySubsequences: false)
      guard patterns.allSatisfy({ !$0.isEmpty }) else {
        throw .badValue(of: long, needs: "a pattern such as '*.weight'", found: text)
      }
      target[keyPath: property] = patterns.map(String.init)
    }
  }
}
