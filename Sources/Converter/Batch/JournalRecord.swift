package import CkptBase
internal import CkptJSON

/// What the journal of a batch says of one item at one time.
package struct JournalRecord: Hashable, Sendable {
  /// How far the item has come.
  package enum State: String, Sendable {
    /// It is about to be done; outputs that appear from now on are the batch's own.
    case planned
    /// It is done, and its outputs are on the disk.
    case done
    /// It could not be done, and left nothing behind.
    case failed
  }

  /// Why an item failed, as ``CheckpointError`` has it.
  package struct Failure: Hashable, Sendable {
    /// The code's name.
    package var code: String
    /// The sentence, with its place.
    package var message: String
    /// What can be done about it.
    package var remedy: Remedy?

    /// A failure from an error.
    package init(_ error: CheckpointError) {
      code = error.code.description
      message = error.description
      remedy = error.remedy
    }

    /// Whether the system was at fault, and not the input.
    package var isOfTheSystem: Bool { code == CheckpointError.Code.inputOutput.description }

    init(code: String, message: String, remedy: Remedy?) {
      self.code = code
      self.message = message
      self.remedy = remedy
    }
  }

  /// The format of the lines.
  static let version = 1

  /// Which run of the batch wrote it: later runs have higher numbers.
  package var run = 0
  /// How far the item has come.
  package var state: State
  /// What the batch does.
  package var verb: String
  /// The flags that decide what outputs hold.
  package var settings: String
  /// The item's place in the tree.
  package var item: String
  /// Seconds since 1970, for people.
  package var time = 0
  /// What was read.
  package var inputs: [FileIdentity] = []
  /// What was written, from the root.
  package var outputs: [FileIdentity] = []
  /// Whether the outputs were compared with the inputs.
  package var isVerified = false
  /// Whether the inputs were removed then.
  package var deletesSources = false
  /// What was found wrong with the input, for verbs that examine.
  package var problems: [Notice] = []
  /// Why it failed.
  package var failure: Failure?

  /// A record of an item's state, to be filled in.
  package init(_ state: State, verb: String, settings: String, item: String) {
    self.state = state
    self.verb = verb
    self.settings = settings
    self.item = item
  }
}

extension JournalRecord {
  /// The record as one line of the journal, with a line feed.
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

  /// Reads the JSON of a line.
  ///
  /// - Throws: `malformed` for another text, `unsupported` for a later version.
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
            .unsupported, "a journal of version \(found); this program writes \(Self.version)",
            remedy: "go on with the ckptconv that wrote it")
        }
      case "run": run = try json.integer()
      case "state":
        let text = try json.string()
        guard let found = State(rawValue: text) else {
          throw CheckpointError(.malformed, "the state '\(text)' of an item")
        }
        state = found
      case "verb": verb = try json.string()
      case "settings": settings = try json.string()
      case "item": item = try json.string()
      case "time": time = try json.integer()
      case "inputs": inputs = try Self.identities(&json)
      case "outputs": outputs = try Self.identities(&json)
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
