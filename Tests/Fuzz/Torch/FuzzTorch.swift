import CkptHostileSupport
import CkptTestSupport

/// Takes the bytes for the pickle of a sound `.pt` file, and converts the file there and back.
///
/// In front of the pickle stand the number of storages and their lengths.
@c(LLVMFuzzerTestOneInput)
public func fuzzTorch(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = FuzzedBytes(start, count)
  let storages = (0..<input.byte() % 16).map { _ in fuzzedData(input.length() % 4096) }
  let archive = ZipBuilder.torch(pickle: input.remainder(), storages: storages)
  fuzz { try HostileFile.check(archive.bytes()) }
  return 0
}
