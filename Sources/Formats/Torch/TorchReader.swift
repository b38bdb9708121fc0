public import Bytes
public import Graph
internal import Pickle

/// Reads what `torch.save` wrote, without its tensor data and without running anything.
public enum TorchReader: Sendable {
  /// The contents of a `.pt` file.
  ///
  /// - Parameters:
  ///   - file: an archive of `torch.save` or `torch.jit.save`.
  ///   - dropsUnsafe: puts `None` where the pickle names something that exists to run code.
  /// - Returns: the graph and what to tell of its file.
  /// - Throws: ``FormatError`` with the file and the archive entry in its path.
  public static func read(
    _ file: SourceFile, droppingUnsafe dropsUnsafe: Bool = false
  ) throws(FormatError) -> Checkpoint {
    try FormatError.within(file.path) { () throws(FormatError) in
      let archive = try TorchArchive(reading: file)
      let pickle = try archive.readPickle()
      let (graph, version, pickleWarnings) = try readGraph(
        of: archive, pickle, dropsUnsafe: dropsUnsafe)
      var description = try archive.describe(pickleProtocol: version)
      // What could not be written again is not read.
      try description.validateNames()
      // What was dropped from the object must not come back with its spelling.
      if !dropsUnsafe { description.pickleBytes = pickle }
      let used = Set(graph.storages.compactMap(\.region?.name))
      return Checkpoint(
        graph: graph,
        source: SourceDescription(container: .torch(description), byteCount: file.byteCount),
        unusedRegions: archive.storageRegions.filter { !used.contains($0.name) },
        warnings: pickleWarnings + warnings(graph, description))
    }
  }

  private static func readGraph(
    of archive: TorchArchive, _ bytes: [UInt8], dropsUnsafe: Bool
  ) throws(FormatError) -> (TensorGraph, Int, warnings: [String]) {
    try FormatError.within(archive.pickleEntryName) { () throws(FormatError) in
      var unpickler = Unpickler(unsafeGlobals: dropsUnsafe ? .drop : .refuse)
      var reader = ByteReader(bytes.span)
      let root = try unpickler.load(&reader)
      let (version, warnings) = (unpickler.pickleProtocol, unpickler.warnings)
      var graph = unpickler.finish()
      graph.root = root
      var recogniser = TensorRecogniser(graph: consume graph, storages: archive)
      try recogniser.recognise()
      return (recogniser.finish(), version, warnings)
    }
  }

  private static func warnings(
    _ graph: TensorGraph, _ archive: TorchArchiveDescription
  ) -> [String] {
    var warnings: [String] = []
    if !archive.hasChecksums {
      warnings.append("the archive has no checksums: damage to its data cannot be noticed")
    }
    if !graph.discarded.isEmpty {
      let calls = graph.discarded.prefix(3).map { graph.description(of: $0, limit: 60) }
      warnings.append(
        "the pickle throws away the results of \(graph.discarded.count) calls: "
          + calls.joined(separator: ", "))
    }
    return warnings
  }
}
