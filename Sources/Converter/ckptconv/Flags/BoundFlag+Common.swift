/// Flags that several commands have and that mean the same in all of them.
extension BoundFlag {
  /// Whether outputs are on the disk before they appear.
  static func sync(_ property: Property<Bool>) -> Self {
    .toggle(
      "sync", property, in: .output, "put outputs on the disk before they appear",
      manual: """
        Waits (fdatasync) until an output is on the disk before it appears under its name, so that
        not even a power failure leaves half of one. It is slower.
        """)
  }

  /// Where the tokenizer is that goes along with a checkpoint.
  static func tokenizer(_ property: Property<String?>) -> Self {
    .path(
      "tokenizer", "PATH", property, in: .content, "take the tokenizer from a directory or file",
      manual: """
        The directory with the files of the tokenizer, or its `tokenizer.json`. The default is DIR,
        if it has them.
        """)
  }

  /// Whether the end-of-text token of OLMo 1's first configurations stays what they say.
  static func keepEndOfText(_ property: Property<Bool>) -> Self {
    .toggle(
      "keep-eos", property, in: .content, "keep an end-of-text token 0",
      manual: """
        The first configurations of OLMo 1 say 0 for the end-of-text token and mean 50279, which is
        written for it, with a warning. With this flag 0 is written.
        """)
  }

  /// Whether values that exist to run code become `None`.
  static func dropUnsafe(_ property: Property<Bool>) -> Self {
    .toggle(
      "drop-unsafe", property, in: .safety, "replace what exists to run code by None",
      manual: """
        A pickle that names a global that exists to run code is refused. With this flag its value
        becomes None, and a warning names it. Nothing is run in either case. See
        `ckptconv help safety`.
        """)
  }
}
