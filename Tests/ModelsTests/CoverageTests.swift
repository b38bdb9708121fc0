import CkptBase
import Testing

@testable import CkptModels

/// Tensors that are there against those that a configuration calls for.
struct CoverageTests {
  typealias Found = (name: String, shape: [Int])

  private func map() throws -> TensorMap {
    try TensorMap(.olmo1, TensorMapTests.dimensions { $0.isTied = true })
  }

  private func olmo(_ map: TensorMap) -> [Found] { map.olmo.map { ($0.name, $0.shape) } }

  @Test("A complete model has no faults on either side")
  func acceptsAll() throws {
    let map = try map()
    try Coverage(of: olmo(map), by: map, on: .olmo).require()
    let parts: [Found] = map.huggingFace.map { ($0.name, $0.shape) }
    try Coverage(of: parts, by: map, on: .huggingFace).require()
  }

  @Test("A missing tensor is named with the shape it should have")
  func namesMissing() throws {
    let map = try map()
    let coverage = Coverage(of: olmo(map).dropFirst(), by: map, on: .olmo)
    #expect(coverage.faults == [.missing(map.olmo[0])])
    let error = #expect(throws: CheckpointError.self) { try coverage.require() }
    #expect(error?.code == .conflict)
    #expect(error?.message == "tensor 'transformer.wte.weight' with shape [50, 8] is missing")
  }

  @Test("A tensor of another shape is named with the fields that decide it")
  func namesShapes() throws {
    let map = try map()
    var found = olmo(map)
    found[3].shape = [16, 9]
    let error = #expect(throws: CheckpointError.self) {
      try Coverage(of: found, by: map, on: .olmo).require()
    }
    #expect(
      error?.message
        == "tensor 'transformer.blocks.0.att_proj.weight' has shape [16, 9], but the configuration "
        + "requires [16, 8] (d_model; d_model / n_heads * n_kv_heads; d_model)")
  }

  @Test("A tensor with no place is left over, and never dropped")
  func namesUnexpected() throws {
    let map = try map()
    let extra: Found = ("transformer.wpe.weight", [64, 8])
    let coverage = Coverage(of: olmo(map) + [extra], by: map, on: .olmo)
    #expect(coverage.faults == [.unexpected(name: extra.name, shape: extra.shape)])
  }

  @Test("The rotary buffers of older versions are no part of the model and no fault")
  func ignoresBuffers() throws {
    let map = try map()
    let parts: [Found] = map.huggingFace.map { ($0.name, $0.shape) }
    let buffer: Found = ("model.layers.0.self_attn.rotary_emb.inv_freq", [4])
    try Coverage(of: parts + [buffer], by: map, on: .huggingFace).require()
    let beyond: Found = ("model.layers.1.self_attn.rotary_emb.inv_freq", [4])
    #expect(Coverage(of: parts + [beyond], by: map, on: .huggingFace).faults.count == 1)
  }

  @Test("A model of which nothing fits is one message that counts")
  func countsTheRest() throws {
    let map = try map()
    let error = #expect(throws: CheckpointError.self) {
      try Coverage(of: [], by: map, on: .huggingFace).require()
    }
    #expect(error?.message.hasSuffix("; and 4 more") == true)
  }
}
