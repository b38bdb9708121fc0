package import CkptBase
package import CkptCheckpoints
internal import CkptJSON

/// An entry of a batch's journal about one item.
package struct JournalRecord: Hashable, Sendable {
  /// The state of an item.
  package enum State: String, Sendable {
    /// The item is about to start. Outputs that appear from now on belong to the batch.
    case planned
    /// The item is done, and its outputs are on the disk.
    case done
    /// The item failed and left no outputs.
    case failed
  }

  /// The error of a failed item, from a ``CheckpointError``.
  package struct Failure: Hashable, Sendable {
    /// The name of the error code.
    package var code: String
    /// The message, with its path.
    package var message: String
    /// The remedy, if there is one.
    package var remedy: Remedy?

    /// Creates a failure from an error.
    package init(_ error: CheckpointError) {
      code = error.code.description
      message = error.description
      remedy = error.remedy
    }

    /// Whether the system failed, not the input.
    package var isOfTheSystem: Bool { code == CheckpointError.Code.inputOutput.description }

    init(code: String, message: String, remedy: Remedy?) {
      self.code = code
      self.message = message
      self.remedy = remedy
    }
  }

  /// The version of the format.
  static let version = 1

  /// The number of the run that wrote it; later runs have larger numbers.
  package var run = 0
  /// The state of the item.
  package var state: State
  /// The verb of the batch.
  package var verb: String
  /// The flags that decide the content of outputs.
  package var settings: String
  /// The path of the item in the tree.
  package var item: String
  /// The time in seconds since 1970, for people.
  package var time = 0
  /// The files that were read.
  package var inputs: [FileIdentity] = []
  /// The files that were written, relative to the root.
  package var outputs: [FileIdentity] = []
  /// The version of what the outputs hold, for verbs that compute it.
  package var outputVersion: Int?
  /// Whether the outputs were compared with the inputs.
  package var isVerified = false
  /// Whether the inputs were then deleted.
  package var deletesSources = false
  /// The problems found in the input, for verbs that check.
  package var problems: [Notice] = []
  /// The reason for a failure.
  package var failure: Failure?

  /// Creates a record of an item's state without details.
  package init(_ state: State, verb: String, settings: String, item: String) {
    self.state = state
    self.verb = verb
    self.settings = settings
    self.item = item
  }
}

extension JournalRecord {
  /// Returns the record as one line of the journal, with a line feed.
  func line(_ wording: Remedy.Wording) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.member("version", Self.version)
    json.member("run", run)
    json.member("state", state.rawValue)
    json.member("verb", verb)
    json.member("settings", settings)
    json.member("item", item)
    json.member("time", time)
    json.key("inputs")
    json.beginArray()
    for input in inputs { input.write(to: &json) }
    json.endArray()
    json.key("outputs")
    json.beginArray()
    for output in outputs { output.write(to: &json) }
    json.endArray()
    if let outputVersion { json.member("output_version", outputVersion) }
    if isVerified { json.member("verified", true) }
    if deletesSources { json.member("deletes", true) }
    if !problems.isEmpty { json.member("problems", problems.map { $0.sentence(wording) }) }
    if let failure {
      json.key("failure")
      json.beginObject()
      json.member("code", failure.code)
      json.member("message", failure.message)
      json.member("hint", failure.remedy.map(wording))
      json.endObject()
    }
    json.endObject()
    return ChecksummedLine.seal(json.bytes)
  }

  /// Parses the JSON of a line.
  ///
  /// - Throws: `malformed` for other text, `unsupported` for a later version.
  init(reading bytes: Span<UInt8>) throws(CheckpointError) {
    self.init(.planned, verb: "", settings: "", item: "")
    var json = JSONReader(bytes)
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "version":
        let found = try json.integer()
        guard found == Self.version else {
          throw CheckpointError(
            .unsupported,
            "the journal has version \(found), but this program writes version \(Self.version)",
            remedy: "continue with the version of ckptconv that wrote it")
        }
      case "run": run = try json.integer()
      case "state":
        let text = try json.string()
        guard let found = State(rawValue: text) else {
          throw CheckpointError(.malformed, "an item has the unknown state '\(text)'")
        }
        state = found
      case "verb": verb = try json.string()
      case "settings": settings = try json.string()
      case "item": item = try json.string()
      case "time": time = try json.integer()
      case "inputs": inputs = try Self.identities(&json)
      case "outputs": outputs = try Self.identities(&json)
      case "output_version": outputVersion = try json.integer()
      case "verified": isVerified = try json.bool()
      case "deletes": deletesSources = try json.bool()
      case "problems": problems = try Self.notices(&json)
      case "failure": failure = try Failure(reading: &json)
      default: try json.skipValue()
      }
    }
    try json.end()
  }

  private static func identities(
    _ json: inout JSONReader
  ) throws(CheckpointError) -> [FileIdentity] {
    var found: [FileIdentity] = []
    try json.beginArray()
    while try json.nextElement() { found.append(try FileIdentity(reading: &json)) }
    return found
  }

  private static func notices(_ json: inout JSONReader) throws(CheckpointError) -> [Notice] {
    var found: [Notice] = []
    try json.beginArray()
    while try json.nextElement() { found.append(Notice(try json.string())) }
    return found
  }
}

extension JournalRecord.Failure {
  fileprivate init(reading json: inout JSONReader) throws(CheckpointError) {
    self.init(code: "", message: "", remedy: nil)
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "code": code = try json.string()
      case "message": message = try json.string()
      case "hint": remedy = try json.readNull() ? nil : .text(try json.string())
      default: try json.skipValue()
      }
    }
  }
}
