package import CkptBase
internal import CkptPickle

/// The parts of a legacy file that torch.load reads, with their places: for those who look into every
/// byte of a file, such as a scan.
///
/// Pickles are followed whatever they name. The outline ends with the first part that cannot be
/// followed, and ``fault`` says why. Nobody reads the bytes from ``end`` on.
package struct LegacyOutline: Sendable {
  /// A pickle, or a storage with the eight bytes of its length in front.
  package struct Part: Sendable {
    /// The name: one of `TorchArchiveDescription.legacyPickles`, or `data/` with the key of a storage.
    package let name: String
    /// The place in the file, in bytes.
    package let range: Range<Int>
    /// Whether it is a pickle.
    package let isPickle: Bool
  }

  /// The parts in the order of the file: up to five pickles, then storages.
  package let parts: [Part]
  /// The reason why there are no more parts, where the file is not whole and sound.
  package let fault: CheckpointError?

  /// The end of the last part, in bytes.
  package var end: Int { parts.last?.range.upperBound ?? 0 }

  /// The outline of a source that begins like a legacy file.
  ///
  /// - Throws: `inputOutput` when the source cannot be read.
  package init(of source: any ByteSource) throws(CheckpointError) {
    var reader = LegacyReader(source, .report)
    var fault: CheckpointError?
    do throws(CheckpointError) {
      _ = try reader.readParts()
    } catch {
      guard error.code.isOfTheInput else { throw error }
      fault = error
    }
    parts = reader.parts
    self.fault = fault
  }
}
