import CkptBase
import CkptContainer
import CkptGraph
import CkptPickle
import CkptTestSupport
import Testing
import CkptTorch

/// The pickles that `torch.save` wrote, read and written again.
struct RepicklingTests {
  struct Folder: CustomTestStringConvertible {
    var testDescription: String
    /// The number of archives, so that none is missed.
    var count: Int
  }

  static let folders = [
    Folder(testDescription: "torch-corpus/torch-1.6.0", count: 32),
    Folder(testDescription: "torch-corpus/torch-1.13.1", count: 32),
    Folder(testDescription: "torch-corpus/torch-2.4.1", count: 36),
    Folder(testDescription: "torch-corpus/torch-2.13.0", count: 40),
    Folder(testDescription: "plain", count: 21),
    Folder(testDescription: "olmo2-fsdp/step6-unsharded", count: 3),
    Folder(testDescription: "olmo1-lionw/step12-unsharded", count: 3),
    Folder(testDescription: "olmo1-lionw-fsdp/step6-unsharded", count: 2),
  ]

  /// `torch.jit.save` has a pickler of its own, which memoizes what CPython's does not.
  static let torchScript = [
    "torch-corpus/torch-1.6.0/torchscript.pt", "torch-corpus/torch-1.13.1/torchscript.pt",
    "torch-corpus/torch-2.4.1/torchscript.pt", "torch-corpus/torch-2.13.0/torchscript.pt",
  ]

  @Test("A graph is pickled as it was, byte for byte", arguments: folders)
  func identity(_ folder: Folder) throws {
    let archives = try Fixture.archives(in: folder.testDescription)
    #expect(archives.count == folder.count)
    for file in archives where !Self.torchScript.contains(file) {
      let (pickle, again) = try repickled(file)
      #expect(again == pickle, "\(file)")
    }
  }

  @Test("TorchScript's pickles are read and their objects stay the same", arguments: torchScript)
  func torchScriptObjects(_ file: String) throws {
    let (pickle, again) = try repickled(file)
    #expect(again != pickle)
    #expect(try description(of: again) == description(of: pickle))
  }

  private func repickled(_ file: String) throws -> (pickle: [UInt8], again: [UInt8]) {
    let pickle = try TorchArchive(reading: Fixture.open(file)).readPickle()
    let (graph, version) = try load(pickle)
    return (pickle, try Pickler.pickle(graph.root, of: graph, protocol: version))
  }

  private func description(of pickle: [UInt8]) throws -> String {
    let graph = try load(pickle).graph
    return graph.description(of: graph.root, limit: 10_000)
  }

  private func load(_ pickle: [UInt8]) throws -> (graph: TensorGraph, version: Int) {
    var machine = Unpickler()
    var reader = ByteReader(pickle.span)
    let root = try machine.load(&reader)
    let version = machine.pickleProtocol
    var graph = machine.finish()
    graph.root = root
    return (graph, version)
  }
}
