import CkptHostileSupport
import CkptJSON
import CkptTestSupport

/// Takes the bytes for the two pickles of an entry in OLMo's layout: that of its key, with its length
/// in front, and that of its value.
@c(LLVMFuzzerTestOneInput)
public func fuzzOLMoKeys(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = FuzzedBytes(start, count)
  let key = input.bytes(input.length())
  let value = input.remainder()
  let header = Array(
    """
    {"\(Base64.encode(key, .urlSafe))":\
    {"dtype":"U8","shape":[\(value.count)],"data_offsets":[0,\(value.count)]}}
    """.utf8)
  fuzz { try HostileFile.check(SafetensorsFile(header: header, data: value).bytes) }
  return 0
}
