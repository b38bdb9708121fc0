internal import CkptBase
internal import CkptCheckpoints
internal import CkptCompare
internal import CkptConvert
package import CkptFormats

/// A verb that reads checkpoints of all formats, writes nothing, and finds problems.
package protocol ReadOnlyVerb: BatchVerb {}

extension ReadOnlyVerb {
  package var writes: Bool { false }
  package var fileExtensions: [String] { ["safetensors", "pt", "pth", "bin", "ckpt"] }

  package func takes(directoryHolding names: Set<String>) -> Bool {
    CheckpointNames.holdsStates(names)
  }

  package func takes(_ kind: FileKind) -> Bool {
    kind.format != nil
  }
}

/// Work that writes nothing.
protocol ReadOnlyWork: BatchWork {}

extension ReadOnlyWork {
  var writes: [String] { [] }

  func measure() throws(CheckpointError) -> Int { 0 }
}

extension [Difference] {
  /// Returns a notice for each difference, and one for the rest of `count`.
  func notices(of count: Int, prefix: String = "") -> [Notice] {
    let more = count - self.count
    let sentences = map(\.sentence) + (more > 0 ? ["\(more) more differences"] : [])
    return sentences.map { Notice(prefix + $0) }
  }
}

extension Difference {
  /// The difference on one line.
  fileprivate var sentence: String {
    switch (first, second) {
    case (let first?, let second?):
      "'\(place)' differs in \(kind.rawValue): \(first) and \(second)"
    case (let first?, nil): "'\(place)' is missing: \(first)"
    case (nil, let second): "'\(place)' is extra: \(second ?? "nothing")"
    }
  }
}
