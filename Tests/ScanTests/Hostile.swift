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
      header.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
      let checksum = Array(String(header.reduce(0) { $0 + Int($1) }, radix: 8).utf8) + [0]
      header.replaceSubrange(148..<148 + checksum.count, with: checksum)
      bytes += header + file.data
      bytes += [UInt8](repeating: 0, count: (512 - file.data.count % 512) % 512)
    }
    return bytes + [UInt8](repeating: 0, count: 1024)
  }

  /// An array file of NumPy with elements of a type.
  static func array(_ type: String, _ data: [UInt8]) -> [UInt8] {
    let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (1,), }\n"
    let start = [0x93] + Array("NUMPY".utf8) + [1, 0]
    return start + [UInt8(header.utf8.count), 0] + Array(header.utf8) + data
  }

  /// A gzip file.
  static func gzip(_ data: [UInt8]) -> [UInt8] {
    let size = withUnsafeBytes(of: UInt32(data.count).littleEndian) { Array($0) }
    return [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255] + Deflate.stored(data) + [0, 0, 0, 0] + size
  }
}
