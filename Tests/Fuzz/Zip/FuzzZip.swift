import CkptBase
import CkptHostileSupport
import CkptTestSupport
import CkptZip

/// Takes the bytes for an archive and reads all of its records.
@c(LLVMFuzzerTestOneInput)
public func fuzzZip(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = FuzzedBytes(start, count)
  guard let file = try? TemporaryFile.holding(input.remainder()),
    let directory = try? ZipDirectory(reading: file)
  else { return 0 }
  var end = 0
  for entry in directory.entries.sorted(by: { $0.localHeaderOffset < $1.localHeaderOffset }) {
    precondition(entry.localHeaderOffset >= end, "'\(entry.name)' overlaps another entry")
    precondition(entry.dataRange.upperBound <= file.byteCount, "'\(entry.name)' leaves the file")
    end = entry.dataRange.upperBound
    _ = try? directory.readRecord(entry, limit: Limits.smallRecordBytes)
  }
  return 0
}
