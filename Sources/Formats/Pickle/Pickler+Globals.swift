internal import Bytes
internal import Graph

/// Classes and functions, by name.
extension Pickler {
  mutating func startGlobal(
    _ id: NodeID, module: NodeID, name: NodeID
  ) throws(FormatError) {
    guard version >= 4 else {
      emitGlobal(graph.string(module) ?? "", graph.string(name) ?? "")
      return memoise(id)
    }
    schedule(
      .saveModule(module), .save(name), .write([Opcode.stackGlobal.rawValue]), .memoise(id))
  }

  /// Writes the name of a module: a module has one, which all its classes and functions share.
  mutating func saveModule(_ id: NodeID) {
    output.startObject()
    if recall(id) { return }
    let memo = MemoText.interned(graph.string(id) ?? "")
    if recall(memo) { return }
    saveInterned(graph.string(id) ?? "")
    if let index = memoisedTexts[memo] { alias(id, to: index) }
  }

  /// Writes a class or function that the graph has no node for.
  mutating func saveGlobal(_ module: String, _ name: String) {
    let memo = MemoText.global(module: module, name: name)
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
