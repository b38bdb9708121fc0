import CkptHostileSupport

/// Takes the bytes for a configuration of OLMo, or of Hugging Face if they begin like JSON, and
/// translates it to the other.
@c(LLVMFuzzerTestOneInput)
public func fuzzConfig(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = FuzzedBytes(start, count)
  fuzz { try HostileConfiguration.check(input.remainder()) }
  return 0
}
