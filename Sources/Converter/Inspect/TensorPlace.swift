internal import CkptBase
internal import CkptGraph
internal import CkptJSON

/// The stretch of a file that has the elements of a tensor, for programs that read them by
/// themselves.
public struct TensorPlace: Hashable, Sendable {
  /// The path of the file.
  public var file: String
  /// The bytes of the file, as they are stored.
  public var bytes: Range<Int>
  /// Whether they are compressed with deflate (RFC 1951).
  public var isDeflated: Bool
  /// Whether numbers are stored most significant byte first.
  public var isBigEndian: Bool
  /// The place of the first element, counted in elements from the first byte once decompressed.
  public var offset: Int
  /// The distances between neighbors in elements, where they are not packed in row-major order.
  public var strides: [Int]?
  /// Whether the imaginary parts are stored with the opposite sign.
  public var isConjugated: Bool
  /// Whether all values are stored with the opposite sign.
  public var isNegated: Bool

  /// The place of a tensor, or `nil` where no file has it in one piece.
  init?(of tensor: Tensor, in graph: TensorGraph) {
    let storage = tensor.storage.map { graph[$0] }
    guard let region = tensor.packed ?? storage?.region else { return nil }
    let (source, start) = region.source.origin
    file = source.name
    bytes = start + region.range.lowerBound..<start + region.range.upperBound
    isDeflated = region.encoding == .deflated
    // The bytes of a tensor by itself are those that a safetensors file would have.
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
