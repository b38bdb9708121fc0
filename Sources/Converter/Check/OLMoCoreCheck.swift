internal import CkptBase
internal import CkptCheckpoints
internal import CkptFormats
internal import CkptHuggingFace
internal import CkptModels

/// Checks a checkpoint of OLMo-core against its configuration.
struct OLMoCoreCheck {
  /// The state of the check.
  private(set) var record = CheckRecord()

  private let place: FilePath
  private let options: CheckOptions

  init(of place: FilePath, _ options: CheckOptions) {
    self.place = place
    self.options = options
    record.reading = options.reading
  }

  /// Checks everything but tensor data.
  ///
  /// - Throws: `inputOutput` if the system fails.
  mutating func run() throws(CheckpointError) {
    let states: OLMoCoreDirectory
    do throws(CheckpointError) {
      states = try OLMoCoreDirectory(reading: place, options.reading)
    } catch {
      guard error.code.isOfTheInput else { throw error }
      return record.findings.append(Finding(error, .content, at: place.text))
    }
    record.add(states.model.checkpoint, at: states.model.path)
    if let optimizer = states.optimizer { record.add(optimizer.checkpoint, at: optimizer.path) }
    let configPath = place.appending(OLMoCoreDirectory.configuration).text
    do throws(CheckpointError) {
      try checkTensors(of: states, by: TensorMap(of: OLMoCoreConfig(path: configPath).model))
    } catch {
      guard error.code.isOfTheInput else { throw error }
      record.findings.append(Finding(error, .configuration, at: configPath))
    }
  }

  private mutating func checkTensors(
    of states: OLMoCoreDirectory, by map: TensorMap
  ) throws(CheckpointError) {
    let naming = CoreNaming(map: map, budget: options.budget)
    let graph = states.model.checkpoint.graph
    do throws(CheckpointError) {
      let tensors = try naming.tensors(of: graph)
      record.findings +=
        ModelCheck(tensors, of: graph, at: states.model.path, by: ModelOutline(core: map)).findings
      record.examined.append("\(tensors.entries.count) tensors against config.json")
    } catch {
      guard error.code.isOfTheInput else { throw error }
      record.findings.append(Finding(error, .tensors, at: states.model.path))
    }
    guard let optimizer = states.optimizer else { return }
    do throws(CheckpointError) {
      let renamed = try naming.huggingFace(optimizer: optimizer.checkpoint.graph)
      let state = try OptimizerState(of: renamed)
      record.examined.append("the states of \(state.parameters.count.pluralized("parameter"))")
    } catch {
      guard error.code.isOfTheInput else { throw error }
      record.findings.append(Finding(error, .optimizer, at: optimizer.path))
    }
  }
}
