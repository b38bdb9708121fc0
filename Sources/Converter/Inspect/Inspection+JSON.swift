internal import CkptBase
internal import CkptFormats
internal import CkptJSON

extension Inspection {
  /// The contents as one JSON object; `Documentation/json.md` describes its members.
  ///
  /// - Parameter summary: that of the directory, if the file was found in one.
  /// - Returns: the object.
  public func json(in summary: CheckpointSummary? = nil) -> String {
    var json = JSONWriter()
    json.beginObject()
    json.member("path", path)
    writeContainer(to: &json)
    json.key("totals")
    json.beginObject()
    json.member("tensors", tensors.count)
    json.member("tensor_bytes", tensors.reduce(0) { $0.addingClamped($1.byteCount) })
    json.member("elements", elementCount)
    json.member("storages", storageCount)
    json.member("storage_bytes", storageByteCount)
    json.key("dtypes")
    json.beginArray()
    for total in dtypes { write(total, to: &json) }
    json.endArray()
    json.endObject()
    json.key("facts")
    facts.write(to: &json)
    if let summary {
      json.key("summary")
      summary.write(to: &json)
    }
    json.key("tensors")
    json.beginArray()
    for tensor in tensors { write(tensor, to: &json) }
    json.endArray()
    json.key("values")
    json.beginArray()
    for value in values {
      json.beginObject()
      json.member("name", value.name)
      json.member("value", value.text)
      if let data = value.json {
        json.key("data")
        json.value(json: data)
      }
      if let base64 = value.base64 { json.member("base64", base64) }
      json.endObject()
    }
    json.endArray()
    json.member("opaque_globals", opaqueGlobals)
    json.member("warnings", warnings)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }

  private func write(_ total: DTypeTotal, to json: inout JSONWriter) {
    json.beginObject()
    json.member("dtype", total.dtype)
    json.member("tensors", total.tensorCount)
    json.member("elements", total.elementCount)
    json.member("bytes", total.byteCount)
    json.endObject()
  }

  private func writeContainer(to json: inout JSONWriter) {
    json.member("bytes", byteCount)
    json.key("container")
    json.beginObject()
    json.member("kind", container?.kind)
    for fact in container?.facts ?? [] { fact.write(to: &json) }
    json.endObject()
  }

  private func write(_ tensor: TensorRow, to json: inout JSONWriter) {
    json.beginObject()
    json.member("name", tensor.name)
    json.member("dtype", tensor.dtype)
    json.member("shape", tensor.shape)
    json.member("bytes", tensor.byteCount)
    if let strides = tensor.strides { json.member("strides", strides) }
    json.member("storage", tensor.storage)
    json.member("storage_bytes", tensor.storageByteCount)
    json.member("storage_uses", tensor.storageUses)
    json.member("requires_grad", tensor.requiresGradient)
    json.key("place")
    if let place = tensor.place { place.write(to: &json) } else { json.null() }
    json.endObject()
  }
}

extension ContainerFact {
  /// Writes the fact as a member of an object.
  fileprivate func write(to json: inout JSONWriter) {
    switch value {
    case .text(let text): json.member(name, text)
    case .number(let number): json.member(name, number)
    case .flag(let flag): json.member(name, flag)
    case .texts(let texts): json.member(name, texts)
    case .unknown:
      json.key(name)
      json.null()
    case .list(let items):
      json.key(name)
      json.beginArray()
      for item in items {
        json.beginObject()
        for fact in item { fact.write(to: &json) }
        json.endObject()
      }
      json.endArray()
    }
  }
}

extension StateFacts {
  /// Writes the facts as an object.
  fileprivate func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("kind", kind.rawValue)
    json.member("layers", layerCount)
    json.member("step", step)
    json.key("optimizer")
    if let optimizer { optimizer.write(to: &json) } else { json.null() }
    json.endObject()
  }
}

extension OptimizerFacts {
  /// Writes the facts as an object.
  func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("algorithm", algorithm)
    json.key("learning_rates")
    json.beginArray()
    // JSON has no infinity.
    for rate in learningRates {
      if rate.isFinite { json.number(rate) } else { json.string(rate.description) }
    }
    json.endArray()
    json.member("parameters", parameterCount)
    json.member("parameters_with_state", stateCount)
    json.member("step", step)
    json.endObject()
  }
}
