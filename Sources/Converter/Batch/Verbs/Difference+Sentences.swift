internal import Converter

extension [Difference] {
  /// What differs, a sentence for each difference, and one for those of `count` that are not here.
  func sentences(of count: Int) -> [String] {
    let more = count - self.count
    return map(\.sentence) + (more > 0 ? ["\(more) more differences"] : [])
  }
}

extension Difference {
  /// What differs, on one line.
  fileprivate var sentence: String {
    switch (first, second) {
    case (let first?, let second?):
      "'\(place)' differs in \(kind.rawValue): \(first) against \(second)"
    case (let first?, nil): "'\(place)' is missing: \(first)"
    case (nil, let second): "'\(place)' is extra: \(second ?? "nothing")"
    }
  }
}
