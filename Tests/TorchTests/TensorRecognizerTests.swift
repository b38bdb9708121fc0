import CkptBase
import CkptContainer
import CkptGraph
import CkptTestSupport
import Testing
import CkptTorch

/// Every function that rebuilds tensors, from PyTorch 0.1 to 2.15.
struct TensorRecognizerTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var value: PickledValue
    var storages: [Int]
    var tensors: [String]

    /// `storages` are the sizes in bytes of the storages in the archive.
    init(_ name: String, _ value: PickledValue, storages: [Int], _ tensors: [String]) {
      testDescription = name
      self.value = value
      self.storages = storages
      self.tensors = tensors
    }
  }

  private static func layout(_ name: String) -> PickledValue {
    .call(.global("torch.serialization", "_get_layout"), [.str("torch.\(name)")])
  }

  private static func size(_ sizes: [Int]) -> PickledValue {
    .call(.global("torch", "Size"), [.ints(sizes)])
  }

  private static func subclass(
    _ function: PickledValue, _ arguments: [PickledValue], state: PickledValue,
    module: String = "torch._tensor", name: String = "_rebuild_from_type_v2"
  ) -> PickledValue {
    .call(
      .global(module, name), [function, .global("m", "Sub"), .tuple(arguments), state])
  }

  private static let inner: [PickledValue] = [
    .storage("FloatStorage", 2), 0, .ints([2]), .ints([1]), false, .noHooks,
  ]

  static let dense = [
    Case(
      "_rebuild_tensor_v2", .tensor(.storage("FloatStorage", 6), [2, 3]), storages: [24],
      ["t: float32 [2, 3] by [3, 1] from 0 of '0'"]),
    Case(
      "a transposed view behind an offset",
      .tensor(.storage("DoubleStorage", 12), [3, 2], strides: [1, 4], offset: 4), storages: [96],
      ["t: float64 [3, 2] by [1, 4] from 4 of '0'"]),
    Case(
      "a tensor that requires a gradient",
      .tensor(.storage("HalfStorage", 1), [1], requiresGradient: true), storages: [2],
      ["t: float16 [1] by [1] from 0 of '0' grad"]),
    Case(
      "a conjugated tensor",
      .tensor(.storage("ComplexFloatStorage", 1), [1], flags: [["conj": true]]), storages: [8],
      ["t: complex64 [1] by [1] from 0 of '0' conj"]),
    Case(
      "a negated tensor",
      .tensor(.storage("FloatStorage", 1), [1], flags: [["neg": true]]), storages: [4],
      ["t: float32 [1] by [1] from 0 of '0' neg"]),
    Case(
      "flags that are off",
      .tensor(.storage("FloatStorage", 1), [1], flags: [["conj": false, "other": true]]),
      storages: [4], ["t: float32 [1] by [1] from 0 of '0'"]),
    Case(
      "flags that are None", .tensor(.storage("FloatStorage", 1), [1], flags: [.none]),
      storages: [4], ["t: float32 [1] by [1] from 0 of '0'"]),
    Case(
      "_rebuild_tensor_v3 counts its offset in elements of the dtype",
      .tensor(.storage("UntypedStorage", 8), [2], offset: 2, dtype: "uint16"), storages: [8],
      ["t: uint16 [2] by [1] from 2 of '0'"]),
    Case(
      "_rebuild_tensor_v3 with flags",
      .tensor(.storage("UntypedStorage", 4), [1], dtype: "complex32", flags: [["conj": true]]),
      storages: [4], ["t: complex32 [1] by [1] from 0 of '0' conj"]),
    Case(
      "_rebuild_tensor of PyTorch 0.3",
      .rebuilt(
        by: "_rebuild_tensor", [.storage("LongStorage", 2), 0, .ints([2]), .ints([1])]),
      storages: [16], ["t: int64 [2] by [1] from 0 of '0'"]),
    Case(
      "sizes given as torch.Size",
      .rebuilt(
        by: "_rebuild_tensor", [.storage("CharStorage", 2), 0, size([2]), size([1])]),
      storages: [2], ["t: int8 [2] by [1] from 0 of '0'"]),
    Case(
      "FloatTensor of PyTorch 0.1 with a state",
      .built(
        .call(.global("torch", "FloatTensor"), []),
        state: .tuple([.storage("FloatStorage", 4), 1, .ints([3]), .ints([1])])),
      storages: [16], ["t: float32 [3] by [1] from 1 of '0'"]),
    Case(
      "a tensor on the meta device",
      .rebuilt(
        by: "_rebuild_meta_tensor_no_storage",
        [.global("torch", "bfloat16"), .ints([2, 2]), .ints([2, 1]), true]),
      storages: [], ["t: bfloat16 [2, 2] by [2, 1] from 0 of nothing grad"]),
    Case(
      "two views of one storage",
      [
        .tensor(.storage("IntStorage", 4), [2]), .tensor(.storage("IntStorage", 4), [2], offset: 2),
      ],
      storages: [16],
      ["t/0: int32 [2] by [1] from 0 of '0'", "t/1: int32 [2] by [1] from 2 of '0'"]),
    Case(
      "a storage of a GPU",
      .tensor(.storage("FloatStorage", 1, location: "cuda:0"), []), storages: [4],
      ["t: float32 [] by [] from 0 of '0'"]),
    Case(
      "a storage class of another module",
      .tensor(
        .persistent(
          .tuple(["storage", .global("torch.cuda", "BFloat16Storage"), "0", "cuda:0", 1])),
        []), storages: [2], ["t: bfloat16 [] by [] from 0 of '0'"]),
    Case(
      "a storage class of a module that nobody knows",
      .tensor(
        .persistent(.tuple(["storage", .global("mine", "FloatStorage"), "0", "mine:0", 1])), []),
      storages: [4], ["t: float32 [] by [] from 0 of '0'"]),
  ]

  static let bounds = [
    Case(
      "a view that ends with its storage",
      .tensor(.storage("ByteStorage", 6), [2, 2], strides: [3, 1], offset: 1), storages: [6],
      ["t: uint8 [2, 2] by [3, 1] from 1 of '0'"]),
    Case(
      "an expanded tensor", .tensor(.storage("FloatStorage", 1), [3, 4], strides: [0, 0]),
      storages: [4], ["t: float32 [3, 4] by [0, 0] from 0 of '0'"]),
    Case(
      "one element with a wild stride",
      .tensor(.storage("FloatStorage", 2), [1, 2], strides: [.max, 1]), storages: [8],
      ["t: float32 [1, 2] by [\(Int.max), 1] from 0 of '0'"]),
    Case(
      "no elements and a wild offset",
      .tensor(.storage("FloatStorage", 0), [0, 5], strides: [.max, .max], offset: .max),
      storages: [0],
      ["t: float32 [0, 5] by [\(Int.max), \(Int.max)] from \(Int.max) of '0'"]),
    Case(
      "as many dimensions as there may be",
      .tensor(.storage("ByteStorage", 1), [Int](repeating: 1, count: 1024)), storages: [1],
      [
        "t: uint8 \([Int](repeating: 1, count: 1024)) by \([Int](repeating: 1, count: 1024)) "
          + "from 0 of '0'"
      ]),
  ]

  static let composed = [
    Case(
      "a parameter gives its flag to its tensor",
      .rebuilt(
        by: "_rebuild_parameter", [.tensor(.storage("FloatStorage", 1), [1]), true, .noHooks]),
      storages: [4], ["t: float32 [1] by [1] from 0 of '0' grad"]),
    Case(
      "a frozen parameter",
      .rebuilt(
        by: "_rebuild_parameter", [.tensor(.storage("FloatStorage", 1), [1]), false, .noHooks]),
      storages: [4], ["t: float32 [1] by [1] from 0 of '0'"]),
    Case(
      "a parameter with attributes",
      .rebuilt(
        by: "_rebuild_parameter_with_state",
        [
          .tensor(.storage("FloatStorage", 1), [1]), true, .noHooks,
          ["scale": .tensor(.storage("FloatStorage", 1, key: "1"), [])],
        ]),
      storages: [4, 4],
      [
        "t: float32 [1] by [1] from 0 of '0' grad", "t/scale: float32 [] by [] from 0 of '1'",
      ]),
    Case(
      "a quantized tensor with one scale",
      .rebuilt(
        by: "_rebuild_qtensor",
        [
          .storage("QInt8Storage", 4), 0, .ints([4]), .ints([1]),
          .tuple([.global("torch", "per_tensor_affine"), 0.5, 0]), false, .noHooks,
        ]), storages: [4], ["t: qint8 [4] by [1] from 0 of '0'"]),
    Case(
      "a quantized tensor with scales per channel",
      .rebuilt(
        by: "_rebuild_qtensor",
        [
          .storage("QUInt8Storage", 2), 0, .ints([2]), .ints([1]),
          .tuple([
            .global("torch", "per_channel_affine"),
            .tensor(.storage("DoubleStorage", 2, key: "1"), [2]),
            .tensor(.storage("LongStorage", 2, key: "2"), [2]), 0,
          ]), true, .noHooks,
        ]), storages: [2, 16, 16],
      [
        "t: quint8 [2] by [1] from 0 of '0' grad",
        "t/.scales: float64 [2] by [1] from 0 of '1'",
        "t/.zero_points: int64 [2] by [1] from 0 of '2'",
      ]),
    Case(
      "a sparse tensor in coordinates",
      .rebuilt(
        by: "_rebuild_sparse_tensor",
        [
          layout("sparse_coo"),
          .tuple([
            .tensor(.storage("LongStorage", 2), [2, 1]),
            .tensor(.storage("FloatStorage", 1, key: "1"), [1]), size([3, 3]), true,
          ]),
        ]), storages: [16, 4],
      [
        "t/.indices: int64 [2, 1] by [1, 1] from 0 of '0'",
        "t/.values: float32 [1] by [1] from 0 of '1'",
      ]),
    Case(
      "a sparse tensor of compressed rows", compressed("_rebuild_sparse_tensor", "sparse_csr"),
      storages: [16, 8, 4], compressedParts("crow_indices", "col_indices")),
    Case(
      "a sparse tensor of compressed rows as PyTorch 1.9 saved it",
      compressed("_rebuild_sparse_csr_tensor", "sparse_csr"), storages: [16, 8, 4],
      compressedParts("crow_indices", "col_indices")),
    Case(
      "a sparse tensor of compressed columns of blocks",
      compressed("_rebuild_sparse_tensor", "sparse_bsc"), storages: [16, 8, 4],
      compressedParts("ccol_indices", "row_indices")),
    Case(
      "a nested tensor",
      .rebuilt(
        by: "_rebuild_nested_tensor",
        (0..<4).map { .tensor(.storage("LongStorage", 1, key: .str("\($0)")), [1]) }),
      storages: [8, 8, 8, 8],
      ["buffer", "sizes", "strides", "offsets"].enumerated().map {
        "t/.\($1): int64 [1] by [1] from 0 of '\($0)'"
      }),
    Case(
      "a tensor of a device without a file format of its own",
      .rebuilt(
        by: "_rebuild_device_tensor_from_cpu_tensor",
        [
          .tensor(.storage("FloatStorage", 1), [1]), .global("torch", "float32"), "xla:0", false,
        ]), storages: [4], ["t: float32 [1] by [1] from 0 of '0'"]),
    Case(
      "a subclass of Tensor",
      subclass(.global("torch._utils", "_rebuild_tensor_v2"), inner, state: .none), storages: [8],
      ["t: float32 [2] by [1] from 0 of '0'"]),
    Case(
      "a tensor with a tensor for attribute",
      subclass(
        .global("torch._utils", "_rebuild_tensor_v2"), inner,
        state: ["mask": .tensor(.storage("BoolStorage", 2, key: "1"), [2])]), storages: [8, 2],
      ["t: float32 [2] by [1] from 0 of '0'", "t/mask: bool [2] by [1] from 0 of '1'"]),
    Case(
      "a subclass by the names of PyTorch 1.7",
      subclass(
        .global("torch._utils", "_rebuild_tensor_v2"), inner, state: [:], module: "torch.tensor",
        name: "_rebuild_from_type"), storages: [8], ["t: float32 [2] by [1] from 0 of '0'"]),
    Case(
      "a wrapper whose data is in its state",
      subclass(
        .global("torch._utils", "_rebuild_wrapper_subclass"),
        [.global("torch.distributed.tensor", "DTensor"), .global("torch", "float32"), size([2])],
        state: .tuple([.none, ["_local_tensor": .tensor(.storage("FloatStorage", 2), [1])]])),
      storages: [8], ["t: float32 [1] by [1] from 0 of '0'"]),
    Case(
      "a wrapper that is no distributed tensor",
      subclass(
        .global("torch._utils", "_rebuild_wrapper_subclass"),
        [.global("m", "Packed"), .global("torch", "float32"), size([2])],
        state: .tuple([.none, ["data": .tensor(.storage("ByteStorage", 1), [1])]])),
      storages: [1], ["t/data: uint8 [1] by [1] from 0 of '0'"]),
    Case(
      "a tensor that has two shards of a larger one here",
      subclass(
        .global("torch._utils", "_rebuild_wrapper_subclass"),
        [.global("m", "ShardedTensor"), .global("torch", "float32"), size([8])],
        state: .tuple([
          [shard(key: "0"), shard(key: "1")], .none, .none, .none, false,
        ])), storages: [8, 8],
      [
        "t/0: float32 [2] by [1] from 0 of '0'", "t/1: float32 [2] by [1] from 0 of '1'",
      ]),
    Case(
      "a tensor of Ascend's library",
      .call(
        .global("torch_npu.utils.storage", "_rebuild_npu_tensor"),
        [
          .storage("FloatStorage", 6, location: "npu:0"), 2, .ints([2, 2]), .ints([2, 1]), true,
          .noHooks, .call(.global("torch_npu.npu._format", "Format"), [2]),
        ]), storages: [24], ["t: float32 [2, 2] by [2, 1] from 2 of '0' grad"]),
    Case(
      "a tensor of 4 bits by channels",
      .rebuilt(
        by: "_rebuild_qtensor",
        [
          .storage("QUInt4x2Storage", 4), 0, .ints([2, 4]), .ints([4, 1]),
          .tuple([.global("torch", "per_tensor_affine"), 0.5, 0]), false, .noHooks,
        ]), storages: [4], ["t: quint4x2 [2, 2] by [2, 1] from 0 of '0' as [2, 4]"]),
    Case(
      "a tensor of 2 bits that does not fill its last byte",
      .rebuilt(
        by: "_rebuild_qtensor",
        [
          .storage("QUInt2x4Storage", 3), 4, .ints([5]), .ints([1]),
          .tuple([.global("torch", "per_tensor_affine"), 0.5, 0]), false, .noHooks,
        ]), storages: [3], ["t: quint2x4 [2] by [1] from 1 of '0' as [5]"]),
    Case(
      "a storage by itself", .storage("LongStorage", 2), storages: [16],
      ["t: int64 [2] by [1] from 0 of '0'"]),
    Case(
      "a storage by itself without dtype", .storage("UntypedStorage", 3), storages: [3],
      ["t: uint8 [3] by [1] from 0 of '0'"]),
    Case(
      "one storage as bytes and without dtype",
      [.tensor(.storage("ByteStorage", 3), [3]), .storage("UntypedStorage", 3)], storages: [3],
      ["t/0: uint8 [3] by [1] from 0 of '0'", "t/1: uint8 [3] by [1] from 0 of '0'"]),
    Case(
      "one storage as floats and as ints",
      [.tensor(.storage("FloatStorage", 2), [2]), .tensor(.storage("IntStorage", 2), [2])],
      storages: [8],
      ["t/0: float32 [2] by [1] from 0 of '0'", "t/1: int32 [2] by [1] from 0 of '0'"]),
    Case(
      "a persistent id in strs of Python 2",
      .rebuilt(
        by: "_rebuild_tensor",
        [
          .operations(Array("(U\u{7}storagectorch\nByteStorage\nU\u{1}0U\u{3}cpuK\u{2}tQ".utf8)), 0,
          .ints([2]), .ints([1]),
        ]), storages: [2], ["t: uint8 [2] by [1] from 0 of '0'"]),
    Case(
      "a persistent id in bytes",
      .rebuilt(
        by: "_rebuild_tensor",
        [
          .persistent(
            .tuple([
              .bytes(Array("storage".utf8)), .global("torch", "ByteStorage"), "0",
              .bytes(Array("cuda:3".utf8)), 2,
            ])), 0, .ints([2]), .ints([1]),
        ]), storages: [2], ["t: uint8 [2] by [1] from 0 of '0'"]),
    Case(
      "a function that is not known keeps its storage",
      .rebuilt(by: "_rebuild_future", [.storage("FloatStorage", 2), 0, .ints([2])]),
      storages: [8], ["t/0: float32 [2] by [1] from 0 of '0'"]),
  ]

  private static func shard(key: String) -> PickledValue {
    .built(
      .new(.global("m", "Shard"), []),
      state: .tuple([
        .none, ["tensor": .tensor(.storage("FloatStorage", 2, key: .str(key)), [2])],
      ]))
  }

  private static func array(
    _ shape: [Int], _ code: String, _ bytes: [UInt8], order: String = "<", isFortran: Bool = false
  ) -> PickledValue {
    let dtype = PickledValue.built(
      .call(.global("numpy", "dtype"), [.str(code), false, true]),
      state: .tuple([3, .str(order), .none, .none, .none, -1, -1, 0]))
    return .built(
      .call(
        .global("numpy.core.multiarray", "_reconstruct"),
        [.global("numpy", "ndarray"), .ints([0]), .bytes([0x62])]),
      state: .tuple([1, .ints(shape), dtype, .bool(isFortran), .bytes(bytes)]))
  }

  private static func onDevice(
    _ array: PickledValue, _ dtype: String, by function: String = "_rebuild_xla_tensor"
  ) -> PickledValue {
    .rebuilt(by: function, [array, .global("torch", dtype), "xla:0", true])
  }

  static let arrays = [
    Case(
      "an array of a TPU",
      onDevice(array([2, 1], "f4", [0, 0, 0, 0, 0, 0, 0x80, 0x3f]), "float32"),
      storages: [], ["t: float32 [2, 1] by [1, 1] from 0 of 'array 0'"]),
    Case(
      "an array that is cast to bfloat16",
      onDevice(array([1], "f4", [0, 0, 0x80, 0x3f]), "bfloat16"), storages: [],
      ["t: bfloat16 [1] by [1] from 0 of 'array 0'"]),
    Case(
      "an array in columns, of a later PyTorch",
      onDevice(
        array([2, 3], "i1", [1, 2, 3, 4, 5, 6], isFortran: true), "int8",
        by: "_rebuild_device_tensor_from_numpy"),
      storages: [], ["t: int8 [2, 3] by [1, 2] from 0 of 'array 0'"]),
    Case(
      "a scalar", onDevice(array([], "i8", [7, 0, 0, 0, 0, 0, 0, 0]), "int64"), storages: [],
      ["t: int64 [] by [] from 0 of 'array 0'"]),
    Case(
      "no elements", onDevice(array([0, 2], "f4", []), "float16"), storages: [],
      ["t: float16 [0, 2] by [2, 1] from 0 of 'array 0'"]),
  ]

  @Test("An array in the pickle that stands for a tensor is one", arguments: arrays)
  func arrayTensors(_ test: Case) throws {
    let graph = try TorchFile.read(["t": test.value]).graph
    #expect(try graph.tensorListing() == test.tensors)
  }

  @Test("An array of another size than its shape's, or of another kind than its tensor, is refused")
  func wrongArrays() {
    for (value, code) in [
      (Self.onDevice(Self.array([2], "f4", [0]), "float32"), CheckpointError.Code.malformed),
      (Self.onDevice(Self.array([.max, .max], "f4", [0]), "float32"), .malformed),
      (Self.onDevice(Self.array([1], "i4", [0, 0, 0, 0]), "float32"), .unsupported),
    ] {
      let error = #expect(throws: CheckpointError.self) { try TorchFile.read(["t": value]) }
      #expect(error?.code == code)
    }
  }

  @Test("A shard knows the shape of the whole")
  func wholeShape() throws {
    func graph(_ sizes: [Int]) throws -> TensorGraph {
      try TorchFile.read(
        Self.subclass(
          .global("torch._utils", "_rebuild_wrapper_subclass"),
          [.global("m", "DTensor"), .global("torch", "float32"), Self.size(sizes)],
          state: .tuple([.none, ["_local_tensor": .tensor(.storage("FloatStorage", 2), [2])]])),
        storages: [[UInt8](repeating: 0, count: 8)]
      ).graph
    }
    #expect(try graph([8]).tensors.map(\.wholeShape) == [[8]])
    #expect(try graph([2]).tensors.map(\.wholeShape) == [nil])
  }

  private static func compressed(_ function: String, _ name: String) -> PickledValue {
    .rebuilt(
      by: function,
      [
        layout(name),
        .tuple([
          .tensor(.storage("LongStorage", 2), [2]),
          .tensor(.storage("LongStorage", 1, key: "1"), [1]),
          .tensor(.storage("FloatStorage", 1, key: "2"), [1]), size([1, 1]),
        ]),
      ])
  }

  private static func compressedParts(_ first: String, _ second: String) -> [String] {
    [
      "t/.\(first): int64 [2] by [1] from 0 of '0'",
      "t/.\(second): int64 [1] by [1] from 0 of '1'",
      "t/.values: float32 [1] by [1] from 0 of '2'",
    ]
  }

  @Test("A tensor is what its call says", arguments: dense + bounds + composed)
  func tensors(_ test: Case) throws {
    let checkpoint = try TorchFile.read(
      ["t": test.value], storages: test.storages.map { [UInt8](repeating: 0, count: $0) })
    #expect(try checkpoint.graph.tensorListing() == test.tensors)
    #expect(checkpoint.graph.storages.count == test.storages.count)
    #expect(checkpoint.warnings == [])
  }

  @Test("Tensors that share a storage share it in the graph")
  func sharedStorage() throws {
    let storage = PickledValue.storage("FloatStorage", 4)
    let graph = try TorchFile.read(
      [.tensor(storage, [4]), .tensor(storage, [2], strides: [2])],
      storages: [[UInt8](repeating: 0, count: 16)]
    ).graph
    #expect(graph.tensors.count == 2)
    #expect(graph.tensors.map(\.storage) == [graph.tensors[0].storage, graph.tensors[0].storage])
    #expect(graph.storages.map(\.key) == ["0"])
  }

  @Test(
    "A device is kept as it is spelled, whatever it is",
    arguments: ["cpu", "cuda:3", "mps", "meta", "xla:0", "hpu:1", "privateuseone:0", ""])
  func device(_ location: String) throws {
    let storage = PickledValue.storage("ByteStorage", 1, location: .str(location))
    let graph = try TorchFile.read(.tensor(storage, [1]), storages: [[7]]).graph
    #expect(graph.storages.map(\.location) == [location])
    #expect(try graph.tensorListing() == [": uint8 [1] by [1] from 0 of '0'"])
  }

  @Test("A storage keeps the device and the class it was saved with")
  func storageFacts() throws {
    let graph = try TorchFile.read(
      [
        .tensor(.storage("FloatStorage", 1, location: "cuda:1"), []),
        .tensor(.storage("UntypedStorage", 1, key: "1"), [], dtype: "bits8"),
      ], storages: [[0, 0, 0, 0], [0]]
    ).graph
    #expect(graph.storages.map(\.location) == ["cuda:1", "cpu"])
    #expect(graph.storages.map(\.dtype) == [.float32, nil])
    #expect(graph.storages.allSatisfy { !$0.isBigEndian })
  }
}
