package import CkptBase
internal import CkptCopy
package import CkptGraph
internal import CkptPlan

/// Reads the values of tensors of one element, such as an optimizer's step count.
package enum ScalarValues {
  /// Returns the values of `tensors`; `nil` for a tensor that is not one number of a common dtype.
  ///
  /// - Throws: the errors of ``CopyEngine/run(_:into:)``.
  package static func read(_ tensors: [TensorID], of graph: TensorGraph) throws(CheckpointError)
    -> [Double?]
  {
    var plan = FilePlan()
    let places = tensors.map { id -> Int? in
      let segments = graph[id].segments(from: graph)
      guard graph[id].elementCount == 1, isCommon(graph[id].dtype), !segments.isEmpty else {
        return nil
      }
      defer { for segment in segments { plan.append(segment) } }
      return plan.byteCount
    }
    let file = try TemporaryOutput.holding(plan, budget: CopyBudget(threads: 1))
    let bytes = try file.bytes(in: 0..<plan.byteCount)
    var values: [Double?] = []
    for (id, place) in zip(tensors, places) {
      values.append(
        try place.map { place throws(CheckpointError) in
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
  ) throws(CheckpointError) -> Double {
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

extension TensorGraph {
  /// The number that a node is, or that a tensor of one element holds.
  ///
  /// - Throws: `inputOutput` when a tensor cannot be read.
  package func number(_ node: NodeID) throws(CheckpointError) -> Double? {
    switch self[node] {
    case .int(let value): Double(value)
    case .float(let value): value
    case .tensor(let id): try ScalarValues.read([id], of: self)[0]
    default: nil
    }
  }
}
