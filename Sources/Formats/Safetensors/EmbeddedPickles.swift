package import CkptBase
package import CkptContainer
internal import CkptGraph
internal import CkptJSON
package import CkptPickle
internal import CkptSkeleton

/// The places of a safetensors file that can hold pickles and names of globals, for a scan.
package struct EmbeddedPickles {
  /// A tensor of the file.
  package struct Part {
    /// The name of the tensor.
    package var name: String
    /// The base64 contents of the name, decoded like Python, which skips other characters.
    package var key: [UInt8]
    /// Whether the key, as a pickle of OLMo's trainer, says that the data is a pickle too.
    package var isPickled: Bool
    /// The range of the data in the file.
    package var range: Range<Int>
    /// Whether the data is bytes, as a pickle is.
    package var isBytes: Bool
  }

  /// The tensors, in the order of their data.
  package let parts: [Part]
  /// The globals that the skeleton names, the most dangerous first.
  package let skeletonGlobals: [GlobalUse]
  /// The error in the skeleton, if there is one.
  package let skeletonFault: CheckpointError?

  /// Reads the header of the source of `look`.
  ///
  /// - Throws: an error that prevents reading it: `truncated`, `malformed`, `limitExceeded`.
  package init(of look: SourceLook) throws(CheckpointError) {
    let header = try SafetensorsHeader.read(look)
    let start = 8 + header.byteCount
    parts = header.entries.map { entry in
      let key = Self.key(entry.name)
      return Part(
        name: entry.name, key: key, isPickled: Self.saysPickled(key),
        range: start + entry.range.lowerBound..<start + entry.range.upperBound,
        isBytes: entry.dtype == .u8 && entry.shape.count == 1)
    }
    do throws(CheckpointError) {
      skeletonGlobals =
        try header.skeleton.map { text throws(CheckpointError) in
          try SkeletonReader.globals(text, fileByteCount: look.source.byteCount)
        } ?? []
      skeletonFault = nil
    } catch {
      skeletonGlobals = []
      skeletonFault = error
    }
  }

  /// Decodes like `base64.urlsafe_b64decode` (CPython `Lib/base64.py`): it accepts both alphabets
  /// and skips other characters.
  private static func key(_ name: String) -> [UInt8] {
    var digits: [UInt8] = []
    for digit in name.utf8 {
      switch digit {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        digits.append(digit)
      case UInt8(ascii: "+"): digits.append(UInt8(ascii: "-"))
      case UInt8(ascii: "/"): digits.append(UInt8(ascii: "_"))
      default: break
      }
    }
    // To Python, digits that make no whole byte are an error or nothing.
    digits.removeLast(digits.count % 4 == 1 ? 1 : 0)
    while !digits.count.isMultiple(of: 4) { digits.append(UInt8(ascii: "=")) }
    if let bytes = Base64.decode(String(decoding: digits, as: UTF8.self), .urlSafe) { return bytes }
    // Surplus bits must be zero for the decoder; only the last digit can have some.
    guard let last = digits.lastIndex(where: { $0 != UInt8(ascii: "=") }) else { return [] }
    digits[last] = UInt8(ascii: "A")
    return Base64.decode(String(decoding: digits, as: UTF8.self), .urlSafe) ?? []
  }

  private static func saysPickled(_ key: [UInt8]) -> Bool {
    guard PickleSignature.hasProtocol(key[...]) else { return false }
    var machine = Unpickler(unsafeGlobals: .report)
    var reader = ByteReader(key.span)
    guard let pair = try? machine.load(&reader), let items = machine.graph.tuple(pair),
      items.count == 2, let flag = items.last
    else { return false }
    return flag == TensorGraph.true
  }
}
