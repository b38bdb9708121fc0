import CkptHostileSupport
import CkptJSON
import CkptTestSupport

/// Takes the bytes for the skeleton of a safetensors file, and converts the file there and back.
///
/// In front stand the length of its data, that of its entries as JSON, and these.
@c(LLVMFuzzerTestOneInput)
public func fuzzSkeleton(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = FuzzedBytes(start, count)
  let data = fuzzedData(input.length() % 4096)
  let entries = input.bytes(input.length())
  var skeleton = JSONWriter()
  skeleton.string(utf8: input.remainder()[...])
  let header =
    Array(#"{"__metadata__":{"format":"pt","ckptconv.skeleton":"#.utf8) + skeleton.bytes
    + Array("}".utf8) + (entries.isEmpty ? [] : Array(",".utf8)) + entries + Array("}".utf8)
  fuzz { try HostileFile.check(SafetensorsFile(header: header, data: data).bytes) }
  return 0
}
