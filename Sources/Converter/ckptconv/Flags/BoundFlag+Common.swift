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
