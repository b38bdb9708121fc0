import CkptBase
import Testing

@testable import CkptModels

/// Name tables written out for a model.
struct TensorMapTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var table: NameTable
    var dimensions: ModelDimensions
    /// As `torch.load("model.pt")` lists them for a model that OLMo made with these sizes.
    var olmo: [String]
    /// As `model.state_dict()` of transformers 4.57.1 lists them.
    var huggingFace: [String]
  }

  static let cases = [
    Case(
      testDescription: "OLMo 1, tied", table: .olmo1,
      dimensions: dimensions { $0.isTied = true },
      olmo: [
        "transformer.wte.weight [50, 8]",
        "transformer.blocks.0.attn_out.weight [8, 8]",
        "transformer.blocks.0.ff_out.weight [8, 12]",
        "transformer.blocks.0.att_proj.weight [16, 8]",
        "transformer.blocks.0.ff_proj.weight [24, 8]",
      ],
      huggingFace: [
        "model.embed_tokens.weight [50, 8]",
        "model.layers.0.self_attn.q_proj.weight [8, 8]",
        "model.layers.0.self_attn.k_proj.weight [4, 8]",
        "model.layers.0.self_attn.v_proj.weight [4, 8]",
        "model.layers.0.self_attn.o_proj.weight [8, 8]",
        "model.layers.0.mlp.gate_proj.weight [12, 8]",
        "model.layers.0.mlp.up_proj.weight [12, 8]",
        "model.layers.0.mlp.down_proj.weight [8, 12]",
      ]),
    Case(
      testDescription: "OLMo 2", table: .olmo2, dimensions: dimensions { _ in },
      olmo: [
        "transformer.wte.weight [50, 8]",
        "transformer.ln_f.weight [8]",
        "transformer.blocks.0.k_norm.weight [4]",
        "transformer.blocks.0.q_norm.weight [8]",
        "transformer.blocks.0.attn_out.weight [8, 8]",
        "transformer.blocks.0.ff_out.weight [8, 12]",
        "transformer.blocks.0.att_proj.weight [16, 8]",
        "transformer.blocks.0.ff_proj.weight [24, 8]",
        "transformer.blocks.0.attn_norm.weight [8]",
        "transformer.blocks.0.ff_norm.weight [8]",
        "transformer.ff_out.weight [50, 8]",
      ],
      huggingFace: [
        "model.embed_tokens.weight [50, 8]",
        "model.layers.0.self_attn.q_proj.weight [8, 8]",
        "model.layers.0.self_attn.k_proj.weight [4, 8]",
        "model.layers.0.self_attn.v_proj.weight [4, 8]",
        "model.layers.0.self_attn.o_proj.weight [8, 8]",
        "model.layers.0.self_attn.q_norm.weight [8]",
        "model.layers.0.self_attn.k_norm.weight [4]",
        "model.layers.0.mlp.gate_proj.weight [12, 8]",
        "model.layers.0.mlp.up_proj.weight [12, 8]",
        "model.layers.0.mlp.down_proj.weight [8, 12]",
        "model.layers.0.post_attention_layernorm.weight [8]",
        "model.layers.0.post_feedforward_layernorm.weight [8]",
        "model.norm.weight [8]",
        "lm_head.weight [50, 8]",
      ]),
    Case(
      testDescription: "OLMo 2 without norm weights has ones on the other side", table: .olmo2,
      dimensions: dimensions {
        $0.normsHaveWeights = false
        $0.queryKeyNormsHaveWeights = false
        $0.isTied = true
      },
      olmo: [
        "transformer.wte.weight [50, 8]",
        "transformer.blocks.0.attn_out.weight [8, 8]",
        "transformer.blocks.0.ff_out.weight [8, 12]",
        "transformer.blocks.0.att_proj.weight [16, 8]",
        "transformer.blocks.0.ff_proj.weight [24, 8]",
      ],
      huggingFace: [
        "model.embed_tokens.weight [50, 8]",
        "model.layers.0.self_attn.q_proj.weight [8, 8]",
        "model.layers.0.self_attn.k_proj.weight [4, 8]",
        "model.layers.0.self_attn.v_proj.weight [4, 8]",
        "model.layers.0.self_attn.o_proj.weight [8, 8]",
        "model.layers.0.self_attn.q_norm.weight [8]",
        "model.layers.0.self_attn.k_norm.weight [4]",
        "model.layers.0.mlp.gate_proj.weight [12, 8]",
        "model.layers.0.mlp.up_proj.weight [12, 8]",
        "model.layers.0.mlp.down_proj.weight [8, 12]",
        "model.layers.0.post_attention_layernorm.weight [8]",
        "model.layers.0.post_feedforward_layernorm.weight [8]",
        "model.norm.weight [8]",
      ]),
    Case(
      testDescription: "a Llama with llama blocks", table: .llamaBlocks,
      dimensions: dimensions { _ in },
      olmo: [
        "transformer.wte.weight [50, 8]",
        "transformer.ln_f.weight [8]",
        "transformer.blocks.0.attn_out.weight [8, 8]",
        "transformer.blocks.0.ff_out.weight [8, 12]",
        "transformer.blocks.0.attn_norm.weight [8]",
        "transformer.blocks.0.ff_norm.weight [8]",
        "transformer.blocks.0.q_proj.weight [8, 8]",
        "transformer.blocks.0.k_proj.weight [4, 8]",
        "transformer.blocks.0.v_proj.weight [4, 8]",
        "transformer.blocks.0.ff_proj.weight [24, 8]",
        "transformer.ff_out.weight [50, 8]",
      ],
      huggingFace: llama),
    Case(
      testDescription: "a Llama with sequential blocks", table: .llama,
      dimensions: dimensions { _ in },
      olmo: [
        "transformer.wte.weight [50, 8]",
        "transformer.ln_f.weight [8]",
        "transformer.blocks.0.attn_out.weight [8, 8]",
        "transformer.blocks.0.ff_out.weight [8, 12]",
        "transformer.blocks.0.att_proj.weight [16, 8]",
        "transformer.blocks.0.ff_proj.weight [24, 8]",
        "transformer.blocks.0.attn_norm.weight [8]",
        "transformer.blocks.0.ff_norm.weight [8]",
        "transformer.ff_out.weight [50, 8]",
      ],
      huggingFace: llama),
  ]

  static let llama = [
    "model.embed_tokens.weight [50, 8]",
    "model.layers.0.self_attn.q_proj.weight [8, 8]",
    "model.layers.0.self_attn.k_proj.weight [4, 8]",
    "model.layers.0.self_attn.v_proj.weight [4, 8]",
    "model.layers.0.self_attn.o_proj.weight [8, 8]",
    "model.layers.0.mlp.gate_proj.weight [12, 8]",
    "model.layers.0.mlp.up_proj.weight [12, 8]",
    "model.layers.0.mlp.down_proj.weight [8, 12]",
    "model.layers.0.input_layernorm.weight [8]",
    "model.layers.0.post_attention_layernorm.weight [8]",
    "model.norm.weight [8]",
    "lm_head.weight [50, 8]",
  ]

  static func dimensions(
    layers: Int = 1, _ change: (inout ModelDimensions) -> Void
  ) -> ModelDimensions {
    var dimensions = ModelDimensions(
      vocabulary: 50, hidden: 8, keys: 4, feedForward: 12, layers: layers)
    change(&dimensions)
    return dimensions
  }

  @Test("Both sides have their own names, shapes and order", arguments: cases)
  func listsTensors(_ test: Case) throws {
    let map = try TensorMap(test.table, test.dimensions)
    #expect(map.olmo.map { "\($0.name) \($0.shape)" } == test.olmo)
    #expect(map.huggingFace.map { "\($0.name) \($0.shape)" } == test.huggingFace)
  }

  @Test("The two lists of names in a table say the same", arguments: cases)
  func namesAgree(_ test: Case) throws {
    let map = try TensorMap(test.table, test.dimensions)
    let parts = map.correspondences.flatMap { $0.parts.map(\.name) }
    #expect(Set(parts) == Set(map.huggingFace.map(\.name)))
    #expect(parts.count == map.huggingFace.count)
  }

  @Test("OLMo-core has a name of its own for every tensor of Hugging Face", arguments: cases)
  func namesAreOneToOne(_ test: Case) throws {
    let map = try TensorMap(test.table, test.dimensions)
    #expect(map.core.map(\.shape) == map.huggingFace.map(\.shape))
    #expect(Set(map.core.map(\.name)).count == map.huggingFace.count)
    for (core, other) in zip(map.core, map.huggingFace) {
      #expect(map.huggingFaceName(ofCore: core.name) == other.name)
      #expect(map.coreName(ofHuggingFace: other.name) == core.name)
    }
  }

  @Test("OLMo-core's names are those of its state dict")
  func listsCore() throws {
    let map = try TensorMap(.olmo2, Self.dimensions { _ in })
    // As OLMo-core 3.0.0 saves a model with one block, in the order of Hugging Face.
    #expect(
      map.core.map { "\($0.name) \($0.shape)" } == [
        "embeddings.weight [50, 8]",
        "blocks.0.attention.w_q.weight [8, 8]",
        "blocks.0.attention.w_k.weight [4, 8]",
        "blocks.0.attention.w_v.weight [4, 8]",
        "blocks.0.attention.w_out.weight [8, 8]",
        "blocks.0.attention.q_norm.weight [8]",
        "blocks.0.attention.k_norm.weight [4]",
        "blocks.0.feed_forward.w1.weight [12, 8]",
        "blocks.0.feed_forward.w3.weight [12, 8]",
        "blocks.0.feed_forward.w2.weight [8, 12]",
        "blocks.0.attention_norm.weight [8]",
        "blocks.0.feed_forward_norm.weight [8]",
        "lm_head.norm.weight [8]",
        "lm_head.w_out.weight [50, 8]",
      ])
    // Before OLMo-core 1.7 these two stood at the top.
    #expect(map.huggingFaceName(ofCore: "norm.weight") == "model.norm.weight")
    #expect(map.huggingFaceName(ofCore: "w_out.weight") == "lm_head.weight")
    #expect(map.huggingFaceName(ofCore: "blocks.1.attention_norm.weight") == nil)
  }

  @Test("Queries, keys and values are row ranges of one matrix, and so are value and gate")
  func splitsRows() throws {
    let map = try TensorMap(.olmo2, Self.dimensions { _ in })
    let attention = try #require(
      map.correspondence(ofOLMo: "transformer.blocks.0.att_proj.weight"))
    #expect(attention.rowRanges == [0..<8, 8..<12, 12..<16])
    let gate = try #require(
      map.correspondence(ofHuggingFace: "model.layers.0.mlp.gate_proj.weight"))
    #expect(gate.correspondence.olmo.name == "transformer.blocks.0.ff_proj.weight")
    #expect(gate.part == 1)
    #expect(gate.correspondence.rowRanges[1] == 12..<24)
  }

  @Test("Blocks in groups are numbered by group and place")
  func groupsBlocks() throws {
    let map = try TensorMap(.olmo1, Self.dimensions(layers: 4) { $0.blockGroupSize = 2 })
    #expect(map.olmo[1].name == "transformer.block_groups.0.0.attn_out.weight")
    #expect(map.olmo[13].name == "transformer.block_groups.1.1.attn_out.weight")
    let last = try #require(
      map.correspondence(ofOLMo: "transformer.block_groups.1.1.ff_out.weight"))
    #expect(last.parts.map(\.name) == ["model.layers.3.mlp.down_proj.weight"])
  }

  static let absurd:
    [(change: @Sendable (inout ModelDimensions) -> Void, code: CheckpointError.Code)] =
      [
        ({ $0.hidden = 0 }, .malformed),
        ({ $0.vocabulary = -1 }, .malformed),
        ({ $0.keys = .max }, .limitExceeded),
        ({ $0.layers = 0 }, .malformed),
        ({ $0.layers = .max }, .limitExceeded),
        (
          {
            $0.layers = 3; $0.blockGroupSize = 2
          }, .malformed
        ),
        ({ $0.blockGroupSize = 0 }, .malformed),
      ]

  @Test("Sizes that no model has are refused before anything is listed", arguments: absurd.indices)
  func refusesAbsurdSizes(_ index: Int) {
    let test = Self.absurd[index]
    let error = #expect(throws: CheckpointError.self) {
      try TensorMap(.olmo2, Self.dimensions(test.change))
    }
    #expect(error?.code == test.code)
  }
}
