import CkptBase
import CkptCopy

@testable import CkptStats

/// A checkpoint of a model of a few tensors, healthy unless a test changes it.
extension CheckpointStatistics {
  static func sample(step: Int, change: (inout CheckpointStatistics) -> Void = { _ in }) -> Self {
    var checkpoint = CheckpointStatistics(path: "step\(step)")
    checkpoint.step = step
    checkpoint.vocabularySize = 90
    checkpoint.gradientLimit = 1
    var settings = OptimizerSettings()
    settings.learningRate = 1e-3
    (settings.beta1, settings.beta2) = (0.9, 0.95)
    settings.epsilon = 1e-8
    settings.step = step
    checkpoint.groups = [settings]
    let names = ["transformer.wte.weight", "transformer.blocks.0.ff_proj.weight"]
    for (number, name) in names.enumerated() {
      let role = ParameterRole(ofTensorNamed: name)
      var numbers = ElementStatistics()
      numbers.elements = 3200
      numbers.mean = 0
      numbers.minimum = -0.1
      numbers.maximum = 0.1
      numbers.rootMeanSquare = 0.02
      numbers.standardDeviation = 0.02
      numbers.norm = 0.02 * 3200.0.squareRoot()
      numbers.kurtosis = 3
      numbers.crc32 = UInt32(1000 * step + number)
      checkpoint.tensors.append(
        TensorRow(
          name: name, part: .model, role: role, block: number == 0 ? nil : 0, dtype: "float32",
          shape: [100, 32], statistics: numbers))
      var updates = UpdateStatistics()
      updates.elements = 3200
      updates.used = 3200
      updates.gradientNorm = 0.1
      updates.updateRootMeanSquare = 0.22
      updates.updateNorm = 0.22 * 3200.0.squareRoot()
      updates.overBound = 0
      updates.rowsWithoutUpdate = 0
      checkpoint.parameters.append(
        ParameterRow(
          name: name, role: role, block: number == 0 ? nil : 0, settings: settings,
          statistics: updates, relativeUpdate: 1e-3))
    }
    change(&checkpoint)
    return checkpoint
  }
}
