import CkptBase
import CkptGraph
import CkptPickle

/// A pickle that may hold anything, and what must hold of it all the same.
package enum HostilePickle {
  /// Reads a pickle and pickles anew what it describes, which must describe the same.
  ///
  /// - Throws: ``HostileFile/Violation``.
  package static func check(_ bytes: [UInt8]) throws(HostileFile.Violation) {
    for policy in [Unpickler.UnsafeGlobals.refuse, .drop] {
      guard let (graph, version) = try? read(bytes, policy) else { continue }
      _ = graph.description(of: graph.root)
      guard let pickle = try? Pickler.pickle(graph.root, of: graph, protocol: version) else {
        continue
      }
      do {
        let (again, _) = try read(pickle, policy)
        let respelled = try Pickler.pickle(again.root, of: again, protocol: version)
        guard respelled == pickle else {
          throw HostileFile.Violation("the pickle of \(pickle) is \(respelled)")
        }
      } catch let error as CheckpointError {
        throw HostileFile.Violation("its own pickle \(pickle) is refused: \(error)")
      } catch let error as HostileFile.Violation {
        throw error
      } catch {
        throw HostileFile.Violation("\(error)")
      }
    }
  }

  private static func read(
    _ bytes: [UInt8], _ policy: Unpickler.UnsafeGlobals
  ) throws(CheckpointError) -> (TensorGraph, version: Int) {
    var machine = Unpickler(unsafeGlobals: policy)
    var reader = ByteReader(bytes.span)
    let root = try machine.load(&reader)
    let version = machine.pickleProtocol
    var graph = machine.finish()
    graph.root = root
    return (graph, version)
  }
}
