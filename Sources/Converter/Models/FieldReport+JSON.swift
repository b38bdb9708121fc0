package import CkptJSON

extension FieldReport {
  /// Writes the entries as one JSON array; `Documentation/json.md` describes their members.
  package func write(to json: inout JSONWriter) {
    json.beginArray()
    for entry in entries {
      json.beginObject()
      json.member("olmo", entry.olmo)
      json.member("hugging_face", entry.huggingFace)
      json.member("status", entry.status.rawValue)
      json.member("value", entry.value)
      json.member("note", entry.note)
      json.member("carried", entry.isCarried)
      json.endObject()
    }
    json.endArray()
  }
}
