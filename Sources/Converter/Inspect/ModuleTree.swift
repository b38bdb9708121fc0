internal import CkptBase

/// The modules of a model with the totals of their tensors.
///
/// Modules with numbers for names, such as layers, are one module.
package struct ModuleTree {
  /// A module with everything below it.
  package struct Module {
    /// The name below the enclosing module, such as `blocks.0-23`.
    package fileprivate(set) var name: String
    /// The number of enclosing modules.
    package let depth: Int
    /// The number of its tensors.
    package fileprivate(set) var tensorCount = 0
    /// The number of their elements.
    package fileprivate(set) var elementCount = 0
    /// Their size in bytes.
    package fileprivate(set) var byteCount = 0
    fileprivate var numbers: Set<Int> = []
    fileprivate var children: [Int] = []
  }

  /// A component of a name below a module; all numbers are equal.
  private struct Step: Hashable {
    let parent: Int
    let component: Substring
  }

  /// The maximum depth, whatever the names are.
  package static let maximumDepth = 32
  private static let number: Substring = "#"

  private var modules = [Module(name: "", depth: -1)]
  private var places: [Step: Int] = [:]

  /// Adds up tensors by the modules in their names, down to `depth`.
  package init(of tensors: [Inspection.TensorRow], depth: Int?) {
    let depth = min(depth ?? Self.maximumDepth, Self.maximumDepth)
    for tensor in tensors {
      var module = 0
      for component in Self.modules(in: tensor.name, depth: depth) {
        module = place(of: component, in: module)
        modules[module].add(tensor)
      }
    }
    for index in modules.indices where !modules[index].numbers.isEmpty {
      let range = NumberRange.text(modules[index].numbers)
      modules[index].name += modules[index].name.isEmpty ? range : ".\(range)"
    }
  }

  /// The modules, each before those inside of it.
  package var all: [Module] {
    var found: [Module] = []
    var pending = Array(modules[0].children.reversed())
    while let index = pending.popLast() {
      found.append(modules[index])
      pending += modules[index].children.reversed()
    }
    return found
  }

  /// Returns the names of the modules around a tensor, a number together with the name before it.
  ///
  /// A tensor outside of all modules counts as one.
  private static func modules(in name: String, depth: Int) -> [[Substring]] {
    let components = name.split(
      separator: ".", maxSplits: 2 * maximumDepth, omittingEmptySubsequences: false)
    var modules: [[Substring]] = []
    for component in components.dropLast(components.count > 1 ? 1 : 0) {
      if NumberedName.number(component) != nil, let last = modules.last, last.count == 1,
        NumberedName.number(last[0]) == nil
      {
        modules[modules.count - 1].append(component)
      } else {
        modules.append([component])
      }
    }
    return Array(modules.prefix(depth))
  }

  private mutating func place(of components: [Substring], in parent: Int) -> Int {
    let numbers = components.map { NumberedName.number($0) }
    let key = zip(components, numbers).map { $1 == nil ? $0 : Self.number }
      .joined(separator: ".")
    let step = Step(parent: parent, component: Substring(key))
    let index: Int
    if let known = places[step] {
      index = known
    } else {
      index = modules.count
      places[step] = index
      modules[parent].children.append(index)
      modules.append(
        Module(
          name: numbers[0] == nil ? String(components[0]) : "", depth: modules[parent].depth + 1))
    }
    for case .some(let number) in numbers { modules[index].numbers.insert(number) }
    return index
  }
}

extension ModuleTree.Module {
  fileprivate mutating func add(_ tensor: Inspection.TensorRow) {
    tensorCount += 1
    elementCount = elementCount.addingClamped(tensor.elementCount)
    byteCount = byteCount.addingClamped(tensor.byteCount)
  }
}
