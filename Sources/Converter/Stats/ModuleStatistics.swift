internal import CkptCopy

/// Numbers about several tensors of a model together.
public struct ModuleStatistics: Hashable, Sendable {
  /// The number of tensors.
  public var tensors = 0
  /// The number of elements.
  public var elements = 0
  /// The number of NaNs.
  public var nan = 0
  /// The number of infinite elements.
  public var infinite = 0
  /// The root mean square of the gradients over the memory of the second moments times the root of
  /// their number; `nil` without optimizer.
  public var gradientNorm: Double?
  /// The norm of the update, before the learning rate; `nil` without optimizer.
  public var updateNorm: Double?
  /// The number of elements that have updates.
  private(set) var updated = 0
  private var squares = 0.0

  /// The norm of the weights.
  public var norm: Double { squares.squareRoot() }

  /// The root mean square of the weights.
  public var rootMeanSquare: Double {
    (squares / Double(max(1, elements - nan - infinite))).squareRoot()
  }

  /// Numbers about no tensors, in a checkpoint with the state of an optimizer or without.
  init(hasOptimizer: Bool) {
    if hasOptimizer { (gradientNorm, updateNorm) = (0, 0) }
  }

  mutating func add(_ weight: ElementStatistics) {
    tensors += 1
    elements += weight.elements
    nan += weight.nan
    infinite += weight.infinite
    squares += weight.norm * weight.norm
  }

  /// The root mean square of the update; `nil` without optimizer.
  var updateRootMeanSquare: Double? {
    updateNorm.flatMap { updated > 0 ? $0 / Double(updated).squareRoot() : nil }
  }

  mutating func add(_ updates: UpdateStatistics) {
    updated += updates.used
    gradientNorm = Self.hypotenuse(gradientNorm ?? 0, updates.gradientNorm)
    updateNorm = Self.hypotenuse(updateNorm ?? 0, updates.updateNorm)
  }

  private static func hypotenuse(_ first: Double, _ second: Double) -> Double {
    (first * first + second * second).squareRoot()
  }
}

/// The numbers about several tensors.
extension StatisticsField<ModuleStatistics> {
  static let all: [Self] = [
    Self("tensors", \.tensors), Self("elements", \.elements), Self("nan", \.nan),
    Self("inf", \.infinite), Self("norm", derived: \.norm),
    Self("rms", derived: \.rootMeanSquare),
    Self("grad_norm", \.gradientNorm), Self("update_norm", \.updateNorm),
  ]
}

/// The ways in which tensors are taken together.
public enum StatisticsGrouping: String, Hashable, Sendable, CaseIterable {
  /// Each for itself.
  case tensor
  /// Those of a block.
  case block
  /// Those of one role.
  case module
}

extension CheckpointStatistics {
  /// The numbers of all tensors of the model together.
  public var total: ModuleStatistics { combined { _, _ in "" }.first?.module ?? empty }

  /// The numbers by role, in the order of ``ParameterRole``.
  public var modules: [(role: ParameterRole, module: ModuleStatistics)] {
    let found = combined { role, _ in role.rawValue }
    return ParameterRole.allCases.compactMap { role in
      found.first { $0.name == role.rawValue }.map { (role, $0.module) }
    }
  }

  /// The numbers by block, those outside of blocks by their role.
  public var blocks: [(name: String, module: ModuleStatistics)] {
    combined { role, block in block.map { "block \($0)" } ?? role.rawValue }
  }

  private var empty: ModuleStatistics { ModuleStatistics(hasOptimizer: !parameters.isEmpty) }

  /// The numbers of tensors that have one name by `naming`, in the order of the first of each.
  private func combined(
    _ naming: (ParameterRole, Int?) -> String
  ) -> [(name: String, module: ModuleStatistics)] {
    var found: [(name: String, module: ModuleStatistics)] = []
    var places: [String: Int] = [:]
    for tensor in weights {
      let name = naming(tensor.role, tensor.block)
      if places[name] == nil {
        places[name] = found.count
        found.append((name, empty))
      }
      if let place = places[name] { found[place].module.add(tensor.statistics) }
    }
    for parameter in parameters {
      guard let place = places[naming(parameter.role, parameter.block)] else { continue }
      found[place].module.add(parameter.statistics)
    }
    return found
  }
}
