/// Limits on the memory and time for a file, each with its reason.
package enum Limits: Sendable {
  /// The maximum size of a pickle in bytes.
  ///
  /// A pickle is held in memory. Real ones stay below 30 MB even with 100,000 tensors, because
  /// tensor data is outside of them. NumPy arrays are inside, and decide the limit.
  package static let pickleBytes = 512 << 20
  /// The inflated size of a pickle that is always allowed, in bytes.
  ///
  /// PyTorch compresses no pickles, and a byte of deflate can stand for a thousand bytes.
  package static let deflatedPickleBytesAtLeast = 1 << 20
  /// The maximum inflated size of a larger pickle per compressed byte; pickles of state dicts have
  /// a ratio of three to seven.
  package static let deflatedPickleRatio = 32
  /// The maximum size of a compressed skeleton in any file, in bytes of its text.
  package static let packedSkeletonBytesAtLeast = 64 << 10
  /// The maximum size of the text of a larger compressed skeleton, per byte of its file.
  ///
  /// State dicts have less than one byte, modules with tiny layers three. The compressed size is no
  /// limit: one byte of it can represent a thousand, and skeletons are repetitive.
  package static let packedSkeletonBytesPerFileByte = 4
  /// The maximum number of nodes of a graph; a node takes about 24 bytes.
  package static let graphNodes = 32 << 20
  /// The maximum size of an archive record other than the pickle and the storages, in bytes.
  ///
  /// These records are version numbers and TorchScript source. The skeleton holds them.
  package static let smallRecordBytes = 16 << 20
  /// The maximum number of entries of an archive; torch archives with 66,000 entries exist.
  package static let archiveEntries = 1 << 20
  /// The maximum size of an output: 1 PiB.
  ///
  /// A few bytes can describe tensors of any size with equal elements. Below this limit the sizes
  /// of a thousand outputs can be added up.
  package static let outputBytes = 1 << 50
  /// The maximum length of the name of a module, class, storage or device, in bytes.
  ///
  /// A pickle stores a text once and refers to it with two bytes. A text that is read for every
  /// reference must be short.
  package static let nameBytes = 1024
  /// The maximum length of the names of all globals of a checkpoint in bytes, each global counted
  /// once.
  ///
  /// A few long texts make any number of pairs of a module and a name. Real class names have about
  /// forty bytes, and real checkpoints name fewer than a hundred.
  package static let globalNameBytes = 32 << 20
  /// The maximum length of the module, or of the name, of a known class in bytes.
  package static let knownNameBytes = 64
  /// The maximum number of `getattr` calls for one nested class, and of arguments of a known call.
  package static let knownArguments = 64
  /// The maximum average number of dimensions of a checkpoint's tensors, beyond
  /// ``dimensionsAtLeast`` in total.
  ///
  /// Thousands of tensors can refer to one shape, and each needs a copy of it.
  package static let dimensionsPerTensor = 8
  /// The total number of dimensions that is always allowed.
  package static let dimensionsAtLeast = 1 << 20
  /// The maximum number of corners of a tensor's blocks, which are compared to find holes: two for
  /// each block if one dimension is split, four if two are.
  ///
  /// One shard for each of 65,536 GPUs in four dimensions needs half of it.
  package static let blockCorners = 1 << 21
  /// The maximum number of dimensions of a tensor.
  ///
  /// PyTorch and safetensors have no limit; NumPy 2 stops at 64.
  package static let dimensions = 1024
  /// The maximum header size that the reference safetensors reader accepts, in bytes.
  package static let safetensorsHeaderBytes = 100_000_000
  /// The maximum size of an index of shards in bytes; it repeats the names in their headers.
  package static let indexBytes = 100_000_000
  /// The best ratio of deflate (RFC 1951: 258 bytes from two bits), rounded up.
  package static let deflateRatio = 1040
  /// The maximum number of values of a flattened checkpoint per Python object in it.
  ///
  /// Shared containers are flattened once for each place, so a few bytes can give any number of
  /// values.
  package static let leavesPerNode = 4
  /// The number of values of a flattened checkpoint that is always allowed.
  package static let leavesAtLeast = 1 << 16
  /// The size of written long ints that is always allowed, in bytes.
  package static let longIntBytesAtLeast = 16 << 20
  /// The size of pickled values in the layout `olmo` that is always allowed, in bytes.
  ///
  /// Objects that values share are pickled with each of them, so a few bytes can need any number.
  package static let pickledValuesAtLeast = 64 << 20
  /// The maximum size of pickled values per byte of text in the checkpoint, in bytes.
  package static let pickledPerTextByte = 4
  /// The maximum number of keys and indices on the paths to all values.
  package static let pathSteps = 16 << 20
  /// The size of the keys on the paths to all values that is always allowed, in bytes.
  ///
  /// A long key is in a file once, but in the names of all values below it. Names of real tensors
  /// have about 40 bytes, and a tensor takes at least three nodes.
  package static let pathBytesAtLeast = 16 << 20
  /// The additional size of paths for each node of the graph, in bytes.
  package static let pathBytesPerNode = 128
  /// The additional size of paths for each byte of text in the graph, in bytes.
  package static let pathBytesPerTextByte = 4
  /// The size up to which any tensor may be read into memory as a whole, in bytes.
  ///
  /// One repeated element, or deflated zeros, can be a tensor of any size.
  package static let wholeTensorBytesAtLeast = 1 << 30
  /// The maximum size of a tensor that is read as a whole, per byte that a file stores of it.
  package static let wholeTensorBytesPerStoredByte = 16
  /// The maximum nesting of containers around a tensor; Python's own recursion has this limit.
  package static let pathLength = 1000
}

/// Arithmetic on numbers from a file. Every overflow is an error, never a trap.
extension Int {
  /// Returns the sum of `self` and `other`.
  ///
  /// - Throws: `malformed` with `what` if the sum overflows.
  package func adding(_ other: Int, orThrow what: @autoclosure () -> String) throws(CheckpointError)
    -> Int
  {
    let (sum, overflow) = addingReportingOverflow(other)
    guard !overflow else { throw CheckpointError(.malformed, "\(what()) overflows 64 bits") }
    return sum
  }

  /// Returns the product of `self` and `other`.
  ///
  /// - Throws: `malformed` with `what` if the product overflows.
  package func multiplied(
    by other: Int, orThrow what: @autoclosure () -> String
  ) throws(CheckpointError) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    guard !overflow else { throw CheckpointError(.malformed, "\(what()) overflows 64 bits") }
    return product
  }

  /// Returns the sum of `self` and `other`, or the largest number; for totals that are only
  /// displayed.
  package func addingClamped(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  /// Creates an `Int` from `value`.
  ///
  /// - Throws: `malformed` with `what` if `value` is above `Int.max`.
  package init(_ value: UInt64, orThrow what: @autoclosure () -> String) throws(CheckpointError) {
    guard let exact = Int(exactly: value) else {
      throw CheckpointError(.malformed, "\(what()) of \(value) does not fit 63 bits")
    }
    self = exact
  }
}
