/// Collects runs of bytes and the holes between them.
struct ZipRunWriter {
  private(set) var runs: [(offset: Int, bytes: [UInt8])]
  private(set) var offset: Int

  init(_ leading: [UInt8]) {
    runs = [(0, leading)]
    offset = leading.count
  }

  mutating func write(_ bytes: [UInt8]) {
    runs[runs.count - 1].bytes += bytes
    offset += bytes.count
  }

  mutating func skip(_ count: Int) {
    guard count > 0 else { return }
    offset += count
    runs.append((offset, []))
  }
}
