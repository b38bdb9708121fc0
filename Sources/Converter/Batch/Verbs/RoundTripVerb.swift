package import Bytes
internal import Converter
package import Formats

/// `roundtrip` as a verb of a batch.
package struct RoundTripVerb: ReadOnlyVerb {
  package let name: String
  private let layout: Layout?

  /// Round trips by way of `layout`, by default what suits each file.
  package init(name: String, layout: Layout?) {
    self.name = name
    self.layout = layout
  }

  package func work(
    on input: String, into place: OutputPlace
  ) throws(FormatError) -> any BatchWork {
    RoundTripWork(input: input, layout: layout, reads: try RoundTrip.files(of: input))
  }
}
