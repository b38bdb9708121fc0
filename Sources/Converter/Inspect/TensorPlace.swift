internal import CkptBase
internal import CkptGraph
internal import CkptJSON

/// The byte range of a tensor in a file, for programs that read the elements themselves.
public struct TensorPlace: Hashable, Sendable {
  /// The path of the file.
  public var file: String
  /// The stored bytes in the file.
  public var bytes: Range<Int>
  /// Whether they are compressed with deflate (RFC 1951).
  public var isDeflated: Bool
  /// Whether numbers are big-endian.
  public var isBigEndian: Bool
  /// The offset of the first element after decompression, in elements.
  public var offset: Int
  /// The strides in elements, unless the elements are packed in row-major order.
  public var strides: [Int]?
  /// Whether the imaginary parts are stored with the opposite sign.
  public var isConjugated: Bool
  /// Whether all values are stored with the opposite sign.
  public var isNegated: Bool

  /// Creates the place of a tensor, or `nil` if it is not in one piece in a file.
  init?(of tensor: Tensor, in graph: TensorGraph) {
    let storage = tensor.storage.map { graph[$0] }
    guard let region = tensor.packed ?? storage?.region else { return nil }
    let (source, start) = region.source.origin
    file = source.name
    bytes = start + region.range.lowerBound..<start + region.range.upperBound
    isDeflated = region.encoding == .deflated
    // A single tensor of packed elements has the same bytes in a safetensors file.
    let isAlone = tensor.packed != nil
    isBigEndian = !isAlone && storage?.isBigEndian == true
    offset = isAlone ? 0 : tensor.offset
    strides = isAlone || tensor.isContiguous ? nil : tensor.strides
    isConjugated = !isAlone && tensor.isConjugated
    isNegated = !isAlone && tensor.isNegated
  }

  /// Writes the place as an object; `Documentation/json.md` describes its members.
  func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("file", file)
    json.member("first_byte", bytes.lowerBound)
    json.member("bytes", bytes.count)
    json.member("encoding", isDeflated ? "deflated" : "stored")
    json.member("byteorder", isBigEndian ? "big" : "little")
    json.member("offset", offset)
    if let strides { json.member("strides", strides) }
    if isConjugated { json.member("conjugated", true) }
    if isNegated { json.member("negated", true) }
    json.endObject()
  }
}
