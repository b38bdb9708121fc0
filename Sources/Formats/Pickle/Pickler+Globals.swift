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
      .save(module), .save(name), .write([Opcode.stackGlobal.rawValue]), .memoise(id))
  }

  /// Writes a class or function that the graph has no node for.
  mutating func saveGlobal(_ module: String, _ name: String) {
    let memo = MemoText.global(module: module, name: name)
    if recall(memo) { return output.endObject() }
    if version >= 4 {
      saveInterned(module)
      output.endObject()
      saveInterned(name)
      output.endObject()
      emit(.stackGlobal)
    } else {
      emitGlobal(module, name)
    }
    memoise(memo)
    output.endObject()
  }

  private mutating func emitGlobal(_ module: String, _ name: String) {
    let written =
      version < 3
      ? Python2Names.old(module, name) : Python2Names.Name(module: module, name: name)
    emit(.global)
    output.write(Array("\(written.module)\n\(written.name)\n".utf8))
  }
}
