/// Data for tensors: bytes that are never all the same.
package func fuzzedData(_ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 8) }
}
