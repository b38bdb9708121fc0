import CkptBase
import CkptHostileSupport
import CkptSafetensors
import CkptSkeleton
import CkptTestSupport
import Testing

/// Numbers near the end of 63 bits, in every place of a skeleton or a pickle that adds or multiplies.
@Suite("Sizes that overflow")
struct OverflowTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var code: CheckpointError.Code?
    let file: @Sendable () -> [UInt8]
    var testDescription: String { name }
  }

  /// A file whose skeleton has these records and nodes; the root is node 0.
  static func skeleton(
    records: String, nodes: String, entries: String = "", data: [UInt8] = []
  ) -> [UInt8] {
    safetensors(text(version: 1, records: records, nodes: nodes), entries, data)
  }

  /// The text of a skeleton.
  static func text(
    version: Int, records: String, root: String = "[0]", nodes: String, forms: String? = nil
  ) -> String {
    """
    {"skeleton":\(version),"layout":"plain","source":{"container":"torch-zip","prefix":"a",\
    "protocol":2,"byteorder":"little","records":[["data.pkl"],\(records)["version","Mwo="]]},\
    "root":\(root),"nodes":[\(nodes)]\(forms.map { #","forms":[\#($0)]"# } ?? "")}
    """
  }

  /// A safetensors file with this text as its skeleton.
  static func safetensors(_ skeleton: String, _ entries: String, _ data: [UInt8]) -> [UInt8] {
    let quoted = skeleton.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    let header =
      #"{"__metadata__":{"ckptconv.skeleton":"\#(quoted)"}"# + (entries.isEmpty ? "" : ",")
      + entries + "}"
    return SafetensorsFile(header, data: data).bytes
  }

  private static let huge = String(Int.max)

  private static func expanded(_ count: Int, times: Int) -> [UInt8] {
    let tensor = PickledValue.tensor(.storage("ByteStorage", 4), [count], strides: [0])
    let object = PickledValue.list(Array(repeating: tensor, count: times))
    return ZipBuilder.torch(pickle: object.pickle(), storages: [[1, 2, 3, 4]]).bytes()
  }

  static let cases = [
    Case(name: "one tensor of petabytes", code: .limitExceeded) { expanded(1 << 62, times: 1) },
    Case(name: "tensors whose sizes overflow together", code: .limitExceeded) {
      expanded(1 << 62, times: 3)
    },
    Case(name: "a storage of all the bytes there can be", code: .limitExceeded) {
      skeleton(records: #"["data/0",\#(huge)],"#, nodes: #"["dict"]"#)
    },
    Case(name: "storages whose sizes overflow together", code: .limitExceeded) {
      skeleton(
        records: #"["data/0",\#(huge)],["data/1",\#(huge)],"#, nodes: #"["dict"]"#)
    },
    Case(name: "the last number a storage can be named by, and a tensor without a name for its own")
    {
      skeleton(
        records: #"["data/\#(Int.max - 1)",0],"#, nodes: #"["dict"]"#,
        entries: #""new":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}"#, data: [1])
    },
    Case(name: "a compressed record of all the bytes there can be", code: .limitExceeded) {
      skeleton(records: #"["x","AAAA",\#(huge)],"#, nodes: #"["dict"]"#)
    },
  ]

  @Test("They are refused, or do not matter", arguments: cases)
  func survives(_ test: Case) throws {
    let outcome = try HostileFile.check(test.file(), layout: .plain)
    #expect(outcome == test.code.map { .refused($0) } ?? .survived)
  }
}
