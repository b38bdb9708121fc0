internal import Bytes
internal import Graph

/// Classes and functions, by name.
extension Pickler {
  mutating func startGlobal(
    _ id: NodeID, module: NodeID, name: NodeID
  ) throws(FormatError) {
    guard version >= 4 else {
      let (moduleText, nameText) = (graph.string(module) ?? "", graph.string(name) ?? "")
      try requireWritable(moduleText, nameText)
      emitGlobal(moduleText, nameText)
      return memoise(id)
    }
    schedule(
      .saveModule(module), .save(name), .write([Opcode.stackGlobal.rawValue]), .memoise(id))
  }

  /// Makes sure that a global is read as what it is from a pickle before protocol 4.
  ///
  /// Names are lines there; those of several lines no reader has let through (``GlobalPolicy``).
  ///
  /// - Throws: `unsupported` for a name of Python 2, which pickles of protocol 3 and later may have.
  private func requireWritable(_ module: String, _ name: String) throws(FormatError) {
    guard version == 3 || Python2Names.survives(module, name) else {
      throw FormatError(
        .unsupported,
        "global '\(module).\(name)' would be another one in a pickle of protocol \(version)")
    }
  }

  /// Writes the name of a module.
  ///
  /// All classes of a module share its name once they are loaded. In a pickle as it was written
  /// the graph tells which names are one, because dtypes name `torch` by a str of their own; the
  /// first is also the one that calls without a node in the graph were written with.
  mutating func saveModule(_ id: NodeID) {
    output.startObject()
    guard !recall(id), case .string(let run) = graph[id] else { return }
    let name = graph.string(id) ?? ""
    let isFirst = namedModules.insert(ExactString(name)).inserted
    guard isFirst || strings.areLoaded else { return saveString(id, run) }
    let memo = MemoText.interned(ExactString(name))
    if !recall(memo) { saveInterned(name) }
    if let index = memoisedTexts[memo] { alias(id, to: index) }
  }

  /// Writes a class or function that the graph has no node for.
  mutating func saveGlobal(_ module: String, _ name: String) {
    let memo = MemoText.global(
      module: ExactString(module), name: ExactString(name))
    output.startObject()
    if recall(memo) { return }
    if version >= 4 {
      saveInterned(module)
      saveInterned(name)
      emit(.stackGlobal)
    } else {
      emitGlobal(module, name)
    }
    memoise(memo)
  }

  private mutating func emitGlobal(_ module: String, _ name: String) {
    let written =
      version < 3
      ? Python2Names.old(module, name) : Python2Names.Name(module: module, name: name)
    emit(.global)
    output.write(Array("\(written.module)\n\(written.name)\n".utf8))
  }
}
