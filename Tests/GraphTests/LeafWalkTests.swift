import CkptBase
import CkptGraph
import Testing

struct LeafWalkTests {
  /// A graph under construction with short names for what tests need.
  private struct Builder {
    var graph = TensorGraph()

    mutating func tensor() throws -> NodeID {
      let node = try graph.add(.none)
      graph.add(Tensor(node: node, dtype: .int8, shape: [], strides: [], offset: 0, storage: nil))
      return node
    }

    mutating func dict(_ pairs: [(String, NodeID)]) throws -> NodeID {
      var children: [NodeID] = []
      for (key, value) in pairs { children += [try graph.addString(key), value] }
      return try graph.add(.dict(graph.addChildren(children[...])))
    }

    mutating func list(_ items: [NodeID]) throws -> NodeID {
      try graph.add(.list(graph.addChildren(items[...])))
    }

    mutating func int(_ value: Int) throws -> NodeID { try graph.add(.int(value)) }

    /// The leaves as `path kind`, paths joined with slashes.
    mutating func leaves(of root: NodeID) throws -> [String] {
      graph.root = root
      let leaves = try LeafWalk.leaves(of: graph)
      return leaves.all.map { leaf in
        let path = leaves.path(to: leaf).map { step in
          switch step {
          case .key(let id): graph.string(id) ?? graph.description(of: id)
          case .index(let index): String(index)
          case .attribute(let name): ".\(name)"
          }
        }
        return "\(path.joined(separator: "/")) \(leaf.kind)"
      }
    }
  }

  @Test("Dicts are walked into, lists of values are leaves")
  func dicts() throws {
    var builder = Builder()
    let inner = try builder.dict([("t", builder.tensor()), ("n", builder.int(1))])
    let root = try builder.dict([
      ("a", inner), ("l", builder.list([builder.int(1)])), ("e", builder.dict([])),
    ])
    #expect(
      try builder.leaves(of: root) == ["a/t tensor", "a/n value", "l value", "e emptyMapping"])
  }

  @Test("A list that holds a tensor is walked into, values and all")
  func lists() throws {
    var builder = Builder()
    let deep = try builder.list([builder.int(5), builder.list([builder.tensor()])])
    let root = try builder.dict([("l", deep)])
    #expect(try builder.leaves(of: root) == ["l/0 value", "l/1/0 tensor"])
  }

  @Test("A tensor at the root has an empty path")
  func rootTensor() throws {
    var builder = Builder()
    let root = try builder.tensor()
    #expect(try builder.leaves(of: root) == [" tensor"])
  }

  @Test("A shared container is walked from each of its places")
  func sharing() throws {
    var builder = Builder()
    let shared = try builder.dict([("t", builder.tensor())])
    let root = try builder.dict([("a", shared), ("b", shared)])
    #expect(try builder.leaves(of: root) == ["a/t tensor", "b/t tensor"])
  }

  @Test("A container inside of itself is a leaf")
  func cycle() throws {
    var builder = Builder()
    let root = try builder.dict([("self", TensorGraph.none), ("t", builder.tensor())])
    let entries = try #require(builder.graph.entries(of: root))
    let children = [entries[0].key, root, entries[1].key, entries[1].value]
    builder.graph.replace(root, with: .dict(builder.graph.addChildren(children[...])))
    #expect(try builder.leaves(of: root) == ["self cycle", "t tensor"])
  }

  @Test("Attributes of an object are walked into when it holds a tensor")
  func objects() throws {
    var builder = Builder()
    let state = try builder.dict([("w", builder.tensor()), ("n", builder.int(2))])
    let type = try builder.graph.add(
      .global(module: builder.graph.addString("m"), name: builder.graph.addString("C")))
    var object = ObjectNode(form: .new, callable: type, arguments: TensorGraph.emptyTuple)
    object.state = state
    let holder = try builder.graph.add(object)
    let root = try builder.dict([("o", holder)])
    #expect(try builder.leaves(of: root) == ["o/.w tensor", "o/.n value"])
  }

  @Test("Containers that multiply by sharing are refused and not walked for ever")
  func bomb() throws {
    var builder = Builder()
    var level = try builder.dict([("t", builder.tensor())])
    for _ in 0..<30 { level = try builder.dict([("a", level), ("b", level)]) }
    builder.graph.root = level
    let graph = builder.graph
    let error = #expect(throws: CheckpointError.self) { try LeafWalk.leaves(of: graph) }
    #expect(error?.code == .limitExceeded)
  }
}
