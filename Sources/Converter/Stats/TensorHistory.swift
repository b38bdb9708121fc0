internal import CkptBase
internal import CkptCopy

/// A few numbers about each tensor of a model in each checkpoint of a run: what reports draw.
struct TensorHistory: Sendable {
  /// The numbers that are kept.
  enum Measure: Int, CaseIterable, Sendable {
    case rootMeanSquare, largest, kurtosis, norm, gradient, update, relativeUpdate
  }

  /// A tensor of the model.
  struct Tensor: Sendable {
    let name: String
    let role: ParameterRole
    let block: Int?
    var shape: [Int]
    var dtype: String
    /// The step number in the run at which it was first seen, then a number for each measure and
    /// checkpoint from there; NaN where there is none.
    fileprivate(set) var numbers: [[Float]]
  }

  /// The tensors in the order in which they were first seen.
  private(set) var tensors: [Tensor] = []
  private(set) var stepCount = 0
  private var places: [ExactString: Int] = [:]

  /// The number of a tensor.
  func place(of name: String) -> Int? { places[ExactString(name)] }

  /// The values of a measure of a tensor, one for each checkpoint; NaN where there is none.
  func values(_ measure: Measure, of tensor: Int) -> [Float] {
    tensors[tensor].numbers[measure.rawValue]
  }

  /// Takes in the next checkpoint.
  mutating func add(_ checkpoint: CheckpointStatistics) {
    stepCount += 1
    for tensor in checkpoint.weights {
      let name = ExactString(tensor.name)
      let place = places[name] ?? tensors.count
      if place == tensors.count {
        places[name] = place
        let none = [Float](repeating: .nan, count: stepCount - 1)
        tensors.append(
          Tensor(
            name: tensor.name, role: tensor.role, block: tensor.block, shape: tensor.shape,
            dtype: tensor.dtype, numbers: Array(repeating: none, count: Measure.allCases.count)))
      }
      let numbers = tensor.statistics
      set(.rootMeanSquare, numbers.rootMeanSquare, of: place)
      set(.norm, numbers.norm, of: place)
      set(.kurtosis, numbers.kurtosis, of: place)
      if let low = numbers.minimum, let high = numbers.maximum {
        set(.largest, max(-low, high), of: place)
      }
    }
    for parameter in checkpoint.parameters {
      guard let place = place(of: parameter.name) else { continue }
      set(.gradient, parameter.statistics.gradientRootMeanSquare, of: place)
      set(.update, parameter.statistics.updateRootMeanSquare, of: place)
      set(.relativeUpdate, parameter.relativeUpdate, of: place)
    }
    for place in tensors.indices {
      for measure in Measure.allCases
      where tensors[place].numbers[measure.rawValue].count < stepCount {
        tensors[place].numbers[measure.rawValue].append(.nan)
      }
    }
  }

  private mutating func set(_ measure: Measure, _ value: Double?, of place: Int) {
    guard tensors[place].numbers[measure.rawValue].count < stepCount else { return }
    tensors[place].numbers[measure.rawValue].append(value.map { Float($0) } ?? .nan)
  }
}
