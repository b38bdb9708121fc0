import CkptBase
import CkptHostileSupport
import CkptJSON
import CkptTestSupport
import CkptZip

/// The reader for the bytes of an input, chosen by `FUZZ_TARGET`.
enum FuzzTarget: String {
  /// An archive, all of whose records are read.
  case zip = "Zip"
  /// A pickle: what it describes must survive being pickled anew.
  case pickle = "Pickle"
  /// The pickle of a sound `.pt` file, which is converted there and back. In front of it stand the
  /// number of storages and their lengths.
  case torch = "Torch"
  /// The object, the keys and the storages of a legacy `.pt` file, which is converted there and back.
  case legacy = "Legacy"
  /// The header of a safetensors file, which is converted there and back. In front of it stands the
  /// length of the data.
  case safetensors = "Safetensors"
  /// The skeleton of a safetensors file, which is converted there and back. In front of it stand the
  /// length of its data, that of its entries as JSON, and these.
  case skeleton = "Skeleton"
  /// The two pickles of an entry in OLMo's layout: that of its key, with its length in front, and
  /// that of its value.
  case olmoKeys = "OLMoKeys"
  /// A whole file, of which is said what it is, and which is converted there and back.
  case file = "File"
  /// A YAML document: what it says must survive being written anew.
  case yaml = "YAML"
  /// A configuration of OLMo, or of Hugging Face if it begins like JSON, which is translated to the
  /// other.
  case config = "Config"

  /// The one that this process was started for.
  static let current: FuzzTarget = {
    let name = Syscalls.environment("FUZZ_TARGET") ?? "nothing"
    guard let target = FuzzTarget(rawValue: name) else {
      fatalError("FUZZ_TARGET is \(name), which is none of them")
    }
    return target
  }()

  /// Does what the target is for with one input.
  func check(_ input: inout FuzzedBytes) throws {
    switch self {
    case .zip: Self.readRecords(of: input.remainder())
    case .pickle: try HostilePickle.check(input.remainder())
    case .torch:
      let storages = (0..<input.byte() % 16).map { _ in fuzzedData(input.length() % 4096) }
      let archive = ZipBuilder.torch(pickle: input.remainder(), storages: storages)
      try HostileFile.check(archive.bytes())
    case .legacy:
      let header = LegacyFile(.none).pickles.prefix(3).flatMap { $0 }
      try HostileFile.check(header + input.remainder())
    case .safetensors:
      let data = fuzzedData(input.length() % 4096)
      try HostileFile.check(SafetensorsFile(header: input.remainder(), data: data).bytes)
    case .skeleton: try HostileFile.check(Self.fileWithSkeleton(&input).bytes)
    case .olmoKeys:
      let key = input.bytes(input.length())
      let value = input.remainder()
      let header = """
        {"\(Base64.encode(key, .urlSafe))":\
        {"dtype":"U8","shape":[\(value.count)],"data_offsets":[0,\(value.count)]}}
        """
      try HostileFile.check(SafetensorsFile(header, data: value).bytes)
    case .file: try HostileFile.check(input.remainder())
    case .yaml: try HostileConfiguration.checkYAML(input.remainder())
    case .config: try HostileConfiguration.check(input.remainder())
    }
  }

  private static func readRecords(of bytes: [UInt8]) {
    guard let file = try? TemporaryFile.holding(bytes),
      let directory = try? ZipDirectory(reading: file)
    else { return }
    var end = 0
    for entry in directory.entries.sorted(by: { $0.localHeaderOffset < $1.localHeaderOffset }) {
      precondition(entry.localHeaderOffset >= end, "'\(entry.name)' overlaps another entry")
      precondition(entry.dataRange.upperBound <= file.byteCount, "'\(entry.name)' leaves the file")
      end = entry.dataRange.upperBound
      _ = try? directory.readRecord(entry, limit: Limits.smallRecordBytes)
    }
  }

  private static func fileWithSkeleton(_ input: inout FuzzedBytes) -> SafetensorsFile {
    let data = fuzzedData(input.length() % 4096)
    let entries = input.bytes(input.length())
    var skeleton = JSONWriter()
    skeleton.string(utf8: input.remainder()[...])
    let header =
      Array(#"{"__metadata__":{"format":"pt","ckptconv.skeleton":"#.utf8) + skeleton.bytes
      + Array("}".utf8) + (entries.isEmpty ? [] : Array(",".utf8)) + entries + Array("}".utf8)
    return SafetensorsFile(header: header, data: data)
  }
}

/// Takes one input from libFuzzer, and stops where a rule is broken.
@c(LLVMFuzzerTestOneInput)
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = FuzzedBytes(start, count)
  do {
    try FuzzTarget.current.check(&input)
  } catch {
    fatalError("\(error)")
  }
  return 0
}
