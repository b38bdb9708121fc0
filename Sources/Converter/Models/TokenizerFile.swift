package import CkptBase
internal import CkptJSON

/// The facts of a `tokenizer.json` that a configuration needs.
package struct TokenizerFile: Sendable {
  /// The largest token plus one.
  package let vocabularySize: Int

  /// The maximum size of a file in bytes; a vocabulary of 260,000 tokens needs 34 MB.
  private static let largestByteCount = 40 << 20

  /// Reads the file at `path`.
  ///
  /// - Throws: `malformed` for another file, `limitExceeded` for a file that is too large,
  ///   `inputOutput` if it cannot be read.
  package init(path: String) throws(CheckpointError) {
    let bytes = try FileSource(path: path)
      .contents(of: "a tokenizer.json", atMost: Self.largestByteCount)
    self = try CheckpointError.within(path) { () throws(CheckpointError) in
      try TokenizerFile(reading: bytes)
    }
  }

  /// Parses the text of a `tokenizer.json` and finds the largest number in `model.vocab` and
  /// `added_tokens`.
  ///
  /// - Throws: `malformed` for other text.
  package init(reading bytes: [UInt8]) throws(CheckpointError) {
    var reader = JSONReader(bytes.span)
    var largest = -1
    try reader.beginObject()
    while let key = try reader.nextKey() {
      switch key {
      case "added_tokens": largest = max(largest, try Self.largestAddedToken(&reader))
      case "model": largest = max(largest, try Self.largestToken(ofModel: &reader))
      default: try reader.skipValue()
      }
    }
    try reader.end()
    vocabularySize = largest + 1
  }

  private static func largestAddedToken(_ reader: inout JSONReader) throws(CheckpointError) -> Int {
    var largest = -1
    try reader.beginArray()
    while try reader.nextElement() {
      try reader.beginObject()
      while let key = try reader.nextKey() {
        if key == "id" {
          largest = max(largest, try token(&reader))
        } else {
          try reader.skipValue()
        }
      }
    }
    return largest
  }

  private static func largestToken(
    ofModel reader: inout JSONReader
  ) throws(CheckpointError) -> Int {
    var largest = -1
    try reader.beginObject()
    while let key = try reader.nextKey() {
      if key == "vocab" {
        largest = try largestToken(ofVocabulary: &reader)
      } else {
        try reader.skipValue()
      }
    }
    return largest
  }

  /// Returns the largest token of a vocabulary, which maps tokens to numbers or lists them
  /// (`Unigram`).
  private static func largestToken(
    ofVocabulary reader: inout JSONReader
  ) throws(CheckpointError) -> Int {
    var largest = -1
    if try reader.peek() == UInt8(ascii: "[") {
      try reader.beginArray()
      while try reader.nextElement() {
        try reader.skipValue()
        largest += 1
      }
    } else {
      try reader.beginObject()
      while try reader.nextKey() != nil { largest = max(largest, try token(&reader)) }
    }
    return largest
  }

  private static func token(_ reader: inout JSONReader) throws(CheckpointError) -> Int {
    let start = reader.offset
    let token = try reader.unsignedInteger()
    guard token < OLMoField.largestInteger else {
      throw CheckpointError(.limitExceeded, "the token \(token) is too large", at: start)
    }
    return Int(token)
  }
}
