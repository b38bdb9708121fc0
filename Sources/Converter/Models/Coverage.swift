package import CkptBase

/// A mismatch between the tensors of a configuration and those of a file.
package enum CoverageFault: Hashable, Sendable {
  /// A tensor is missing.
  case missing(ExpectedTensor)
  /// A tensor has another shape.
  case shape(ExpectedTensor, found: [Int])
  /// A tensor is not part of the model.
  case unexpected(name: String, shape: [Int])
}

/// Compares tensors with a configuration by name and shape.
package struct Coverage: Sendable {
  /// The side whose names and fields messages use.
  package enum Side: Sendable {
    case olmo, core, huggingFace
  }

  /// The mismatches in the order of the model, additional tensors last.
  package private(set) var faults: [CoverageFault] = []
  private let side: Side

  /// Compares `found` with the tensors of one side of `map`.
  package init(
    of found: some Sequence<(name: String, shape: [Int])>, by map: TensorMap, on side: Side
  ) {
    self.side = side
    let expected =
      switch side {
      case .olmo: map.olmo
      case .core: map.core
      case .huggingFace: map.huggingFace
      }
    let wanted = Set(names: expected.map(\.name))
    var shapes: [ExactString: [Int]] = [:]
    for tensor in found {
      if wanted.contains(tensor.name) {
        shapes[tensor.name] = tensor.shape
      } else if side != .huggingFace || !map.ignored.contains(tensor.name) {
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

  /// The maximum number of mismatches in a message.
  private static let namedFaults = 4

  /// Refuses tensors that do not match the configuration.
  ///
  /// - Throws: `conflict` with the first mismatches.
  package func require() throws(CheckpointError) {
    guard !faults.isEmpty else { return }
    let named = faults.prefix(Self.namedFaults).map(description)
    let rest = faults.count > named.count ? "; and \(faults.count - named.count) more" : ""
    throw CheckpointError(
      .conflict, named.joined(separator: "; ") + rest,
      remedy: "the tensors and the configuration belong to different models, or one is damaged")
  }

  /// Returns a mismatch as part of a sentence.
  package func description(of fault: CoverageFault) -> String {
    switch fault {
    case .missing(let tensor):
      "tensor '\(tensor.name)' with shape \(tensor.shape) is missing"
    case .shape(let tensor, let found):
      "tensor '\(tensor.name)' has shape \(found), but the configuration requires \(tensor.shape) "
        + "(\(fields(of: tensor)))"
    case .unexpected(let name, let shape):
      "tensor '\(name)' with shape \(shape) is not part of the model"
    }
  }

  /// Returns the fields that decide the shape of a tensor, such as `hidden_size,
  /// intermediate_size`.
  private func fields(of tensor: ExpectedTensor) -> String {
    var fields: [String] = []
    for extent in tensor.extents {
      let field =
        switch side {
        case .olmo: extent.olmoFields
        case .core: extent.coreFields
        case .huggingFace: extent.huggingFaceFields
        }
      if fields.last != field { fields.append(field) }
    }
    return fields.joined(separator: "; ")
  }
}
