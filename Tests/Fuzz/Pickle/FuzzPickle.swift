import CkptHostileSupport

/// Takes the bytes for a pickle; what it describes must survive being pickled anew.
@c(LLVMFuzzerTestOneInput)
public func fuzzPickle(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = FuzzedBytes(start, count)
  fuzz { try HostilePickle.check(input.remainder()) }
  return 0
}
