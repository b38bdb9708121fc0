/// A format of another program that holds weights or arrays, told by the first bytes of its files.
package struct ForeignFormat: Hashable, Sendable {
  /// The name of the format.
  package let name: String
  /// The way to a file that is read.
  package let advice: String

  /// Returns the format of a file with these first bytes, or `nil` for other files.
  package static func sniff(_ head: [UInt8]) -> ForeignFormat? {
    if let magic = magics.first(where: { head.dropFirst($0.offset).starts(with: $0.bytes) }) {
      return magic.format
    }
    if isTorch7Table(head) { return torch7 }
    return ProtocolBuffer(head).format
  }

  private static let magics: [(offset: Int, bytes: [UInt8], format: ForeignFormat)] = [
    (0, [0x89] + "HDF\r\n".utf8 + [0x1a, 0x0a], hdf5),
    (0, [0x93] + "NUMPY".utf8, numPy),
    (0, Array("GGUF".utf8), gguf),
    // The same before it was called GGUF, without and with versions (`llama.cpp`, 2023).
    (0, Array("lmgg".utf8), gguf), (0, Array("fmgg".utf8), gguf), (0, Array("tjgg".utf8), gguf),
    (4, Array("TFL3".utf8), tensorFlowLite),
    (0, Array("MATLAB 5.0 MAT-file".utf8), matLab),
    // A Torch object, number 1, with its version (`File.lua` of Torch 7), as binary and as text.
    (0, [4, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0] + "V 1".utf8, torch7),
    (0, Array("4\n1\n3\nV 1\n".utf8), torch7),
  ]

  /// Whether a table of Torch 7 begins with these bytes: number 1, its size, and the type of a key,
  /// which is a number or a string (`File.lua`).
  private static func isTorch7Table(_ head: [UInt8]) -> Bool {
    head.starts(with: [3, 0, 0, 0, 1, 0, 0, 0]) && head.count > 16
      && (head[12...].starts(with: [1, 0, 0, 0]) || head[12...].starts(with: [2, 0, 0, 0]))
  }

  /// Keras, h5py and others.
  package static let hdf5 = ForeignFormat(
    name: "HDF5",
    advice: "read it with h5py or Keras and save the arrays with safetensors.numpy.save_file")
  /// An array of NumPy.
  package static let numPy = ForeignFormat(
    name: "NumPy",
    advice: "read it with numpy.load and save the arrays with safetensors.numpy.save_file")
  /// The format of `llama.cpp`.
  package static let gguf = ForeignFormat(
    name: "GGUF", advice: "convert the model that it was made from; its tensors may be quantized")
  /// The Lua program that PyTorch came from.
  package static let torch7 = ForeignFormat(
    name: "Torch7",
    advice: "read it with the Python package torchfile and save the tensors with torch.save")
  /// A graph of operations with its weights.
  package static let onnx = ForeignFormat(
    name: "ONNX",
    advice: "read it with the Python package onnx and save its initializers with "
      + "safetensors.numpy.save_file; better convert the model that it was exported from")
  /// A graph of TensorFlow, or the index of its weights.
  package static let tensorFlow = ForeignFormat(
    name: "TensorFlow",
    advice: "read the checkpoint with tf.train.load_checkpoint and save the arrays with "
      + "safetensors.numpy.save_file")
  /// A graph for phones.
  package static let tensorFlowLite = ForeignFormat(
    name: "TensorFlow Lite", advice: "convert the model that it was exported from")
  /// A tar archive of NVIDIA NeMo.
  package static let neMo = ForeignFormat(
    name: "NeMo",
    advice: "unpack it, for example with 'tar xf', and give model_weights.ckpt, which is inside")
  /// Arrays of MATLAB, as VGG was first published.
  package static let matLab = ForeignFormat(
    name: "MATLAB",
    advice: "read it with scipy.io.loadmat and save the arrays with safetensors.numpy.save_file")
}

/// The first fields of a message of Protocol Buffers, which has no mark of its own
/// (`protobuf.dev/programming-guides/encoding`).
private struct ProtocolBuffer {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// A field: its number, and its value, or the place and length of its bytes.
  private enum Field {
    case number(field: Int, value: Int)
    case bytes(field: Int, start: Int, count: Int)
  }

  /// The format whose messages begin with these fields.
  var format: ForeignFormat? {
    var message = self
    switch message.next() {
    case .number(field: 1, let version): return message.isModel(version)
    case .bytes(field: 1, let start, _): return isNode(at: start) ? .tensorFlow : nil
    default: return nil
    }
  }

  /// A `ModelProto` of ONNX (`onnx.proto`), or a `SavedModel` of TensorFlow (`saved_model.proto`); both
  /// begin with a version.
  private mutating func isModel(_ version: Int) -> ForeignFormat? {
    guard (1...100).contains(version) else { return nil }
    while let field = next() {
      switch field {
      case .bytes(field: 2, let start, let count):
        // The name of the producer, or a graph, which begins with its own description.
        if version == 1, count > 64, bytes.dropFirst(start).first == 0x0a { return .tensorFlow }
        guard count <= 64 else { return nil }
        position = start + count
      case .bytes(field: 3...6, let start, let count): position = start + count
      case .number(field: 5, _): continue
      case .bytes(field: 7...8, _, _): return .onnx
      default: return nil
      }
    }
    return nil
  }

  /// Whether the message at a place begins like a node of a graph: a name and an operation
  /// (`node_def.proto`).
  private func isNode(at start: Int) -> Bool {
    var node = self
    node.position = start
    guard case .bytes(field: 1, let name, let count) = node.next(), (1...1024).contains(count)
    else {
      return false
    }
    node.position = name + count
    guard case .bytes(field: 2, let operation, let length) = node.next(), (2...64).contains(length),
      operation + length <= bytes.count
    else { return false }
    return bytes[operation..<operation + length].allSatisfy { byte in
      Character(Unicode.Scalar(byte)).isLetter || (0x30...0x39).contains(byte)
    }
  }

  /// Reads the head of the next field, and its value if that is a number.
  private mutating func next() -> Field? {
    guard let key = varint() else { return nil }
    switch key & 7 {
    case 0: return varint().map { .number(field: key >> 3, value: $0) }
    case 2: return varint().map { .bytes(field: key >> 3, start: position, count: $0) }
    default: return nil
    }
  }

  /// Reads a number of seven bits a byte, the least significant first.
  private mutating func varint() -> Int? {
    var value = 0
    for shift in stride(from: 0, to: 56, by: 7) {
      guard position < bytes.count else { return nil }
      let byte = bytes[position]
      position += 1
      value |= Int(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }
}
