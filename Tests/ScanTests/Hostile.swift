import CkptBase
import CkptScan
import CkptTestSupport

/// Pickles that would run something, and files around them.
enum Hostile {
  /// `os.system('id')`, protocol 2.
  static let call = PickledValue.call(.global("os", "system"), ["id"])
  static let pickle = call.pickle()
  /// A checkpoint of one tensor.
  static let tensor = PickledValue.dict(["w", .tensor(.storage("FloatStorage", 1), [1])])
  static let harmless = tensor.pickle()
  /// An archive that converts.
  static var archive: ZipBuilder { .torch(pickle: harmless, storages: [[0, 0, 0, 0]]) }
  /// An archive whose pickle is hostile.
  static var hostileArchive: ZipBuilder { .torch(pickle: pickle, storages: [[0, 0, 0, 0]]) }

  /// A safetensors file of these tensors of bytes.
  static func safetensors(
    _ tensors: [(name: String, data: [UInt8])], metadata: String? = nil
  ) -> [UInt8] {
    var members: [String] = []
    if let metadata { members.append("\"__metadata__\":{\(metadata)}") }
    var data: [UInt8] = []
    for tensor in tensors {
      let range = "[\(data.count),\(data.count + tensor.data.count)]"
      members.append(
        "\"\(tensor.name)\":{\"dtype\":\"U8\",\"shape\":[\(tensor.data.count)],"
          + "\"data_offsets\":\(range)}")
      data += tensor.data
    }
    return SafetensorsFile("{\(members.joined(separator: ","))}", data: data).bytes
  }

  /// A tar archive of these files.
  static func tar(_ files: [(name: String, data: [UInt8])]) -> [UInt8] {
    var bytes: [UInt8] = []
    for file in files {
      var header = [UInt8](repeating: 0, count: 512)
      header.replaceSubrange(0..<file.name.utf8.count, with: Array(file.name.utf8))
      let size = Array(String(file.data.count, radix: 8).utf8)
      header.replaceSubrange(124..<124 + size.count, with: size)
      header.replaceSubrange(257..<262, with: Array("ustar".utf8))
      bytes += header + file.data
      bytes += [UInt8](repeating: 0, count: (512 - file.data.count % 512) % 512)
    }
    return bytes + [UInt8](repeating: 0, count: 1024)
  }
}
