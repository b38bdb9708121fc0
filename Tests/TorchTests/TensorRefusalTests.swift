import CkptBase
import CkptTestSupport
import Testing
import CkptTorch

/// Tensors that lie outside of their storages, or make no sense.
struct TensorRefusalTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var value: PickledValue
    var code: CheckpointError.Code
    var message: String

    init(
      _ name: String, _ value: PickledValue, _ message: String,
      code: CheckpointError.Code = .malformed
    ) {
      testDescription = name
      self.value = value
      self.message = message
      self.code = code
    }
  }

  /// A storage that fits the one of the archive, of 16 bytes.
  private static let storage = PickledValue.storage("FloatStorage", 4)

  private static func at(_ location: PickledValue) -> PickledValue {
    .persistent(.tuple(["storage", .global("torch", "FloatStorage"), "0", location, 4]))
  }

  private static func view(
    offset: PickledValue = 0, size: PickledValue = .ints([1]), stride: PickledValue = .ints([1]),
    gradient: PickledValue = false
  ) -> PickledValue {
    .rebuilt(by: "_rebuild_tensor_v2", [storage, offset, size, stride, gradient, .noHooks])
  }

  static let packed = [
    Case(
      "a tensor of 4 bits that is transposed",
      .rebuilt(
        by: "_rebuild_qtensor",
        [
          .storage("QUInt4x2Storage", 16), 0, .ints([2, 4]), .ints([1, 2]),
          .tuple([.global("torch", "per_tensor_affine"), 0.5, 0]), false, .noHooks,
        ]), "a quint4x2 tensor [2, 4] that is not packed in row-major order", code: .unsupported),
    Case(
      "a tensor of 4 bits that begins inside of a byte",
      .rebuilt(
        by: "_rebuild_qtensor",
        [
          .storage("QUInt4x2Storage", 16), 1, .ints([2]), .ints([1]),
          .tuple([.global("torch", "per_tensor_affine"), 0.5, 0]), false, .noHooks,
        ]), "a quint4x2 tensor [2] that is not packed in row-major order", code: .unsupported),
  ]

  static let storages = [
    Case(
      "a storage that is not in the archive", .tensor(.storage("FloatStorage", 1, key: "7"), []),
      "storage '7' is not in the archive"),
    Case(
      "a storage outside of the directory of storages",
      .tensor(.storage("FloatStorage", 1, key: "../version"), []),
      "storage '../version' is not in the archive"),
    Case(
      "a storage without bytes that is not in the archive",
      .tensor(.storage("FloatStorage", 0, key: "7"), [3, 0, 2]), "storage '7' is not in the archive"
    ),
    Case(
      "two types of one storage that differ in length",
      [.tensor(storage, [4]), .tensor(.storage("DoubleStorage", 4), [4])],
      "storage '0' has 16 bytes, the pickle says 32"),
    Case(
      "a storage that is shorter than announced", .tensor(.storage("FloatStorage", 5), [1]),
      "storage '0' has 16 bytes, the pickle says 20"),
    Case(
      "a storage that is longer than announced", .tensor(.storage("FloatStorage", 3), [1]),
      "storage '0' has 16 bytes, the pickle says 12"),
    Case(
      "two lengths of one storage",
      [.tensor(storage, [4]), .tensor(.storage("FloatStorage", 2), [2])],
      "storage '0' has 16 bytes, the pickle says 8"),
    Case(
      "two devices of one storage", [.tensor(storage, [4]), .tensor(at("cuda:0"), [4])],
      "storage '0' is on 'cpu', the pickle says also on 'cuda:0'"),
    Case(
      "a device that is an int", .tensor(at(0), [4]),
      "the device of storage '0' is not a str of at most 1024 bytes"),
    Case(
      "a device with a name beyond all measure",
      .tensor(at(.str(String(repeating: "x", count: 1025))), [4]),
      "the device of storage '0' is not a str of at most 1024 bytes"),
    Case(
      "a bare storage of another length", .storage("FloatStorage", 2),
      "storage '0' has 16 bytes, the pickle says 8"),
    Case(
      "a storage of negative length", .tensor(.storage("FloatStorage", -4), []),
      "storage '0' has no length, or a negative one"),
    Case(
      "a storage without length", .tensor(.storage("FloatStorage", .none), []),
      "storage '0' has no length, or a negative one"),
    Case(
      "a storage whose size overflows", .tensor(.storage("DoubleStorage", .int(.max)), []),
      "the size of storage '0' overflows 64 bits"),
    Case(
      "a storage class that is not known", .tensor(.storage("FooStorage", 4), [1]),
      "'torch.FooStorage' is not a known storage class", code: .unsupported),
    Case(
      "a class that is no storage", .tensor(.storage("Tensor", 4), [1]),
      "'torch.Tensor' is not a known storage class", code: .unsupported),
    Case(
      "a storage class that is an int",
      .tensor(.persistent(.tuple(["storage", 5, "0", "cpu", 4])), [1]),
      "'5' is not a known storage class", code: .unsupported),
    Case(
      "a storage that is named by an int", .tensor(.storage("FloatStorage", 4, key: 0), [1]),
      "the key of a storage is not a str"),
    Case(
      "a persistent id of something else", .persistent("module"),
      "a persistent id is not a storage: 'module'"),
    Case(
      "a persistent id that is too short", .persistent(.tuple(["storage", "0"])),
      "a persistent id is not a storage: ('storage', '0')"),
    Case(
      "a tensor whose storage is an int",
      .rebuilt(by: "_rebuild_tensor", [5, 0, .ints([1]), .ints([1])]),
      "the storage of a tensor is not a persistent id"),
    Case(
      "a tensor whose storage is a tensor", .tensor(.tensor(storage, [4]), [1]),
      "the storage of a tensor is not a persistent id"),
  ]

  static let bounds = [
    Case(
      "one element too far", .tensor(storage, [4], offset: 1),
      "a tensor reaches element 4 of a storage that has 4"),
    Case(
      "one stride too far", .tensor(storage, [2, 2], strides: [3, 1]),
      "a tensor reaches element 4 of a storage that has 4"),
    Case(
      "an element that lies in the storage only in part",
      .tensor(.storage("UntypedStorage", 16), [2], offset: 1, dtype: "complex64"),
      "a tensor reaches element 2 of a storage that has 2"),
    Case(
      "a dtype that is wider than the storage",
      .tensor(.storage("UntypedStorage", 16), [2], dtype: "complex128"),
      "a tensor reaches element 1 of a storage that has 1"),
    Case(
      "a scalar behind the end", .tensor(storage, [], offset: 4),
      "a tensor reaches element 4 of a storage that has 4"),
    Case(
      "sizes whose product overflows",
      .tensor(storage, [1 << 32, 1 << 32], strides: [0, 0]),
      "a tensor's element count overflows 64 bits"),
    Case(
      "sizes that overflow although one is zero",
      .tensor(storage, [1 << 32, 0, 1 << 32], strides: [0, 0, 0]),
      "a tensor's element count overflows 64 bits"),
    Case(
      "a size in bytes that overflows", .tensor(storage, [1 << 62], strides: [0]),
      "a tensor's size in bytes overflows 64 bits"),
    Case(
      "a stride that overflows", .tensor(storage, [3], strides: [1 << 62]),
      "a tensor's extent overflows 64 bits"),
    Case(
      "strides whose sum overflows", .tensor(storage, [2, 2], strides: [.max, .max]),
      "a tensor's extent overflows 64 bits"),
    Case(
      "an offset that overflows", .tensor(storage, [2], strides: [1], offset: .max),
      "a tensor's extent overflows 64 bits"),
    Case(
      "more dimensions than strides", .tensor(storage, [2, 2], strides: [1]),
      "a tensor has 2 dimensions and 1 strides"),
    Case(
      "a meta tensor with more strides than dimensions",
      .rebuilt(
        by: "_rebuild_meta_tensor_no_storage",
        [.global("torch", "int8"), .ints([2]), .ints([2, 1]), false]),
      "a tensor has 1 dimensions and 2 strides"),
  ]

  static let arguments = [
    Case(
      "a negative offset", view(offset: -1),
      "argument 1 of _rebuild_tensor_v2 is -1, expected an int that is not negative"),
    Case(
      "an offset beyond 64 bits",
      view(offset: .operations(Array("L18446744073709551616L\n".utf8))),
      "argument 1 of _rebuild_tensor_v2 is 18446744073709551616, expected an int that is not "
        + "negative"),
    Case(
      "a str for offset", view(offset: "0"),
      "argument 1 of _rebuild_tensor_v2 is '0', expected an int that is not negative"),
    Case(
      "a negative size", view(size: .ints([-2])),
      "argument 2 of _rebuild_tensor_v2 is (-2,), expected a tuple of ints that are not negative"),
    Case(
      "a float for size", view(size: .tuple([1.0])),
      "argument 2 of _rebuild_tensor_v2 is (1.0,), expected a tuple of ints that are not negative"),
    Case(
      "a list of sizes", view(size: [1]),
      "argument 2 of _rebuild_tensor_v2 is [1], expected a tuple of at most 1024 ints"),
    Case(
      "a negative stride", view(stride: .ints([-1])),
      "argument 3 of _rebuild_tensor_v2 is (-1,), expected a tuple of ints that are not negative"),
    Case(
      "an int for a flag", view(gradient: 1),
      "argument 4 of _rebuild_tensor_v2 is 1, expected a bool"),
    Case(
      "too few arguments", .rebuilt(by: "_rebuild_tensor", [storage, 0, .ints([1])]),
      "argument 3 of _rebuild_tensor is nothing, expected a tuple of ints"),
    Case(
      "no arguments", .rebuilt(by: "_rebuild_tensor", []),
      "argument 0 of _rebuild_tensor is nothing, expected a storage"),
    Case(
      "a dtype that is not known", .tensor(storage, [1], dtype: "float7"),
      "argument 6 of _rebuild_tensor_v3 is torch.float7, expected a known dtype"),
    Case(
      "a str for a dtype",
      .rebuilt(by: "_rebuild_meta_tensor_no_storage", ["float32", .ints([]), .ints([]), false]),
      "argument 0 of _rebuild_meta_tensor_no_storage is 'float32', expected a known dtype"),
  ]

  @Test(
    "A tensor that makes no sense is an error", arguments: storages + packed + bounds + arguments)
  func refusal(_ test: Case) {
    let error = #expect(throws: CheckpointError.self) {
      try TorchFile.read(["t": test.value], storages: [[UInt8](repeating: 0, count: 16)])
    }
    #expect(error?.code == test.code)
    #expect(error?.message == test.message)
    #expect(error?.path.last == "archive/data.pkl")
  }

  @Test("A tensor of more dimensions than anybody uses is refused")
  func dimensions() {
    let sizes = PickledValue.ints([Int](repeating: 1, count: 1025))
    let error = #expect(throws: CheckpointError.self) {
      try TorchFile.read(
        Self.view(size: sizes, stride: sizes), storages: [[UInt8](repeating: 0, count: 16)])
    }
    #expect(error?.message.hasSuffix("expected a tuple of at most 1024 ints") == true)
  }
}
