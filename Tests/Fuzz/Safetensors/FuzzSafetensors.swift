import CkptHostileSupport
import CkptTestSupport

/// Takes the bytes for the header of a safetensors file, with the length of the data in front, and
/// converts the file there and back.
@c(LLVMFuzzerTestOneInput)
public func fuzzSafetensors(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = FuzzedBytes(start, count)
  let data = fuzzedData(input.length() % 4096)
  let header = input.remainder()
  fuzz { try HostileFile.check(SafetensorsFile(header: header, data: data).bytes) }
  return 0
}
