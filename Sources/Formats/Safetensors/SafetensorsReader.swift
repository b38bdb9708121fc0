public import Bytes
public import Graph
internal import Pickle

/// Reads a safetensors file's structure, in either layout, without its tensor data.
public enum SafetensorsReader: Sendable {
  /// The contents of a safetensors file: a dict of tensors, nested for layout `olmo`.
  ///
  /// - Parameters:
  ///   - file: the file.
  ///   - dropsUnsafe: puts `None` where a pickle inside names something that exists to run code.
  /// - Returns: the graph and what to tell of its file.
  /// - Throws: ``FormatError`` with the file and the tensor in its path.
  public static func read(
    _ file: SourceFile, droppingUnsafe dropsUnsafe: Bool = false
  ) throws(FormatError) -> Checkpoint {
    try FormatError.within(file.path) { () throws(FormatError) in
      let header = try SafetensorsHeader.read(file)
      let isOLMo = header.entries.contains { OLMoNameDecoder.isOLMo($0.name) }
      var builder = GraphBuilder(
        file: file, dataStart: 8 + header.byteCount, isOnly: header.entries.count == 1,
        dropsUnsafe: dropsUnsafe)
      for entry in header.entries {
        try FormatError.within("tensor '\(entry.name)'") { () throws(FormatError) in
          try isOLMo ? builder.addKeyed(entry) : builder.addNamed(entry)
        }
      }
      let description = SafetensorsDescription(
        layout: (isOLMo ? Layout.olmo : .plain).rawValue, headerByteCount: header.byteCount,
        metadata: header.metadata)
      let warnings = builder.warnings
      return Checkpoint(
        graph: builder.finish(),
        source: SourceDescription(
          container: .safetensors(description), byteCount: file.byteCount),
        warnings: warnings)
    }
  }

  /// Builds the dict that a file's entries stand for.
  private struct GraphBuilder: ~Copyable {
    /// A place in a dict: the dict and the pickle of the key.
    private struct Place: Hashable {
      var dict: NodeID
      var key: [UInt8]
    }

    private var machine: Unpickler
    private let file: SourceFile
    private let dataStart: Int
    private let root: NodeID
    /// Whether the file has one entry, which alone may stand for the whole object.
    private let isOnly: Bool
    /// What stands in the places taken so far: a dict made for longer paths, or `nil` for a value.
    private var taken: [Place: NodeID?] = [:]

    init(file: SourceFile, dataStart: Int, isOnly: Bool, dropsUnsafe: Bool) {
      var graph = TensorGraph()
      root = graph.addEmptyRoot()
      machine = Unpickler(graph: graph, unsafeGlobals: dropsUnsafe ? .drop : .refuse)
      self.file = file
      self.dataStart = dataStart
      self.isOnly = isOnly
    }

    var warnings: [String] { machine.warnings }

    consuming func finish() -> TensorGraph { machine.finish() }

    mutating func addNamed(_ entry: SafetensorsHeaderEntry) throws(FormatError) {
      let key = try machine.graph.addString(entry.name)
      try set(key, to: tensor(entry), in: root)
    }

    mutating func addKeyed(_ entry: SafetensorsHeaderEntry) throws(FormatError) {
      let key = try OLMoNameDecoder.decode(entry.name, with: &machine)
      let value = try key.isPickled ? unpickled(entry) : tensor(entry)
      guard let last = key.path.last else {
        guard isOnly else { throw Self.conflict }
        machine.graph.root = value
        return
      }
      let parent = try dict(at: key.path.dropLast())
      guard taken.updateValue(nil, forKey: try place(of: last, in: parent)) == nil else {
        throw Self.conflict
      }
      try set(last, to: value, in: parent)
    }

    /// The dict that a path of keys leads to, made where it does not exist.
    private mutating func dict(at path: ArraySlice<NodeID>) throws(FormatError) -> NodeID {
      var parent = root
      for key in path {
        let place = try place(of: key, in: parent)
        if let known = taken[place] {
          guard let dict = known else { throw Self.conflict }
          parent = dict
        } else {
          let child = try machine.graph.add(.dict(.empty))
          try set(key, to: child, in: parent)
          taken[place] = child
          parent = child
        }
      }
      return parent
    }

    private func place(of key: NodeID, in dict: NodeID) throws(FormatError) -> Place {
      Place(
        dict: dict,
        key: try Pickler.pickle(key, of: machine.graph, protocol: TensorNames.olmoProtocol))
    }

    private static var conflict: FormatError {
      FormatError(.malformed, "another tensor has the same keys, or some of them")
    }

    private mutating func set(
      _ key: NodeID, to value: NodeID, in dict: NodeID
    ) throws(FormatError) {
      guard case .dict(var run) = machine.graph[dict] else { return }
      machine.graph.append([key, value], to: &run)
      machine.graph.replace(dict, with: .dict(run))
    }

    private mutating func tensor(_ entry: SafetensorsHeaderEntry) throws(FormatError) -> NodeID {
      let dtype = entry.dtype.torchDType
      var shape = entry.shape
      // The header counts values, PyTorch's packed dtype counts bytes of two.
      if entry.dtype == .f4, let last = shape.popLast() { shape.append(last / 2) }
      var strides = [Int](repeating: 1, count: shape.count)
      for index in shape.indices.dropLast().reversed() {
        // A tensor without elements may have sizes of any product.
        let (stride, overflow) = strides[index + 1].multipliedReportingOverflow(
          by: max(shape[index + 1], 1))
        strides[index] = overflow ? .max : stride
      }
      let storage = machine.graph.add(
        Storage(
          key: entry.name, dtype: dtype, location: "cpu", byteCount: entry.range.count,
          region: FileRegion(
            file: file,
            range: dataStart + entry.range.lowerBound..<dataStart + entry.range.upperBound,
            name: entry.name),
          isBigEndian: false))
      let node = try machine.graph.add(.none)
      machine.graph.add(
        Tensor(
          node: node, dtype: dtype, shape: shape, strides: strides, offset: 0, storage: storage))
      return node
    }

    /// The value whose pickle is an entry's data.
    private mutating func unpickled(
      _ entry: SafetensorsHeaderEntry
    ) throws(FormatError) -> NodeID {
      guard entry.dtype == .u8, entry.range.count <= Limits.pickleBytes else {
        throw FormatError(
          .malformed, "a pickled value is \(entry.dtype.rawValue) of \(entry.range.count) bytes")
      }
      let start = dataStart + entry.range.lowerBound
      let bytes = try file.bytes(in: start..<start + entry.range.count)
      var reader = ByteReader(bytes.span, base: start)
      return try machine.load(&reader)
    }
  }
}
