import CkptConverter
import CkptTestSupport
import Foundation
import Testing

@Suite("The library reads the bytes that PyTorch reads")
struct FixtureTests {
  static let fixtures = [
    "plain/views.pt", "plain/dtypes.pt", "plain/opt-sgd.pt", "plain/adam-train.pt",
    "plain/state_dict-tied.pt", "plain/ema-swa_utils.pt",
    "olmo1-lionw/step12-unsharded/optim.pt", "olmo2-fsdp/step6-unsharded/model.pt",
  ]

  /// A tensor in a manifest that `generate/manifests.py` wrote with torch.
  private struct Manifest: Decodable {
    struct Leaf: Decodable {
      var dtype: String?
      var shape: [Int]?
      var sha256: String?
    }
    var leaves: [String: Leaf]
  }

  @Test("Each tensor of a fixture has the bytes that torch found in it", arguments: fixtures)
  func bytes(_ fixture: String) throws {
    let path = Fixture.path("manifests/\(fixture).json")
    let manifest = try JSONDecoder().decode(
      Manifest.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    let tensors = try Checkpoint(path: Fixture.path(fixture)).tensors()
    let leaves = manifest.leaves.filter { $0.value.sha256 != nil }
    #expect(!leaves.isEmpty)
    for (path, leaf) in leaves {
      // `state/int:0/exp_avg` and `chunk/[1]` of the manifest.
      let name = path.replacing("int:", with: "").replacing(/\[(\d+)\]/, with: { $0.1 })
        .replacing("/", with: ".")
      let tensor = try #require(tensors[name], "\(name)")
      #expect(leaf.dtype == "torch.\(tensor.dtype.name)", "\(name)")
      #expect(leaf.shape == tensor.shape, "\(name)")
      let bytes = try tensor.bytes()
      #expect(SHA256.digest(of: bytes.span.raw).description == leaf.sha256, "\(name)")
      var chunks: [UInt8] = []
      try tensor.forEachChunk(byteCount: 100) { chunk in
        for index in 0..<chunk.byteCount {
          chunks.append(chunk.unsafeLoad(fromByteOffset: index, as: UInt8.self))
        }
      }
      #expect(chunks == bytes, "\(name)")
    }
  }
}
