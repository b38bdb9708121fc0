internal import CkptBase
internal import CkptGraph
internal import CkptJSON

/// The call that rebuilds a tensor, without the key of its storage.
///
/// Many tensors have equal forms, and a skeleton has each form once. The call is
/// `function(storage, offset, size, stride, requires_grad, hooks)`, possibly with more arguments.
struct TensorForm: Equatable {
  /// The function that is called.
  var function: NodeID
  /// The first part of the persistent id, the str `storage`.
  var kind: NodeID
  /// The class of the storage.
  var storageClass: NodeID
  /// The device of the storage.
  var location: NodeID
  /// The number of elements of the storage.
  var elementCount: Int
  /// The offset of the first element.
  var offset: Int
  /// The number of elements along each dimension.
  var shape: [Int]
  /// The distance between neighbors along each dimension.
  var strides: [Int]
  /// Whether autograd records operations.
  var requiresGradient: Bool
  /// The class of the empty dict of hooks.
  var hooks: NodeID
  /// The other arguments.
  var others: [NodeID] = []
}

/// The keys of storages that are decimal numbers without leading zeros.
enum DecimalKey {
  /// The longest number, in digits.
  private static let digitLimit = 15

  /// Returns the number `text`, or `nil` for other text.
  static func number(_ text: some Collection<UInt8>) -> Int? {
    guard let first = text.first, text.count <= digitLimit,
      first != UInt8(ascii: "0") || text.count == 1
    else { return nil }
    var number = 0
    for digit in text {
      guard case UInt8(ascii: "0")...UInt8(ascii: "9") = digit else { return nil }
      number = 10 * number + Int(digit - UInt8(ascii: "0"))
    }
    return number
  }
}

/// Finds the forms of tensors in a graph.
struct TensorFormFinder {
  /// The count of recent forms that are compared with a new one.
  private static let recentCount = 32

  /// The forms, by number.
  private(set) var forms: [TensorForm] = []

  /// Returns the number of a form, and whether it is new.
  mutating func number(of form: TensorForm) -> (number: Int, isNew: Bool) {
    var number = forms.count
    let end = max(0, number - Self.recentCount)
    while number > end {
      number -= 1
      if forms[number] == form { return (number, false) }
    }
    forms.append(form)
    return (forms.count - 1, true)
  }

  /// Returns the form and the key of a tensor that `object` rebuilds.
  ///
  /// Returns `nil` for another kind of call, and for a call that shares its parts with other objects.
  static func form(
    of tensor: Tensor, _ object: ObjectNode, in graph: TensorGraph, isShared: (NodeID) -> Bool
  ) -> (TensorForm, key: NodeID)? {
    func items(_ id: NodeID) -> NodeRun? {
      guard case .tuple(let run) = graph[id], run.count == 0 || !isShared(id) else { return nil }
      return run
    }
    func int(_ id: NodeID) -> Int? {
      guard case .int(let value) = graph[id], value <= SkeletonWriter.largestInlineInt else {
        return nil
      }
      return value
    }
    func areInts(_ id: NodeID) -> Bool {
      guard let run = items(id) else { return false }
      return graph[run].allSatisfy { int($0) != nil }
    }
    guard isBare(object), let arguments = items(object.arguments),
      (6...Limits.knownArguments).contains(Int(arguments.count))
    else {
      return nil
    }
    let storage = graph.child(0, of: arguments)
    guard !isShared(storage), case .persistent(let identity) = graph[storage],
      let parts = items(identity), parts.count == 5,
      let elementCount = int(graph.child(4, of: parts)),
      int(graph.child(1, of: arguments)) != nil,
      areInts(graph.child(2, of: arguments)), areInts(graph.child(3, of: arguments)),
      case .bool(let requiresGradient) = graph[graph.child(4, of: arguments)]
    else { return nil }
    let hooks = graph.child(5, of: arguments)
    guard !isShared(hooks), case .object(let hooksID) = graph[hooks], isBare(graph[hooksID]),
      let none = items(graph[hooksID].arguments), none.count == 0
    else { return nil }
    // A form must not contain tensors: their default keys depend on the order of the text.
    let others = arguments.count > 6 ? Array(graph[arguments].dropFirst(6)) : []
    guard isConstant(object.callable, of: graph), isConstant(graph.child(1, of: parts), of: graph),
      isConstant(graph[hooksID].callable, of: graph),
      others.allSatisfy({ isConstant($0, of: graph) }),
      case .string = graph[graph.child(0, of: parts)],
      case .string = graph[graph.child(3, of: parts)]
    else { return nil }
    let form = TensorForm(
      function: object.callable, kind: graph.child(0, of: parts),
      storageClass: graph.child(1, of: parts), location: graph.child(3, of: parts),
      elementCount: elementCount, offset: tensor.offset, shape: tensor.shape,
      strides: tensor.strides, requiresGradient: requiresGradient,
      hooks: graph[hooksID].callable, others: others)
    return (form, graph.child(2, of: parts))
  }

  private static func isConstant(_ id: NodeID, of graph: TensorGraph) -> Bool {
    switch graph[id] {
    case .none, .bool, .global: true
    default: false
    }
  }

  /// Whether an object is a call and nothing else.
  private static func isBare(_ object: ObjectNode) -> Bool {
    object.form == .call && object.keywords == nil && object.items.count == 0
      && object.pairs.count == 0 && object.state == nil
  }
}
