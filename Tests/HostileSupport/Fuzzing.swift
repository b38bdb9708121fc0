/// What a fuzzer does with an input: stops where a rule is broken.
package func fuzz(_ check: () throws -> Void) {
  do {
    try check()
  } catch {
    fatalError("\(error)")
  }
}
