package import CkptBase
import CkptCompare
import CkptCopy
import CkptFormats
import CkptGraph
import CkptPlan
package import CkptSafetensors
import CkptScan
package import CkptSkeleton
import CkptTestSupport
import CkptTorch

/// A file that may hold anything, and what must hold of it all the same.
///
/// Each step may end in a ``CheckpointError``. But what was read and written must be readable again and
/// still be the same object.
package struct HostileFile {
  /// A rule that was broken, in words.
  package struct Violation: Error, CustomStringConvertible {
    /// A description of the violation.
    package let description: String

    /// A violation in these words.
    package init(_ description: String) { self.description = description }
  }

  /// The outcome for a file.
  package enum Outcome: Equatable, Sendable {
    /// It was refused, with this code, by the reader or while it was converted.
    case refused(CheckpointError.Code)
    /// It was converted there and back, or would have become too large to be written here.
    case survived
  }

  /// The most bytes of an output that is written; a few bytes of a file can ask for petabytes.
  private static let outputByteCount = 1 << 20

  private let file: any ByteSource
  private let layout: Layout
  private let ignoresSkeleton: Bool

  /// Reads a file of any kind, dropping what can run code, and converts it there and back.
  ///
  /// Every file goes one of several ways, by a sum of its bytes, so that its mutations go all.
  /// - Throws: ``Violation``, or an error of the test's own files.
  @discardableResult
  package static func check(_ bytes: [UInt8]) throws -> Outcome {
    let choice = bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff }
    return try check(
      bytes, layout: choice.isMultiple(of: 2) ? .plain : .olmo,
      ignoringSkeleton: choice.isMultiple(of: 3))
  }

  /// Reads a file of any kind and converts it there and back one way.
  ///
  /// - Throws: ``Violation``, or an error of the test's own files.
  @discardableResult
  package static func check(
    _ bytes: [UInt8], layout: Layout, ignoringSkeleton: Bool = false
  ) throws -> Outcome {
    try check(TemporaryFile.holding(bytes), layout: layout, ignoringSkeleton: ignoringSkeleton)
  }

  /// Reads an open file of any kind, and those it names, and converts it there and back one way.
  ///
  /// - Throws: ``Violation``, or an error of the test's own files.
  @discardableResult
  package static func check(
    _ file: any ByteSource, layout: Layout, ignoringSkeleton: Bool = false
  ) throws -> Outcome {
    let file = HostileFile(file: file, layout: layout, ignoresSkeleton: ignoringSkeleton)
    let scan = try? FileScan(of: file.file)
    do {
      try file.check(droppingUnsafe: false)
    } catch let error as CheckpointError {
      guard error.code == .forbidden else { return .refused(error.code) }
      guard let scan, scan.count(.dangerous) > 0 else {
        throw Violation("the scan has nothing to say of what is refused: \(error)")
      }
      do {
        try file.check(droppingUnsafe: true)
      } catch let error as CheckpointError { return .refused(error.code) }
      return .refused(.forbidden)
    }
    return .survived
  }

  /// Converts a `.pt` file with these options.
  package static func converted(
    _ bytes: [UInt8], options: SafetensorsOptions
  ) throws -> [UInt8] {
    let checkpoint = try TorchReader.read(TemporaryFile.holding(bytes))
    guard let file = try written(try SafetensorsEncoder.encode(checkpoint, options: options).plan)
    else { return [] }
    return try file.bytes(in: 0..<file.byteCount)
  }

  private func check(droppingUnsafe: Bool) throws {
    let checkpoint = try CheckpointFile.read(
      file, .init(dropsUnsafe: droppingUnsafe, ignoresSkeleton: ignoresSkeleton))
    try describe(checkpoint)
    if checkpoint.container?.format == .torch {
      try checkTorch(checkpoint)
    } else {
      try checkSafetensors(checkpoint)
    }
  }

  private func checkTorch(_ checkpoint: Checkpoint) throws {
    _ = try? SafetensorsEncoder.encode(
      checkpoint, options: .init(layout: layout, includesSkeleton: false, allowsLoss: true))
    let plan = try SafetensorsEncoder.encode(checkpoint, options: .init(layout: layout)).plan
    guard let file = try Self.written(plan) else { return }
    let back = try Self.require("its own safetensors") { () throws(CheckpointError) in
      try SafetensorsReader.read(file)
    }
    try Self.compare(checkpoint.graph, back.graph)
    let archive = try Self.require("its own skeleton") { () throws(CheckpointError) -> FilePlan? in
      do throws(CheckpointError) {
        return try CheckpointFile.encode(back, as: .torch, .init()).plan
      } catch {
        // Objects of Python 2's own form, and names that this protocol has no way to write.
        guard error.code == .unsupported else { throw error }
        return nil
      }
    }
    if let archive { try checkArchive(archive, of: checkpoint) }
    for container in TorchContainer.allCases { try checkOther(container, back) }
  }

  /// Writes a checkpoint to a container that may be another than its own, whose file must be readable.
  ///
  /// Storages have other ids there, so that the objects are not the same.
  private func checkOther(_ container: TorchContainer, _ checkpoint: Checkpoint) throws {
    var options = EncodingOptions()
    options.torchContainer = container
    let plan: FilePlan
    do {
      plan = try CheckpointFile.encode(checkpoint, as: .torch, options).plan
    } catch {
      guard error.code == .unsupported else { throw error }
      return
    }
    guard let file = try Self.written(plan) else { return }
    let read = try Self.require("its own \(container) file") { () throws(CheckpointError) in
      try CheckpointFile.read(file)
    }
    guard read.graph.tensors.count >= checkpoint.graph.reachableTensors().count else {
      throw Violation("there are fewer tensors in its own \(container) file")
    }
  }

  private func checkSafetensors(_ checkpoint: Checkpoint) throws {
    try checkArchive(
      try CheckpointFile.encode(checkpoint, as: .torch, .init()).plan, of: checkpoint)
  }

  private func checkArchive(_ plan: FilePlan, of checkpoint: Checkpoint) throws {
    guard let archive = try Self.written(plan) else { return }
    let back = try Self.require("its own archive") { () throws(CheckpointError) in
      try CheckpointFile.read(archive)
    }
    try Self.compare(checkpoint.graph, back.graph)
  }

  /// Makes what `inspect` prints of tensors and values.
  private func describe(_ checkpoint: Checkpoint) throws(CheckpointError) {
    for leaf in try LeafWalk.leaves(of: checkpoint.graph).all {
      _ = checkpoint.graph.description(of: leaf.node, limit: 100)
    }
  }

  /// The output of a plan, or `nil` when it is too large.
  private static func written(_ plan: FilePlan) throws(CheckpointError) -> (any ByteSource)? {
    guard plan.byteCount <= outputByteCount else { return nil }
    return try TemporaryOutput.holding(plan, budget: CopyBudget(threads: 1))
  }

  private static func compare(_ first: TensorGraph, _ second: TensorGraph) throws {
    let comparison = try require("a comparison") { () throws(CheckpointError) in
      try GraphComparison(.init(first, .objects), .init(second, .objects))
    }
    guard comparison.differences.isEmpty else {
      throw Violation(
        "it is not the same any more: \(comparison.differences.first)")
    }
  }

  /// The result of `body`, which has no excuse to fail.
  private static func require<Result>(
    _ what: String, _ body: () throws(CheckpointError) -> Result
  ) throws(Violation) -> Result {
    do {
      return try body()
    } catch {
      throw Violation("\(what) is refused: \(error)")
    }
  }
}
