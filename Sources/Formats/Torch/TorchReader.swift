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
      let (graph, version, dropped) = try readGraph(of: archive, dropsUnsafe: dropsUnsafe)
      let description = try archive.describe(pickleProtocol: version)
      let used = Set(graph.storages.map(\.region.name))
      return Checkpoint(
        graph: graph,
        source: SourceDescription(container: .torch(description), byteCount: file.byteCount),
        unusedRegions: archive.storageRegions.filter { !used.contains($0.name) },
        warnings: warnings(graph, description, dropped: dropped))
    }
  }

  private static func readGraph(
    of archive: TorchArchive, dropsUnsafe: Bool
  ) throws(FormatError) -> (TensorGraph, Int, dropped: [String]) {
    try FormatError.within(archive.pickleEntryName) { () throws(FormatError) in
      let bytes = try archive.readPickle()
      var unpickler = Unpickler(unsafeGlobals: dropsUnsafe ? .drop : .refuse)
      var reader = ByteReader(bytes.span)
      let root = try unpickler.load(&reader)
      let (version, dropped) = (unpickler.pickleProtocol, unpickler.dropped)
      var graph = unpickler.finish()
      graph.root = root
      var recogniser = TensorRecogniser(graph: consume graph, archive: archive)
      try recogniser.recognise()
      return (recogniser.finish(), version, dropped)
    }
  }

  private static func warnings(
    _ graph: TensorGraph, _ archive: TorchArchiveDescription, dropped: [String]
  ) -> [String] {
    var warnings = dropped.map {
      "global '\($0)' exists to run code; it and what is made with it became None"
    }
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
