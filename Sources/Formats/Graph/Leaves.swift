/// The leaves of a graph in order, with the paths that lead to them.
///
/// Paths share their beginnings, so that a million values under one key take one step each.
public struct Leaves: Sendable {
  /// One step of a path, the container it leads out of, and the number of the step before it.
  package struct Step: Sendable {
    package var previous: Int32
    package var container: NodeID
    package var component: PathComponent
  }

  /// The number that stands for the root, where paths begin.
  package static let root: Int32 = -1

  /// The leaves in order.
  public package(set) var all: [Leaf] = []
  package var steps: [Step] = []

  /// The number of steps from the root to the step `last`.
  func stepCount(to last: Int32) -> Int {
    var count = 0
    var step = last
    while step != Self.root {
      count += 1
      step = steps[Int(step)].previous
    }
    return count
  }

  /// The last step to a leaf, or `nil` for the root.
  package func lastStep(to leaf: Leaf) -> Step? {
    leaf.lastStep == Self.root ? nil : steps[Int(leaf.lastStep)]
  }

  /// Every container that the walk has been in, once for each path to it, outer ones first.
  package var containers: [(node: NodeID, path: [PathComponent])] {
    var seen: Set<Int32> = []
    var containers: [(node: NodeID, path: [PathComponent])] = []
    for step in steps where seen.insert(step.previous).inserted {
      containers.append((step.container, path(to: step.previous)))
    }
    return containers
  }

  /// The steps from the root to a leaf.
  public func path(to leaf: Leaf) -> [PathComponent] { path(to: leaf.lastStep) }

  private func path(to last: Int32) -> [PathComponent] {
    var components: [PathComponent] = []
    var step = last
    while step != Self.root {
      components.append(steps[Int(step)].component)
      step = steps[Int(step)].previous
    }
    return components.reversed()
  }
}
