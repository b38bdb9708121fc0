import CkptBase
import CkptJSON
import CkptPickle
import Glibc

/// The library's answers about pickles, for tests that hold it against CPython.
///
/// Each pickle stands on the standard input behind its length in four bytes, the least significant
/// first. Each answer is a line of JSON: the globals that a scan finds up to what Python would end at,
/// where that is, whether the pickle crosses a frame, and whether the reader takes it.
enum PickleAnswer {
  static func answerAll() {
    while let header = read(4) {
      let count = header.reversed().reduce(0) { $0 << 8 | Int($1) }
      guard let bytes = read(count) else { return }
      let line = Array("\(answer(bytes))\n".utf8)
      var written = 0
      while written < line.count {
        let step = line[written...].withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
        guard step > 0 else { return }
        written += step
      }
    }
  }

  private static func answer(_ bytes: [UInt8]) -> String {
    let scan = PickleScan(bytes.span, stopsAtFault: true)
    var json = JSONWriter()
    json.beginObject()
    json.member("names", scan.globals.filter { $0.mentions > 0 }.flatMap { [$0.module, $0.name] })
    json.member("complete", scan.isComplete)
    json.key("fault")
    if let fault = scan.fault { json.string("\(fault)") } else { json.null() }
    json.member("crosses", scan.frameCrossing != nil)
    json.key("refusal")
    if let refusal = refusal(of: bytes) { json.string(refusal) } else { json.null() }
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }

  /// Returns the reason that the reader refuses a pickle, or `nil` if it reads it.
  private static func refusal(of bytes: [UInt8]) -> String? {
    var machine = Unpickler()
    var reader = ByteReader(bytes.span)
    do {
      _ = try machine.load(&reader)
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// So many bytes of the standard input; `nil` when there are fewer.
  private static func read(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let step = bytes.withUnsafeMutableBytes {
        Glibc.read(0, $0.baseAddress?.advanced(by: done), count - done)
      }
      guard step > 0 else { return nil }
      done += step
    }
    return bytes
  }
}
