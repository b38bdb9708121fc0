package import CkptBase
package import CkptGraph
internal import CkptModels

/// The tensors of a model's state dict, by name.
package struct NamedTensors {
  /// A tensor with its name in the tables.
  package struct Entry {
    package var name: String
    package var id: TensorID
  }

  /// The tensors, in the order of the state dict.
  package private(set) var entries: [Entry] = []
  private var places: [ExactString: Int] = [:]

  /// Reads the tensors of an OLMo model.
  ///
  /// Their names become those of an unwrapped model with blocks in groups of `groupSize`.
  ///
  /// - Throws: `unsupported` for an object that is not a state dict, `conflict` for names that
  ///   become equal.
  package init(olmo graph: TensorGraph, groupSize: Int) throws(CheckpointError) {
    let found = try Self.tensors(of: graph)
    let names = found.map { ParameterName($0.name) }
    let foundSize = ParameterName.groupSize(of: names)
    for (name, entry) in zip(names, found) {
      try add(Entry(name: name.regrouped(from: foundSize, to: groupSize), id: entry.id))
    }
  }

  /// Reads the tensors of an OLMo-core model.
  ///
  /// `known` returns the name in the tables for the name in an unwrapped model.
  ///
  /// - Throws: the same errors.
  package init(
    core graph: TensorGraph, known: (String) -> String
  ) throws(CheckpointError) {
    for entry in try Self.tensors(of: graph) {
      try add(Entry(name: known(ParameterName(entry.name).clean), id: entry.id))
    }
  }

  /// Reads the tensors of a Hugging Face model.
  ///
  /// - Throws: `unsupported` for an object that is not a state dict.
  package init(huggingFace graph: TensorGraph) throws(CheckpointError) {
    for entry in try Self.tensors(of: graph) { try add(entry) }
  }

  /// The tensor with a name.
  package subscript(name: String) -> TensorID? { places[name].map { entries[$0].id } }

  /// The names and shapes, for ``Coverage``.
  package func shapes(in graph: TensorGraph) -> [(name: String, shape: [Int])] {
    entries.map { ($0.name, graph[$0.id].shape) }
  }

  /// Removes the tensors with these names.
  package mutating func remove(_ names: Set<ExactString>) {
    let kept = entries.filter { !names.contains($0.name) }
    entries = kept
    places = [:]
    for (index, entry) in kept.enumerated() { places[entry.name] = index }
  }

  /// Puts `prefix` in front of the names that are among `names` with it, unless one of `names` is
  /// there as it is: the base model of a class has them without.
  package mutating func addPrefix(_ prefix: String, for names: Set<ExactString>) {
    guard !entries.contains(where: { names.contains(ExactString($0.name)) }) else { return }
    for index in entries.indices {
      let name = prefix + entries[index].name
      if names.contains(ExactString(name)) { entries[index].name = name }
    }
    places = [:]
    for (index, entry) in entries.enumerated() { places[ExactString(entry.name)] = index }
  }

  private mutating func add(_ entry: Entry) throws(CheckpointError) {
    guard places.updateValue(entries.count, forKey: ExactString(entry.name)) == nil else {
      throw CheckpointError(
        .conflict, "two tensors are named '\(entry.name)' after the names of wrappers are removed")
    }
    entries.append(entry)
  }

  private static func tensors(of graph: TensorGraph) throws(CheckpointError) -> [Entry] {
    guard let items = graph.entries(of: graph.root) else {
      throw CheckpointError(
        .unsupported,
        "a model must be a dict of tensors, found \(graph.description(of: graph.root, limit: 60))")
    }
    var entries: [Entry] = []
    for (key, value) in items {
      guard let name = graph.string(key) else {
        throw CheckpointError(
          .unsupported,
          "expected a string as tensor name, found \(graph.description(of: key, limit: 60))")
      }
      guard let id = tensor(value, of: graph) else {
        throw CheckpointError(
          .unsupported,
          "a model must have only tensors, but '\(name)' is \(graph.description(of: value, limit: 60))"
        )
      }
      entries.append(Entry(name: name, id: id))
    }
    return entries
  }

  /// Returns the tensor of a value, which can be wrapped in a parameter.
  private static func tensor(_ node: NodeID, of graph: TensorGraph) -> TensorID? {
    if case .tensor(let id) = graph[node] { return id }
    guard case .parameter(let inner, _)? = graph.knownObject(node),
      case .tensor(let id) = graph[inner]
    else { return nil }
    return id
  }
}
