package import CkptBase

/// What is wrong between the tensors that a configuration calls for and those that are there.
package enum CoverageFault: Hashable, Sendable {
  /// A tensor is not there.
  case missing(ExpectedTensor)
  /// A tensor is of another shape.
  case shape(ExpectedTensor, found: [Int])
  /// The configuration does not call for this tensor.
  case unexpected(name: String, shape: [Int])
}

/// Compares tensors by name and shape with what a configuration calls for.
package struct Coverage: Sendable {
  /// Whose names and fields messages speak of.
  package enum Side: Sendable {
    case olmo, huggingFace
  }

  /// What is wrong, in the order of the model, tensors too many last.
  package private(set) var faults: [CoverageFault] = []
  private let side: Side

  /// Compares `found` with the tensors of one side of `map`.
  package init(
    of found: some Sequence<(name: String, shape: [Int])>, by map: TensorMap, on side: Side
  ) {
    self.side = side
    let expected = side == .olmo ? map.olmo : map.huggingFace
    let wanted = Set(names: expected.map(\.name))
    var shapes: [ExactString: [Int]] = [:]
    for tensor in found {
      if wanted.contains(tensor.name) {
        shapes[tensor.name] = tensor.shape
      } else if side == .olmo || !map.ignored.contains(tensor.name) {
        faults.append(.unexpected(name: tensor.name, shape: tensor.shape))
      }
    }
    var ownFaults: [CoverageFault] = []
    for tensor in expected {
      guard let shape = shapes[tensor.name] else {
        ownFaults.append(.missing(tensor))
        continue
      }
      if shape != tensor.shape { ownFaults.append(.shape(tensor, found: shape)) }
    }
    faults = ownFaults + faults
  }

  /// How many faults a message names.
  private static let namedFaults = 4

  /// Refuses tensors that are not what the configuration calls for.
  ///
  /// - Throws: `conflict` with the first faults by name.
  package func require() throws(CheckpointError) {
    guard !faults.isEmpty else { return }
    let named = faults.prefix(Self.namedFaults).map(description)
    let rest = faults.count > named.count ? "; and \(faults.count - named.count) more" : ""
    throw CheckpointError(
      .conflict, named.joined(separator: "; ") + rest,
      remedy: "the tensors and the configuration belong to different models, or one is damaged")
  }

  /// One fault as part of a sentence.
  package func description(of fault: CoverageFault) -> String {
    switch fault {
    case .missing(let tensor):
      "tensor '\(tensor.name)' of \(tensor.shape) is missing"
    case .shape(let tensor, let found):
      "tensor '\(tensor.name)' is \(found), and the configuration says \(tensor.shape) "
        + "(\(fields(of: tensor)))"
    case .unexpected(let name, let shape):
      "tensor '\(name)' of \(shape) is not part of the model"
    }
  }

  /// What decides the shape of a tensor, such as `hidden_size, intermediate_size`.
  private func fields(of tensor: ExpectedTensor) -> String {
    var fields: [String] = []
    for extent in tensor.extents {
      let field = side == .olmo ? extent.olmoFields : extent.huggingFaceFields
      if fields.last != field { fields.append(field) }
    }
    return fields.joined(separator: "; ")
  }
}
