import CkptHostileSupport

/// Takes the bytes for a whole file, says what it is, and converts it there and back.
@c(LLVMFuzzerTestOneInput)
public func fuzzFile(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = FuzzedBytes(start, count)
  fuzz { try HostileFile.check(input.remainder()) }
  return 0
}
