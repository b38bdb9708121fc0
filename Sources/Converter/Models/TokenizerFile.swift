package import CkptBase
internal import CkptJSON

/// A `tokenizer.json` of Hugging Face's tokenizers, as far as a configuration needs it.
package struct TokenizerFile: Sendable {
  /// One more than the largest token.
  package let vocabularySize: Int

  /// The longest file read, in bytes; those of vocabularies of 260,000 tokens have 34 MB.
  private static let largestByteCount = 40 << 20

  /// Reads the file at `path`.
  ///
  /// - Throws: `malformed` where it is not JSON of that kind, `limitExceeded` for a file that no
  ///   tokenizer has, `inputOutput` when it cannot be read.
  package init(path: String) throws(CheckpointError) {
    let bytes = try FileSource(path: path)
      .contents(of: "a tokenizer.json", atMost: Self.largestByteCount)
    self = try CheckpointError.within(path) { () throws(CheckpointError) in
      try TokenizerFile(reading: bytes)
    }
  }

  /// Reads the text of a `tokenizer.json`: of `model.vocab` and `added_tokens` the largest number.
  ///
  /// - Throws: `malformed` where it is not JSON of that kind.
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

  /// A vocabulary names tokens with their numbers, or lists them (`Unigram`).
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
      throw CheckpointError(.limitExceeded, "no tokenizer has a token \(token)", at: start)
    }
    return Int(token)
  }
}
