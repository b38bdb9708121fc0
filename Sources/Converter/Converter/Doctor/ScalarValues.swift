internal import Bytes
internal import Graph
internal import Plan

/// Reads the numbers that tensors of one element hold, such as an optimizer's count of steps.
enum ScalarValues {
  /// The values of `tensors`, each `nil` where it is not one number of a common type.
  ///
  /// - Throws: what ``CopyEngine/run(_:into:)`` throws.
  static func read(_ tensors: [TensorID], of graph: TensorGraph) throws(FormatError) -> [Double?] {
    var plan = FilePlan()
    let places = tensors.map { id -> Int? in
      let segments = graph[id].segments(from: graph)
      guard graph[id].elementCount == 1, isCommon(graph[id].dtype), !segments.isEmpty else {
        return nil
      }
      defer { for segment in segments { plan.append(segment) } }
      return plan.byteCount
    }
    let output = try TemporaryOutput(in: Syscalls.temporaryDirectory())
    try CopyEngine(threadCount: 1).run(plan, into: output)
    let bytes = try output.makeSource().bytes(in: 0..<plan.byteCount)
    var values: [Double?] = []
    for (id, place) in zip(tensors, places) {
      values.append(
        try place.map { place throws(FormatError) in
          try value(graph[id].dtype, bytes, at: place)
        })
    }
    return values
  }

  private static func isCommon(_ dtype: DType) -> Bool {
    switch dtype {
    case .float32, .float64, .int32, .int64: true
    default: false
    }
  }

  private static func value(
    _ dtype: DType, _ bytes: [UInt8], at place: Int
  ) throws(FormatError) -> Double {
    var reader = ByteReader(bytes.span)
    try reader.skip(place)
    return switch dtype {
    case .float32: Double(Float(bitPattern: try reader.readInteger(as: UInt32.self)))
    case .float64: Double(bitPattern: try reader.readInteger(as: UInt64.self))
    case .int32: Double(try reader.readInteger(as: Int32.self))
    default: Double(try reader.readInteger(as: Int64.self))
    }
  }
}
