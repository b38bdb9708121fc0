package import CkptBase
package import CkptContainer
internal import CkptGraph
internal import CkptJSON
package import CkptPickle
internal import CkptSkeleton

/// Where a safetensors file may hold pickles and names of globals, for those who look for them and
/// do not take the contents.
package struct EmbeddedPickles {
  /// A tensor of the file.
  package struct Part {
    /// The tensor's name.
    package var name: String
    /// What the name is the base64 of, as Python decodes it: it leaves out what is none.
    package var key: [UInt8]
    /// Whether the key, if it is a pickle of the OLMo trainer, says that the data is one as well.
    package var isPickled: Bool
    /// Where the data lies in the file.
    package var range: Range<Int>
    /// Whether the data are bytes, which a pickle is.
    package var isBytes: Bool
  }

  /// The tensors in the order of their data.
  package let parts: [Part]
  /// The globals that the skeleton names, the worst first.
  package let skeletonGlobals: [GlobalUse]
  /// What is wrong with the skeleton.
  package let skeletonFault: CheckpointError?

  /// Reads the header of the file that `look` looks at.
  ///
  /// - Throws: what keeps readers from it: `truncated`, `malformed`, `limitExceeded`.
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
          try SkeletonReader.globals(text)
        } ?? []
      skeletonFault = nil
    } catch {
      skeletonGlobals = []
      skeletonFault = error
    }
  }

  /// `base64.urlsafe_b64decode` (CPython `Lib/base64.py`): both alphabets, and characters of none
  /// are skipped.
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
    // Digits that make no whole byte are an error or nothing to Python.
    digits.removeLast(digits.count % 4 == 1 ? 1 : 0)
    while !digits.count.isMultiple(of: 4) { digits.append(UInt8(ascii: "=")) }
    if let bytes = Base64.decode(String(decoding: digits, as: UTF8.self), .urlSafe) { return bytes }
    // Bits that no byte takes must be zero for the decoder: the last digit is the one at fault.
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
