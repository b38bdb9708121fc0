internal import CkptBase
internal import CkptGraph
internal import CkptJSON

/// The call that rebuilds the tensors of a form, without the key of the storage.
struct TensorCall {
  var function: NodeID
  var kind: NodeID
  var storageClass: NodeID
  var location: NodeID
  var elementCount: NodeID
  var offset: NodeID
  var shape: NodeRun
  var strides: NodeRun
  var requiresGradient: NodeID
  var hooks: NodeID
  var others: NodeRun
}

/// Tensors that are written by their forms.
extension SkeletonNodes {
  /// Reads the table of forms.
  ///
  /// - Throws: `malformed` with the number of the form for one without all parts.
  mutating func readForms(_ json: inout JSONReader) throws(CheckpointError) {
    try json.beginArray()
    while try json.nextElement() {
      do throws(CheckpointError) {
        try json.beginArray()
        forms.append(try form(&json))
      } catch {
        throw error.framed(by: "form \(forms.count)")
      }
    }
  }

  private mutating func form(_ json: inout JSONReader) throws(CheckpointError) -> TensorCall {
    let call = TensorCall(
      function: try part(&json, "the function"), kind: try part(&json, "the kind"),
      storageClass: try part(&json, "the class"), location: try part(&json, "the location"),
      elementCount: try part(&json, "the number of elements"),
      offset: try part(&json, "the offset"), shape: try parts(&json, "the shape"),
      strides: try parts(&json, "the strides"), requiresGradient: try part(&json, "the flag"),
      hooks: try part(&json, "the class of hooks"), others: try run(&json))
    // They are copied for each tensor of the form.
    guard call.others.count <= Limits.knownArguments else {
      throw CheckpointError(
        .limitExceeded, "a form has more than \(Limits.knownArguments) arguments", at: json.offset)
    }
    return call
  }

  private mutating func part(
    _ json: inout JSONReader, _ what: String
  ) throws(CheckpointError) -> NodeID {
    try next(&json, what)
    return try value(&json)
  }

  private mutating func parts(
    _ json: inout JSONReader, _ what: String
  ) throws(CheckpointError) -> NodeRun {
    try next(&json, what)
    try json.beginArray()
    return try run(&json)
  }

  /// Reads a tensor that is written by its form, from the number of the form on.
  mutating func readTensorByForm(
    _ id: NodeID, _ json: inout JSONReader
  ) throws(CheckpointError) {
    let number = try json.count()
    guard number < forms.count else {
      throw CheckpointError(
        .malformed, "form \(number) does not exist; there are \(forms.count)", at: json.offset)
    }
    var key: NodeID?
    var place = Place.path
    if try json.nextElement() {
      key = try json.readNull() ? nil : try readKey(&json)
      if try json.nextElement() {
        place = .entry(try json.string())
        try endArray(&json)
      }
    }
    if let key {
      try build(forms[number], key: key, at: id)
    } else {
      try build(forms[number], key: followingKey(), at: id)
    }
    tensors.append(.init(node: id, place: place, hasConstruction: true))
  }

  /// Reads the key of a storage, and makes the next number the default key.
  private mutating func readKey(_ json: inout JSONReader) throws(CheckpointError) -> NodeID {
    let isText = try json.peek() == UInt8(ascii: "\"")
    let key = try value(&json)
    if isText, case .string(let text) = graph[key], let number = DecimalKey.number(graph[text]) {
      nextKey = number + 1
    }
    return key
  }

  /// Makes the default key of the next storage.
  private mutating func followingKey() throws(CheckpointError) -> NodeID {
    defer { nextKey += 1 }
    return try graph.addString(String(nextKey))
  }

  /// Builds the call that rebuilds a tensor.
  private mutating func build(
    _ form: TensorCall, key: NodeID, at id: NodeID
  ) throws(CheckpointError) {
    let identity = try tuple([
      form.kind, form.storageClass, key, form.location, form.elementCount,
    ])
    let hooks = try graph.add(
      ObjectNode(form: .call, callable: form.hooks, arguments: TensorGraph.emptyTuple))
    let start = open.count
    open.append(try graph.add(.persistent(identity)))
    open.append(form.offset)
    open.append(try tuple(form.shape))
    open.append(try tuple(form.strides))
    open.append(form.requiresGradient)
    open.append(hooks)
    open.append(contentsOf: graph[form.others])
    let arguments = graph.addChildren(open[start...])
    open.removeLast(open.count - start)
    graph.place(
      ObjectNode(form: .call, callable: form.function, arguments: try tuple(arguments)), at: id)
  }

  private mutating func tuple(_ items: [NodeID]) throws(CheckpointError) -> NodeID {
    try tuple(graph.addChildren(items[...]))
  }

  /// Makes a tuple; other tuples can have the same run of children.
  private mutating func tuple(_ run: NodeRun) throws(CheckpointError) -> NodeID {
    run.count == 0 ? TensorGraph.emptyTuple : try graph.add(.tuple(run))
  }
}
