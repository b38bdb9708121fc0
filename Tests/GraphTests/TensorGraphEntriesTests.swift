import Bytes
import Graph
import Testing

/// Renaming, reordering and dropping entries.
struct TensorGraphEntriesTests {
  private static func entries(of id: NodeID, in graph: TensorGraph) -> [String] {
    (graph.entries(of: id) ?? []).map {
      "\(graph.description(of: $0.key)): \(graph.description(of: $0.value))"
    }
  }

  private static func ordered(
    _ graph: inout TensorGraph, _ name: String = "OrderedDict", arguments: [NodeID] = []
  ) throws -> NodeID {
    let module = try graph.addString("collections")
    let callable = try graph.add(.global(module: module, name: graph.addString(name)))
    let tuple = try graph.add(.tuple(graph.addChildren(arguments[...])))
    return try graph.add(ObjectNode(form: .call, callable: callable, arguments: tuple))
  }

  @Test("Entries are replaced by any number of others, and the dict is the same object")
  func replaces() throws {
    var graph = TensorGraph()
    let one = try graph.add(.int(1))
    let two = try graph.add(.int(2))
    let a = try graph.addString("a")
    let dict = try graph.addDict([(a, one)])
    let holder = try graph.add(.list(graph.addChildren([dict])))
    for entries in [[(a, two)], [], [(a, one), (two, two), (one, a)]] {
      let isDict = graph.setEntries(entries, of: dict)
      #expect(isDict)
      #expect(graph.entries(of: dict)?.map(\.key) == entries.map(\.0))
      #expect(graph.entries(of: dict)?.map(\.value) == entries.map(\.1))
    }
    #expect(graph.description(of: holder).contains("'a': 1"))
  }

  @Test("An OrderedDict keeps its class and attributes")
  func keepsAttributes() throws {
    var graph = TensorGraph()
    let dict = try Self.ordered(&graph)
    let (key, state) = (try graph.addString("k"), try graph.addDict([]))
    guard case .object(let object) = graph[dict] else { return }
    graph[object].state = state
    let isDict = graph.setEntries([(key, TensorGraph.true)], of: dict)
    #expect(isDict)
    #expect(Self.entries(of: dict, in: graph) == ["'k': True"])
    #expect(graph[object].state == state)
  }

  @Test("What a constructor was given is replaced too")
  func replacesInitialEntries() throws {
    var graph = TensorGraph()
    let (key, value) = (try graph.addString("k"), try graph.add(.int(3)))
    let counted = try graph.addDict([(key, value)])
    let counter = try Self.ordered(&graph, "Counter", arguments: [counted])
    #expect(Self.entries(of: counter, in: graph) == ["'k': 3"])
    let isDict = graph.setEntries([(value, key)], of: counter)
    #expect(isDict)
    #expect(Self.entries(of: counter, in: graph) == ["3: 'k'"])
    #expect(Self.entries(of: counted, in: graph) == ["'k': 3"])
  }

  @Test("A str that is a key and an element changes in both places")
  func changesText() throws {
    var graph = TensorGraph()
    let name = try graph.addString("module.weight")
    let dict = try graph.addDict([(name, TensorGraph.none)])
    let list = try graph.add(.list(graph.addChildren([name])))
    let isText = try graph.setText("é", of: name)
    #expect(isText)
    #expect(Self.entries(of: dict, in: graph) == ["'é': None"])
    #expect(graph.description(of: list) == "['é']")
    let isDictText = try graph.setText("x", of: dict)
    #expect(!isDictText)
  }

  @Test("Elements of a list are replaced, and of nothing else")
  func replacesElements() throws {
    var graph = TensorGraph()
    let list = try graph.add(.list(.empty))
    let elements = try (0..<5).map { try graph.add(.int($0)) }
    let isList = graph.setElements(elements, of: list)
    #expect(isList)
    #expect(graph.description(of: list) == "[0, 1, 2, 3, 4]")
    let isIntList = graph.setElements([], of: elements[0])
    #expect(!isIntList)
    let isListDict = graph.setEntries([], of: list)
    #expect(!isListDict)
  }

  @Test("A hundred thousand entries are renamed and reordered in one go")
  func manyEntries() throws {
    var graph = TensorGraph()
    var entries: [(key: NodeID, value: NodeID)] = []
    for number in 0..<100_000 {
      entries.append((try graph.addString("layer.\(number)"), TensorGraph.none))
    }
    let dict = try graph.addDict(entries)
    for (index, entry) in entries.enumerated() {
      _ = try graph.setText("h.\(index)", of: entry.key)
    }
    let isDict = graph.setEntries(entries.reversed(), of: dict)
    #expect(isDict)
    #expect(graph.entries(of: dict)?.first.flatMap { graph.string($0.key) } == "h.99999")
    #expect(graph.entries(of: dict)?.count == 100_000)
  }
}
