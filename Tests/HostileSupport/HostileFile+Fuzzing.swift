extension HostileFile {
  /// What a fuzzer does with a file: stops where a rule is broken.
  package static func fuzz(_ bytes: [UInt8]) {
    do {
      try check(bytes)
    } catch {
      fatalError("\(error)")
    }
  }
}
