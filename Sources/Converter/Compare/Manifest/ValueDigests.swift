internal import CkptBase
internal import CkptGraph

/// Computes the SHA-256 of Python values, independent of the pickle.
///
/// A value is hashed as one letter for its type, followed by its content. The content of a
/// container is the digests of its members, so a shared value is hashed once.
/// `Documentation/manifest.md` has the table.
struct ValueDigests {
  private let graph: TensorGraph
  /// The digests of containers; `nil` for those that contain themselves.
  private var known: [NodeID: SHA256.Digest?] = [:]
  /// The containers that are being hashed.
  private var open: Set<NodeID> = []
  /// The numbers of storages, in the order of their first use.
  private let storageNumbers: [StorageID: Int]

  init(of graph: TensorGraph) {
    self.graph = graph
    var numbers: [StorageID: Int] = [:]
    for id in graph.reachableTensors() {
      guard let storage = graph[id].storage, numbers[storage] == nil else { continue }
      numbers[storage] = numbers.count
    }
    storageNumbers = numbers
  }

  /// Returns the digest of a value, or `nil` for one that contains itself.
  mutating func digest(of root: NodeID) -> SHA256.Digest? {
    var pending = [root]
    while let id = pending.last {
      guard isContainer(id), known[id] == nil else {
        pending.removeLast()
        continue
      }
      let children = children(of: id)
      if open.insert(id).inserted {
        // An open child contains this value, which therefore gets no digest.
        for child in children where isContainer(child) && known[child] == nil {
          if open.contains(child) { known[id] = .some(nil) } else { pending.append(child) }
        }
      } else {
        pending.removeLast()
        open.remove(id)
        if known[id] == nil { known[id] = .some(combine(id, children)) }
      }
    }
    return finished(root)
  }

  // MARK: Containers

  private func isContainer(_ id: NodeID) -> Bool {
    switch graph[id] {
    case .tuple, .list, .dict, .set, .frozenSet, .object, .global, .persistent: true
    case .none, .bool, .int, .largeInt, .float, .string, .bytes, .byteArray, .tensor: false
    }
  }

  private func children(of id: NodeID) -> [NodeID] {
    switch graph[id] {
    case .tuple(let run), .list(let run), .dict(let run), .set(let run), .frozenSet(let run):
      return Array(graph[run])
    case .global(let module, let name): return [module, name]
    case .persistent(let key):
      // The key of a storage is specific to the file.
      guard let parts = graph.tuple(key), parts.count > 2 else { return [key] }
      return Array(parts.prefix(2) + parts.dropFirst(3))
    case .object(let id):
      let object = graph[id]
      var children = [object.callable, object.arguments]
      if let keywords = object.keywords { children.append(keywords) }
      children += graph[object.items] + graph[object.pairs]
      if let state = object.state { children.append(state) }
      return children
    case .none, .bool, .int, .largeInt, .float, .string, .bytes, .byteArray, .tensor: return []
    }
  }

  private func combine(_ id: NodeID, _ children: [NodeID]) -> SHA256.Digest? {
    var digests: [SHA256.Digest] = []
    for child in children {
      guard let digest = finished(child) else { return nil }
      digests.append(digest)
    }
    switch graph[id] {
    case .tuple: return hash("(", digests)
    case .list: return hash("[", digests)
    case .dict: return hash("{", digests)
    case .set: return hash("<", digests.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) })
    case .frozenSet:
      return hash(">", digests.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) })
    case .global: return hash("G", digests)
    case .persistent: return hash("P", digests)
    case .object(let objectID): return hash(graph[objectID], digests)
    case .none, .bool, .int, .largeInt, .float, .string, .bytes, .byteArray, .tensor: return nil
    }
  }

  /// Hashes a construction as a tuple of its seven parts, with None for missing ones.
  private func hash(_ object: ObjectNode, _ digests: [SHA256.Digest]) -> SHA256.Digest {
    var rest = digests[...]
    var parts = [scalar("S", Array(object.form.word.utf8)), rest.removeFirst(), rest.removeFirst()]
    let none = scalar("N", [])
    parts.append(object.keywords == nil ? none : rest.removeFirst())
    parts.append(hash("[", Array(rest.prefix(Int(object.items.count)))))
    rest = rest.dropFirst(Int(object.items.count))
    parts.append(hash("{", Array(rest.prefix(Int(object.pairs.count)))))
    parts.append(object.state == nil ? none : rest[rest.endIndex - 1])
    return hash("O", parts)
  }

  private func hash(_ letter: Unicode.Scalar, _ digests: [SHA256.Digest]) -> SHA256.Digest {
    scalar(letter, digests.flatMap(\.bytes))
  }

  // MARK: Scalars

  private func finished(_ id: NodeID) -> SHA256.Digest? {
    if isContainer(id) { return known[id] ?? nil }
    switch graph[id] {
    case .bool(let value): return scalar(value ? "T" : "F", [])
    case .int(let value): return scalar("I", Self.twosComplement(value))
    case .largeInt(let run): return scalar("I", Array(graph[run]))
    case .float(let value): return scalar("D", Self.littleEndian(value.bitPattern))
    case .string(let run): return scalar("S", Array(graph[run]))
    case .bytes(let run): return scalar("B", Array(graph[run]))
    case .byteArray(let run): return scalar("Y", Array(graph[run]))
    case .tensor(let id): return scalar("X", Array(text(of: graph[id]).utf8))
    default: return scalar("N", [])
    }
  }

  /// Returns the description of a tensor without its bytes.
  private func text(of tensor: Tensor) -> String {
    let storage =
      tensor.storage.map { "\(storageNumbers[$0] ?? 0) \(graph[$0].location)" } ?? "none"
    let flags = [
      (tensor.requiresGradient, "requires_grad"), (tensor.isConjugated, "conj"),
      (tensor.isNegated, "neg"),
    ]
    let words =
      [
        tensor.dtype.name, tensor.shape.map(String.init).joined(separator: ","),
        tensor.strides.map(String.init).joined(separator: ","), String(tensor.offset), storage,
      ] + flags.filter(\.0).map(\.1)
    return words.joined(separator: " ")
  }

  private func scalar(_ letter: Unicode.Scalar, _ content: [UInt8]) -> SHA256.Digest {
    let bytes = [UInt8(ascii: letter)] + content
    return SHA256.digest(of: bytes.span.raw)
  }

  private static func littleEndian(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// Returns the shortest little-endian two's complement, as in pickles; empty for 0.
  private static func twosComplement(_ value: Int) -> [UInt8] {
    guard value != 0 else { return [] }
    var bytes = littleEndian(UInt64(bitPattern: Int64(value)))
    let filler: UInt8 = value < 0 ? 0xff : 0
    while bytes.count > 1, bytes[bytes.count - 1] == filler,
      bytes[bytes.count - 2] & 0x80 == filler & 0x80
    {
      bytes.removeLast()
    }
    return bytes
  }
}

extension ObjectNode.Form {
  /// The name of the step in manifests.
  fileprivate var word: String {
    switch self {
    case .call: "call"
    case .new: "new"
    case .newWithKeywords: "new_ex"
    case .instance: "instance"
    }
  }
}
