public import Bytes
public import Graph

/// Reads a safetensors file's structure, in either layout, without its tensor data.
public enum SafetensorsReader: Sendable {
  /// The contents of a safetensors file.
  ///
  /// With a skeleton it is the object that the file was made from, as far as the tensors still
  /// allow it; without one a dict of tensors, nested for layout `olmo`.
  ///
  /// - Returns: the graph and what to tell of its file.
  /// - Throws: ``FormatError`` with the file and the tensor in its path.
  public static func read(
    _ file: SourceFile, _ options: ReadingOptions = ReadingOptions()
  ) throws(FormatError) -> Checkpoint {
    try FormatError.within(file.path) { () throws(FormatError) in
      let header = try SafetensorsHeader.read(file)
      let data = EntryData(file: file, start: 8 + header.byteCount)
      if !options.ignoresSkeleton, let text = header.skeleton {
        return try object(text, header, data, options)
      }
      return try entries(header, data, options)
    }
  }

  /// The dict that the entries stand for.
  private static func entries(
    _ header: SafetensorsHeader.Contents, _ data: EntryData, _ options: ReadingOptions
  ) throws(FormatError) -> Checkpoint {
    let isOLMo = header.entries.contains { OLMoNameDecoder.isOLMo($0.name) }
    var builder = EntryGraphBuilder(
      data, count: header.entries.count, dropsUnsafe: options.dropsUnsafe)
    for entry in header.entries {
      try FormatError.within("tensor '\(entry.name)'") { () throws(FormatError) in
        try isOLMo ? builder.addKeyed(entry) : builder.addNamed(entry)
      }
    }
    let warnings = builder.warnings
    return Checkpoint(
      graph: try builder.finish(),
      source: source(header, data, layout: isOLMo ? .olmo : .plain, origin: nil),
      warnings: warnings)
  }

  /// The object that the skeleton describes.
  private static func object(
    _ skeleton: String, _ header: SafetensorsHeader.Contents, _ data: EntryData,
    _ options: ReadingOptions
  ) throws(FormatError) -> Checkpoint {
    try FormatError.within(SkeletonWriter.metadataKey) { () throws(FormatError) in
      let skeleton = try SkeletonReader.read(skeleton, droppingUnsafe: options.dropsUnsafe)
      let (layout, warnings) = (skeleton.layout, skeleton.warnings)
      var binder = SkeletonBinder(skeleton, header.entries, data, options)
      try binder.bind()
      return Checkpoint(
        graph: binder.graph, source: source(header, data, layout: layout, origin: binder.archive),
        copies: binder.copies, warnings: warnings + binder.warnings)
    }
  }

  private static func source(
    _ header: SafetensorsHeader.Contents, _ data: EntryData, layout: Layout,
    origin: TorchArchiveDescription?
  ) -> SourceDescription {
    let description = SafetensorsDescription(
      layout: layout.rawValue, headerByteCount: header.byteCount, metadata: header.metadata,
      hasMetadata: header.hasMetadata, origin: origin)
    return SourceDescription(
      container: .safetensors(description), byteCount: data.file.byteCount)
  }
}
