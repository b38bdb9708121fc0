/// Bounds on what a file may ask of memory and time, each with the reason for its size.
package enum Limits: Sendable {
  /// The largest pickle read, in bytes.
  ///
  /// A pickle is held in memory. Real ones stay below 30 MB even with 100,000 tensors, because
  /// tensor data lies outside them; NumPy arrays are inside and set the bound.
  package static let pickleBytes = 512 << 20
  /// The largest decompressed pickle that is read in any case, in bytes.
  ///
  /// PyTorch compresses none, and a byte of deflate can stand for a thousand.
  package static let deflatedPickleBytesAtLeast = 1 << 20
  /// The most bytes of a larger one for each byte that it has compressed; pickles of state dicts have
  /// three to seven.
  package static let deflatedPickleRatio = 32
  /// The longest compressed skeleton that is read from any file, in bytes of text.
  package static let packedSkeletonBytesAtLeast = 64 << 10
  /// The most bytes of text of a longer compressed skeleton, per byte of its file.
  ///
  /// State dicts have less than one, modules with tiny layers three. The compressed size is no bound,
  /// because a byte of it can stand for a thousand and skeletons are repetitive.
  package static let packedSkeletonBytesPerFileByte = 4
  /// The most nodes one graph may hold; a node takes about 24 bytes.
  package static let graphNodes = 32 << 20
  /// The most bytes of an archive record that is neither the pickle nor a storage.
  ///
  /// These are version numbers and TorchScript source; they are carried inside the skeleton.
  package static let smallRecordBytes = 16 << 20
  /// The most entries an archive may list; torch itself has been seen with 66,000.
  package static let archiveEntries = 1 << 20
  /// The most bytes of an output, 1 PiB.
  ///
  /// A few bytes describe tensors of any size whose elements are all the same. Below this bound the
  /// sizes of a thousand outputs can be added up.
  package static let outputBytes = 1 << 50
  /// The most bytes of what names a module, a class, a storage or a device.
  ///
  /// A pickle writes a text once and refers to it with two bytes, so what is looked at for every
  /// reference must be short.
  package static let nameBytes = 1024
  /// The most bytes that the names of a checkpoint's globals have together, each global counted once.
  ///
  /// A few long texts make any number of pairs of a module and a name. Names of real classes have
  /// some forty bytes, and real checkpoints name less than a hundred.
  package static let globalNameBytes = 32 << 20
  /// The most bytes of the module, or of the name, of a class whose calls are understood.
  package static let knownNameBytes = 64
  /// The most `getattr` calls that lead to one nested class, and arguments of a call that is known.
  package static let knownArguments = 64
  /// The most dimensions that the tensors of a checkpoint may have on average, beyond
  /// ``dimensionsAtLeast`` in all.
  ///
  /// Thousands of tensors can refer to one shape, and each needs its own.
  package static let dimensionsPerTensor = 8
  /// The dimensions that the tensors of a checkpoint may have together in any case.
  package static let dimensionsAtLeast = 1 << 20
  /// The most corners of the blocks of one tensor, which are compared to find holes: two for each
  /// block if one dimension is split, four if two are.
  ///
  /// A shard of each of 65,536 GPUs in four dimensions comes to half of it.
  package static let blockCorners = 1 << 21
  /// The most dimensions of a tensor.
  ///
  /// PyTorch and safetensors set no bound; NumPy 2 stops at 64.
  package static let dimensions = 1024
  /// The longest header the reference safetensors reader accepts, in bytes.
  package static let safetensorsHeaderBytes = 100_000_000
  /// The longest index of shards, in bytes: it repeats the names of their headers.
  package static let indexBytes = 100_000_000
  /// The best ratio deflate can reach (RFC 1951: 258 bytes from two bits), rounded up.
  package static let deflateRatio = 1040
  /// The most values a checkpoint may have once it is flattened, per Python object in it.
  ///
  /// Shared containers are flattened once per place, so a few bytes can announce any number.
  package static let leavesPerNode = 4
  /// The values a checkpoint may have in any case once it is flattened.
  package static let leavesAtLeast = 1 << 16
  /// The most bytes of long ints that may be written out in any case.
  package static let longIntBytesAtLeast = 16 << 20
  /// The most bytes that pickled values of layout `olmo` may have in any case.
  ///
  /// Objects that values share are pickled with each of them, so that a few bytes can ask for any
  /// number.
  package static let pickledValuesAtLeast = 64 << 20
  /// The most bytes that pickled values may have for each byte of text in the checkpoint.
  package static let pickledPerTextByte = 4
  /// The most keys and indices that the paths to all values may have together.
  package static let pathSteps = 16 << 20
  /// The bytes that the keys on the paths to all values may have together in any case.
  ///
  /// A long key stands in a file once and in the names of all that lies below it. Names of real
  /// tensors have some 40 bytes, and a tensor takes at least three nodes.
  package static let pathBytesAtLeast = 16 << 20
  /// The bytes that paths may have beyond, for each node of the graph.
  package static let pathBytesPerNode = 128
  /// The bytes that paths may have beyond, for each byte of text in the graph.
  package static let pathBytesPerTextByte = 4
  /// The size up to which a tensor may be read into memory as a whole in any case, in bytes.
  ///
  /// One element that is repeated, or deflated zeros, can be a tensor of any size.
  package static let wholeTensorBytesAtLeast = 1 << 30
  /// The most bytes of a tensor that is read as a whole for each byte that a file has of it.
  package static let wholeTensorBytesPerStoredByte = 16
  /// The most containers a tensor's name may lead through; Python's own recursion ends there.
  package static let pathLength = 1000
}

/// Arithmetic on numbers that came from a file: every overflow is an error, never a trap.
extension Int {
  /// The sum of `self` and `other`.
  ///
  /// - Throws: `malformed` naming `what` when the sum does not fit 64 bits.
  package func adding(_ other: Int, orThrow what: @autoclosure () -> String) throws(CheckpointError)
    -> Int
  {
    let (sum, overflow) = addingReportingOverflow(other)
    guard !overflow else { throw CheckpointError(.malformed, "\(what()) overflows 64 bits") }
    return sum
  }

  /// The product of `self` and `other`.
  ///
  /// - Throws: `malformed` naming `what` when the product does not fit 64 bits.
  package func multiplied(
    by other: Int, orThrow what: @autoclosure () -> String
  ) throws(CheckpointError) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    guard !overflow else { throw CheckpointError(.malformed, "\(what()) overflows 64 bits") }
    return product
  }

  /// The sum of `self` and `other`, or the largest number there is: for totals that are only told.
  package func addingClamped(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }

  /// `value` as an `Int`.
  ///
  /// - Throws: `malformed` naming `what` when `value` is above `Int.max`.
  package init(_ value: UInt64, orThrow what: @autoclosure () -> String) throws(CheckpointError) {
    guard let exact = Int(exactly: value) else {
      throw CheckpointError(.malformed, "\(what()) of \(value) does not fit 63 bits")
    }
    self = exact
  }
}
