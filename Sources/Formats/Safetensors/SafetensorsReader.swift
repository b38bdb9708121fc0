package import CkptBase
package import CkptContainer
internal import CkptGraph
internal import CkptPickle
internal import CkptSkeleton

/// Reads the structure of a safetensors file in any layout, without tensor data.
package enum SafetensorsReader: Sendable {
  /// Reads a safetensors file.
  ///
  /// With a skeleton, the result is the object that the file was made from, as far as the tensors
  /// still match. Without one it is a dict of tensors, nested for the layout `olmo`.
  ///
  /// - Returns: the contents, the description of the file, and warnings.
  /// - Throws: ``CheckpointError`` with the file and the tensor in its path.
  package static func read(
    _ source: any ByteSource, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) -> Checkpoint {
    try read(SourceLook(at: source), options)
  }

  /// Reads a safetensors file after a first look.
  ///
  /// - Throws: the errors of ``read(_:_:)-(any ByteSource,_)``.
  static func read(
    _ look: SourceLook, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    try CheckpointError.within(look.source.name) { () throws(CheckpointError) in
      let header = try SafetensorsHeader.read(look)
      let data = EntryData(source: look.source, start: 8 + header.byteCount)
      if !options.ignoresSkeleton, let text = header.skeleton {
        return try object(text, header, data, options)
      }
      return try entries(header, data, options)
    }
  }

  /// Returns the dict of the entries.
  private static func entries(
    _ header: SafetensorsHeader.Contents, _ data: EntryData, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    let isOLMo = header.entries.contains { OLMoNameDecoder.isOLMo($0.name) }
    var builder = EntryGraphBuilder(
      data, count: header.entries.count, dropsUnsafe: options.dropsUnsafe)
    for entry in header.entries {
      try CheckpointError.within("tensor '\(entry.name)'") { () throws(CheckpointError) in
        try isOLMo ? builder.addKeyed(entry) : builder.addNamed(entry)
      }
    }
    if !isOLMo { try builder.addAliases(header) }
    let warnings = builder.warnings
    return Checkpoint(
      graph: try builder.finish(),
      container: container(header, isOLMo ? .olmo : .plain), byteCount: data.source.byteCount,
      warnings: warnings)
  }

  /// Returns the object that the skeleton describes.
  private static func object(
    _ skeleton: String, _ header: SafetensorsHeader.Contents, _ data: EntryData,
    _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    try CheckpointError.within(SkeletonWriter.metadataKey) { () throws(CheckpointError) in
      let skeleton = try SkeletonReader.read(
        skeleton, fileByteCount: data.source.byteCount, droppingUnsafe: options.dropsUnsafe)
      let (layout, warnings) = (skeleton.layout, skeleton.warnings)
      var binder = SkeletonBinder(skeleton, header.entries, data, options)
      try binder.bind()
      return Checkpoint(
        graph: binder.machine.graph, container: container(header, layout, origin: binder.origin),
        byteCount: data.source.byteCount, copies: binder.copies,
        warnings: warnings + binder.warnings)
    }
  }

  private static func container(
    _ header: SafetensorsHeader.Contents, _ layout: Layout,
    origin: (any ContainerDescription)? = nil
  ) -> SafetensorsDescription {
    SafetensorsDescription(
      layout: layout, headerByteCount: header.byteCount, metadata: header.metadata,
      hasMetadata: header.hasMetadata, origin: origin)
  }
}

/// The data of entries: tensors, and pickled values in OLMo's layout.
struct EntryData {
  let source: any ByteSource
  /// The start of the data, in bytes from the start of the file.
  let start: Int

  /// Returns the region of an entry's bytes.
  func region(of entry: SafetensorsHeaderEntry) -> FileRegion {
    FileRegion(
      source: source,
      range: start + entry.range.lowerBound..<start + entry.range.upperBound, name: entry.name)
  }

  /// Returns the tensor for an entry without other information, over a new storage.
  ///
  /// The shape and strides of the `last` tensor are reused if they are equal.
  func tensor(
    _ entry: SafetensorsHeaderEntry, node: NodeID, in graph: inout TensorGraph,
    _ last: inout PackedShape
  ) -> Tensor {
    let dtype = entry.dtype.torchDType
    var shape = entry.shape
    // The header counts values, PyTorch's packed dtype counts bytes of two values.
    if entry.dtype == .f4, let last = shape.popLast() { shape.append(last / 2) }
    let storage = graph.add(
      Storage(
        key: entry.name, dtype: dtype, location: "cpu", byteCount: entry.range.count,
        region: region(of: entry), isBigEndian: false))
    if last.shape != shape { last = PackedShape(shape) }
    return Tensor(
      node: node, dtype: dtype, shape: last.shape, strides: last.strides, offset: 0,
      storage: storage)
  }

  /// Returns the bytes of an entry that is a pickled value.
  ///
  /// - Throws: `malformed` for an entry that cannot be one.
  func pickle(of entry: SafetensorsHeaderEntry) throws(CheckpointError) -> [UInt8] {
    guard entry.dtype == .u8, entry.range.count <= Limits.pickleBytes else {
      throw CheckpointError(
        .malformed, "a pickled value is \(entry.dtype.name) of \(entry.range.count) bytes")
    }
    return try source.bytes(in: region(of: entry).range)
  }

  /// Returns the value whose pickle is the data of an entry.
  ///
  /// - Throws: `malformed` for an entry that is not a pickle, `forbidden` for one that can run
  ///   code.
  func value(
    of entry: SafetensorsHeaderEntry, with machine: inout Unpickler
  ) throws(CheckpointError) -> NodeID {
    let bytes = try pickle(of: entry)
    var reader = ByteReader(bytes.span, base: start + entry.range.lowerBound)
    return try machine.loadWhole(&reader)
  }
}

/// A shape with its packed strides.
struct PackedShape {
  let shape: [Int]
  let strides: [Int]

  init(_ shape: [Int] = []) {
    self.shape = shape
    strides = Tensor.packedStrides(shape)
  }
}

/// The entries of a header, by name.
struct EntryTable {
  /// The entries in the order of the header.
  let all: [SafetensorsHeaderEntry]
  private var names: TextTable

  init(_ entries: [SafetensorsHeaderEntry]) {
    all = entries
    names = TextTable(expectedCount: entries.count)
    for (index, entry) in entries.enumerated() {
      _ = names.update(index, hash: TextTable.hash(entry.name.utf8.span)) {
        ExactString(entries[$0].name) == ExactString(entry.name)
      }
    }
  }

  /// Returns the index of the entry with exactly that name.
  func index(of name: String) -> Int? {
    names.number(hash: TextTable.hash(name.utf8.span)) {
      ExactString(all[$0].name) == ExactString(name)
    }
  }
}

extension SafetensorsHeaderEntry {
  /// Whether the header describes the elements of `tensor` in this way.
  func describes(_ tensor: Tensor) -> Bool {
    if SafetensorsDType(tensor.dtype) == dtype, dtype != .f4 { return tensor.shape == shape }
    let form = EntryForm(of: tensor)
    return form.dtype == dtype && form.shape == shape
  }
}
