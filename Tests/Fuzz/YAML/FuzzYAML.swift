import CkptHostileSupport

/// Takes the bytes for a YAML document; what it says must survive being written anew.
@c(LLVMFuzzerTestOneInput)
public func fuzzYAML(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = FuzzedBytes(start, count)
  fuzz { try HostileConfiguration.checkYAML(input.remainder()) }
  return 0
}
